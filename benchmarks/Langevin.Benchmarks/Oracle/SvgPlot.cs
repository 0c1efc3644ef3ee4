using System.Globalization;
using System.Net;
using System.Text;

namespace Langevin.Benchmarks.Oracle;

/// <summary>
/// Lines over two logarithmic axes as an SVG file, in panels that share the axes, so that no panel holds more lines than can be told apart.
/// Names stand beside a panel in the order in which its lines end.
/// </summary>
internal sealed class SvgPlot(string title, string xLabel, string yLabel)
{
    private const int Wide = 536, High = 300, Left = 52, Right = 152, Top = 26, Bottom = 40, Head = 30;
    private static readonly string[] Colours = ["#2a6fb0", "#d1495b", "#2e8b57", "#e09f3e", "#6a4c93", "#00a0b0", "#8c5e3c", "#777777", "#e377c2", "#86b049", "#111111", "#f3722c"];
    private readonly List<(string Panel, string Name, (double X, double Y)[] Points)> lines = [];

    public string Title => title;

    /// <summary>A level that nothing can be below, drawn as a dashed line.</summary>
    public double? Floor { get; init; }

    public void Add(string panel, string name, IEnumerable<(double X, double Y)> points)
    {
        (double X, double Y)[] seen = [.. points.Where(p => p.X > 0 && p.Y > 0 && double.IsFinite(p.X) && double.IsFinite(p.Y))];
        if (seen.Length > 0) lines.Add((panel, name, seen));
    }

    public void Save(string path)
    {
        if (lines.Count == 0) return;
        string[] panels = [.. lines.Select(l => l.Panel).Distinct()];
        int columns = Math.Min(2, panels.Length), rows = (panels.Length + columns - 1) / columns;
        var all = lines.SelectMany(l => l.Points).ToArray();
        var (x0, x1) = (Math.Log10(all.Min(p => p.X)), Math.Log10(all.Max(p => p.X)));
        var (y0, y1) = (Math.Log10(Math.Min(all.Min(p => p.Y), Floor ?? double.PositiveInfinity)), Math.Log10(all.Max(p => p.Y)));
        var svg = new StringBuilder($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {columns * Wide} {Head + rows * High}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
        Text(columns * Wide / 2.0, 20, title, size: 15);
        for (int i = 0; i < panels.Length; i++)
            Panel(i % columns * Wide, Head + i / columns * High, panels[i], [.. lines.Where(l => l.Panel == panels[i]).OrderByDescending(l => l.Points[^1].Y)]);
        AtomicFile.WriteAllText(path, svg.Append("</svg>\n").ToString());

        void Text(double x, double y, string text, string anchor = "middle", string colour = "#333", int size = 12) =>
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:f1}\" y=\"{y:f1}\" text-anchor=\"{anchor}\" fill=\"{colour}\" font-size=\"{size}\">{WebUtility.HtmlEncode(text)}</text>\n");

        void Panel(double left, double top, string name, (string Panel, string Name, (double X, double Y)[] Points)[] drawn)
        {
            double inner = left + Left, outer = left + Wide - Right, upper = top + Top, lower = top + High - Bottom;
            double X(double v) => inner + (Math.Log10(v) - x0) / Math.Max(x1 - x0, 1e-9) * (outer - inner);
            double Y(double v) => upper + (y1 - Math.Log10(v)) / Math.Max(y1 - y0, 1e-9) * (lower - upper);
            void Line(double xa, double ya, double xb, double yb, string style) =>
                svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{xa:f1}\" y1=\"{ya:f1}\" x2=\"{xb:f1}\" y2=\"{yb:f1}\" {style}/>\n");
            foreach (double tick in Ticks(x0, x1))
            {
                Line(X(tick), upper, X(tick), lower, "stroke=\"#e4e4e4\"");
                Text(X(tick), lower + 16, tick.ToString("g4", CultureInfo.InvariantCulture));
            }
            foreach (double tick in Ticks(y0, y1))
            {
                Line(inner, Y(tick), outer, Y(tick), "stroke=\"#e4e4e4\"");
                Text(inner - 6, Y(tick) + 4, tick.ToString("g3", CultureInfo.InvariantCulture), "end");
            }
            if (Floor is { } floor) Line(inner, Y(floor), outer, Y(floor), "stroke=\"#999\" stroke-dasharray=\"6 4\"");
            Text((inner + outer) / 2, top + 18, name, size: 13);
            Text((inner + outer) / 2, lower + 33, xLabel, colour: "#777");
            Text(left + 4, top + 18, yLabel, "start", "#777");
            for (int i = 0; i < drawn.Length; i++)
            {
                string colour = Colours[i % Colours.Length];
                string points = string.Join(' ', drawn[i].Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):f1},{Y(p.Y):f1}")));
                svg.Append($"<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>\n");
                foreach (var p in drawn[i].Points) svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(p.X):f1}\" cy=\"{Y(p.Y):f1}\" r=\"2.6\" fill=\"{colour}\"/>\n");
                double at = upper + 8 + 18 * i;
                Line(outer + 8, at - 4, outer + 24, at - 4, $"stroke=\"{colour}\" stroke-width=\"2.5\"");
                Text(outer + 28, at, drawn[i].Name, "start");
            }
        }
    }

    // Powers of ten; 2 and 5 times them too where an axis spans few.
    private static IEnumerable<double> Ticks(double low, double high) =>
        from power in Enumerable.Range((int)Math.Floor(low), (int)Math.Ceiling(high) - (int)Math.Floor(low) + 1)
        from factor in high - low < 2.2 ? [1.0, 2, 5] : new[] { 1.0 }
        let tick = factor * Math.Pow(10, power)
        where Math.Log10(tick) >= low - 1e-9 && Math.Log10(tick) <= high + 1e-9
        where high - low < 6.5 || power % 2 == 0
        select tick;
}
