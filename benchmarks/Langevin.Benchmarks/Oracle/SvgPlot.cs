using System.Globalization;
using System.Net;
using System.Text;

namespace Langevin.Benchmarks.Oracle;

/// <summary>Lines in a plane whose both axes are logarithmic, as an SVG file.</summary>
internal sealed class SvgPlot(string title, string xLabel, string yLabel)
{
    private const int Width = 760, Height = 440, Left = 70, Right = 190, Top = 34, Bottom = 46;
    private static readonly string[] Colours = ["#2a6fb0", "#d1495b", "#2e8b57", "#e09f3e", "#6a4c93", "#00798c", "#8c5e3c", "#777777", "#c13584", "#4f772d", "#1d3557", "#f3722c"];
    private readonly List<(string Name, (double X, double Y)[] Points)> lines = [];

    public void Add(string name, IEnumerable<(double X, double Y)> points)
    {
        (double X, double Y)[] seen = [.. points.Where(p => p.X > 0 && p.Y > 0 && double.IsFinite(p.Y))];
        if (seen.Length > 0) lines.Add((name, seen));
    }

    public void Save(string path)
    {
        if (lines.Count == 0) return;
        var all = lines.SelectMany(l => l.Points).ToArray();
        var (x0, x1) = (Math.Log10(all.Min(p => p.X)), Math.Log10(all.Max(p => p.X)));
        var (y0, y1) = (Math.Log10(all.Min(p => p.Y)), Math.Log10(all.Max(p => p.Y)));
        double X(double v) => Left + (Math.Log10(v) - x0) / Math.Max(x1 - x0, 1e-9) * (Width - Left - Right);
        double Y(double v) => Top + (y1 - Math.Log10(v)) / Math.Max(y1 - y0, 1e-9) * (Height - Top - Bottom);
        var svg = new StringBuilder($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
        void Text(double x, double y, string text, string anchor = "middle", string colour = "#333") =>
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:f1}\" y=\"{y:f1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{WebUtility.HtmlEncode(text)}</text>");
        void Grid(double xa, double ya, double xb, double yb) =>
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{xa:f1}\" y1=\"{ya:f1}\" x2=\"{xb:f1}\" y2=\"{yb:f1}\" stroke=\"#e4e4e4\"/>");
        foreach (double tick in all.Select(p => p.X).Distinct().Order().Where((_, i) => i % Math.Max(1, all.Select(p => p.X).Distinct().Count() / 8) == 0))
        {
            Grid(X(tick), Top, X(tick), Height - Bottom);
            Text(X(tick), Height - Bottom + 16, tick.ToString("g4", CultureInfo.InvariantCulture));
        }
        for (double power = Math.Floor(y0); power <= Math.Ceiling(y1); power++)
        {
            if (power < y0 - 1e-9 || power > y1 + 1e-9) continue;
            Grid(Left, Y(Math.Pow(10, power)), Width - Right, Y(Math.Pow(10, power)));
            Text(Left - 6, Y(Math.Pow(10, power)) + 4, Math.Pow(10, power).ToString("g3", CultureInfo.InvariantCulture), "end");
        }
        Text(Width / 2.0, 18, title);
        Text((Left + Width - Right) / 2.0, Height - 10, xLabel);
        Text(6, Top - 6, yLabel, "start");
        for (int i = 0; i < lines.Count; i++)
        {
            string colour = Colours[i % Colours.Length], dash = i >= Colours.Length ? " stroke-dasharray=\"5 3\"" : "";
            string points = string.Join(' ', lines[i].Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):f1},{Y(p.Y):f1}")));
            svg.Append($"<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"{dash}/>");
            Text(Width - Right + 10, Top + 10 + 15 * i, lines[i].Name, "start", colour);
        }
        AtomicFile.WriteAllText(path, svg.Append("</svg>\n").ToString());
    }
}
