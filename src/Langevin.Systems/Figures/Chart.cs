using System.Globalization;
using System.Net;
using System.Text;
using static TorchSharp.torch;

namespace Langevin.Systems.Figures;

/// <summary>Points, lines and bands over two axes, as SVG, whose text needs no font file on the machine that writes it.</summary>
public sealed class Chart(string xLabel = "", string yLabel = "")
{
    private const double Wide = 720, High = 360, Left = 60, Right = 170, Top = 14, Bottom = 42;
    private static readonly string[] Colours = ["#2a6fb0", "#d1495b", "#2e8b57", "#e09f3e", "#6a4c93", "#00a0b0", "#8c5e3c", "#777777"];
    private readonly List<(string Name, string Kind, (double X, double Y)[] Points, double[]? Upper)> series = [];

    /// <summary>Whether the horizontal axis is logarithmic.</summary>
    public bool LogX { get; init; }

    /// <summary>Whether the vertical axis is logarithmic.</summary>
    public bool LogY { get; init; }

    /// <summary>Whether a unit is as long on both axes.</summary>
    public bool Square { get; init; }

    /// <summary>A line through points.</summary>
    public Chart Line(string name, IEnumerable<(double X, double Y)> points) => Add(name, "line", [.. points]);

    /// <summary>A line of values at 0, 1, 2, ... times a step.</summary>
    public Chart Line(string name, Tensor values, double step = 1) => Line(name, Values(values).Select((v, i) => (i * step, v)));

    /// <summary>Points in the plane, [N, 2]; at most 2,000 are drawn.</summary>
    public Chart Points(string name, Tensor points)
    {
        ArgumentNullException.ThrowIfNull(points);
        using var scope = NewDisposeScope();
        double[] flat = Values(points.narrow(0, 0, Math.Min(2000, points.size(0))));
        return Add(name, "points", [.. flat.Chunk(2).Select(p => (p[0], p[1]))]);
    }

    /// <summary>A band between two lines over 0, 1, 2, ... times a step.</summary>
    public Chart Band(string name, Tensor low, Tensor high, double step = 1) =>
        Add(name, "band", [.. Values(low).Select((v, i) => (i * step, v))], Values(high));

    /// <summary>The chart.</summary>
    public string Svg()
    {
        var seen = series.SelectMany(s => s.Points.Concat(s.Upper?.Select((u, i) => (s.Points[i].X, u)) ?? [])).Where(p => Shown(p.Item1, p.Item2)).ToArray();
        var svg = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Wide} {High}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">"));
        if (seen.Length == 0) return svg.Append("</svg>").ToString();
        var (x0, x1) = Span(seen.Select(p => p.Item1), LogX);
        var (y0, y1) = Span(seen.Select(p => p.Item2), LogY);
        double width = Wide - Left - Right, height = High - Top - Bottom;
        if (Square)
        {
            double scale = Math.Max((x1 - x0) / width, (y1 - y0) / height);
            (x0, x1) = ((x0 + x1 - scale * width) / 2, (x0 + x1 + scale * width) / 2);
            (y0, y1) = ((y0 + y1 - scale * height) / 2, (y0 + y1 + scale * height) / 2);
        }
        double X(double v) => Left + ((LogX ? Math.Log10(v) : v) - x0) / (x1 - x0) * width;
        double Y(double v) => Top + (y1 - (LogY ? Math.Log10(v) : v)) / (y1 - y0) * height;
        foreach (double tick in Ticks(x0, x1, LogX))
        {
            Rule(X(tick), Top, X(tick), Top + height);
            Text(X(tick), Top + height + 16, Number(tick), "middle");
        }
        foreach (double tick in Ticks(y0, y1, LogY))
        {
            Rule(Left, Y(tick), Left + width, Y(tick));
            Text(Left - 6, Y(tick) + 4, Number(tick), "end");
        }
        Text(Left + width / 2, High - 6, xLabel, "middle");
        Text(4, Top + 4, yLabel, "start");
        for (int i = 0; i < series.Count; i++) Draw(series[i], Colours[i % Colours.Length], i);
        return svg.Append("</svg>").ToString();

        void Draw((string Name, string Kind, (double X, double Y)[] Points, double[]? Upper) s, string colour, int index)
        {
            string Path(IEnumerable<(double X, double Y)> points) => string.Join(' ', points.Where(p => Shown(p.X, p.Y)).Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):f1},{Y(p.Y):f1}")));
            if (s.Kind == "band") svg.Append($"<polygon points=\"{Path(s.Points.Concat(s.Points.Select((p, i) => (p.X, s.Upper![i])).Reverse()))}\" fill=\"{colour}\" opacity=\"0.22\"/>");
            if (s.Kind == "line") svg.Append($"<polyline points=\"{Path(s.Points)}\" style=\"fill:none;stroke:{colour};stroke-width:1.6\"/>");
            bool dots = s.Kind == "points" || (s.Kind == "line" && s.Points.Length <= 24);
            if (dots)
                foreach (var p in s.Points.Where(p => Shown(p.X, p.Y)))
                    svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(p.X):f1}\" cy=\"{Y(p.Y):f1}\" r=\"{(s.Kind == "points" ? 1.6 : 2.6)}\" fill=\"{colour}\"/>");
            if (s.Name.Length == 0) return;
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Wide - Right + 10}\" y=\"{Top + 4 + 18 * index}\" width=\"12\" height=\"10\" fill=\"{colour}\"/>");
            Text(Wide - Right + 28, Top + 13 + 18 * index, s.Name, "start");
        }

        void Text(double x, double y, string text, string anchor) =>
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:f1}\" y=\"{y:f1}\" text-anchor=\"{anchor}\">{WebUtility.HtmlEncode(text)}</text>");
        void Rule(double xa, double ya, double xb, double yb) =>
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{xa:f1}\" y1=\"{ya:f1}\" x2=\"{xb:f1}\" y2=\"{yb:f1}\" stroke=\"#e4e4e4\"/>");
    }

    private bool Shown(double x, double y) => double.IsFinite(x) && double.IsFinite(y) && (!LogX || x > 0) && (!LogY || y > 0);

    private Chart Add(string name, string kind, (double X, double Y)[] points, double[]? upper = null)
    {
        series.Add((name, kind, points, upper));
        return this;
    }

    private static (double Low, double High) Span(IEnumerable<double> values, bool log)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (double v in values)
        {
            double at = log ? Math.Log10(v) : v;
            (low, high) = (Math.Min(low, at), Math.Max(high, at));
        }
        double margin = Math.Max(0.03 * (high - low), 1e-6 * Math.Max(1, Math.Abs(high)));
        return (low - margin, high + margin);
    }

    // About five round numbers, or on a logarithmic axis powers of ten with 2 and 5 times them where it spans few.
    private static IEnumerable<double> Ticks(double low, double high, bool log)
    {
        if (log)
            return from power in Enumerable.Range((int)Math.Floor(low), (int)Math.Ceiling(high) - (int)Math.Floor(low) + 1)
                   from factor in high - low < 2 ? [1.0, 2, 5] : new[] { 1.0 }
                   let tick = factor * Math.Pow(10, power)
                   where Math.Log10(tick) >= low && Math.Log10(tick) <= high
                   select tick;
        double raw = (high - low) / 5, unit = Math.Pow(10, Math.Floor(Math.Log10(raw))), step = unit * new[] { 1.0, 2, 5, 10 }.First(f => f * unit >= raw);
        return Enumerable.Range(0, (int)((high - Math.Ceiling(low / step) * step) / step) + 1).Select(i => (Math.Ceiling(low / step) + i) * step);
    }

    private static string Number(double value) => Math.Abs(value) < 1e-12 ? "0" : value.ToString("g4", CultureInfo.InvariantCulture);

    private static double[] Values(Tensor values)
    {
        using var scope = NewDisposeScope();
        return values.detach().cpu().to(ScalarType.Float64).contiguous().data<double>().ToArray();
    }
}
