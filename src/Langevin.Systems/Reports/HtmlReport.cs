using System.Globalization;
using System.Net;
using System.Text;

namespace Langevin.Systems.Reports;

/// <summary>A self-contained page: headings, tables, pictures and plots in one file.</summary>
/// <param name="title">The page's title.</param>
public sealed class HtmlReport(string title)
{
    private readonly StringBuilder body = new();

    /// <summary>Adds a heading.</summary>
    public HtmlReport Heading(string text) => Add($"<h2>{Escape(text)}</h2>");

    /// <summary>Adds a paragraph.</summary>
    public HtmlReport Text(string text) => Add($"<p>{Escape(text)}</p>");

    /// <summary>Adds a table of names and values.</summary>
    public HtmlReport Table(IEnumerable<(string Name, string Value)> rows) =>
        Add("<table>" + string.Concat(rows.Select(r => $"<tr><th>{Escape(r.Name)}</th><td>{Escape(r.Value)}</td></tr>")) + "</table>");

    /// <summary>Adds a table with a row of headings. What is given as <see cref="Link"/> becomes one.</summary>
    public HtmlReport Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<object>> rows) =>
        Add($"<table><tr>{string.Concat(headings.Select(h => $"<th>{Escape(h)}</th>"))}</tr>"
            + string.Concat(rows.Select(r => $"<tr>{string.Concat(r.Select(c => $"<td>{(c is Link l ? $"<a href=\"{Escape(l.Target)}\">{Escape(l.Text)}</a>" : Escape(c.ToString() ?? ""))}</td>"))}</tr>")) + "</table>");

    /// <summary>A cell that leads elsewhere.</summary>
    /// <param name="Text">What is read.</param>
    /// <param name="Target">Where it leads.</param>
    public sealed record Link(string Text, string Target);

    /// <summary>Adds a figure with its caption.</summary>
    public HtmlReport Figure(Figures.Figure figure) => Add($"<figure>{figure.Html}<figcaption>{Escape(figure.Caption)}</figcaption></figure>");

    /// <summary>Adds a PNG picture.</summary>
    public HtmlReport Picture(byte[] png, string caption) =>
        Add($"<figure><img alt=\"{Escape(caption)}\" src=\"data:image/png;base64,{Convert.ToBase64String(png)}\"><figcaption>{Escape(caption)}</figcaption></figure>");

    /// <summary>Adds text as it stands.</summary>
    public HtmlReport Code(string text) => Add($"<pre>{Escape(text)}</pre>");

    /// <summary>A line plot, logarithmic upwards; as SVG, whose text needs no font file on the machine that writes it.</summary>
    public HtmlReport LogPlot(double[] x, double[] y, string xLabel, string yLabel, string caption)
    {
        const int width = 720, height = 300, left = 60, bottom = 40, top = 10;
        var points = x.Zip(y).Where(p => p.Second > 0 && double.IsFinite(p.Second)).ToArray();
        if (points.Length < 2) return this;
        double low = points.Min(p => p.Second), high = points.Max(p => p.Second), end = points[^1].First;
        double ratio = Math.Max(Math.Log(high / low), 1e-9);
        double X(double v) => left + v / end * (width - left - 10);
        double Y(double v) => top + Math.Log(high / v) / ratio * (height - top - bottom);
        var svg = new StringBuilder($"<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{Escape(caption)}\">");
        void Label(double at, double down, string text, string anchor) => svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{at:f1}\" y=\"{down:f1}\" text-anchor=\"{anchor}\">{Escape(text)}</text>");
        void Line(double x1, double y1, double x2, double y2) => svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1:f1}\" y1=\"{y1:f1}\" x2=\"{x2:f1}\" y2=\"{y2:f1}\"/>");
        foreach (double tick in Ticks(low, high))
        {
            Line(left, Y(tick), width - 10, Y(tick));
            Label(left - 6, Y(tick) + 4, tick.ToString("g3", CultureInfo.InvariantCulture), "end");
        }
        for (int i = 0; i <= 5; i++) Label(X(end * i / 5), height - bottom + 16, (end * i / 5).ToString("f0", CultureInfo.InvariantCulture), "middle");
        Label((left + width) / 2.0, height - 4, xLabel, "middle");
        Label(4, top + 8, yLabel, "start");
        string path = string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.First):f1},{Y(p.Second):f1}")));
        svg.Append($"<polyline points=\"{path}\"/></svg>");
        return Add($"<figure>{svg}<figcaption>{Escape(caption)}</figcaption></figure>");
    }

    // 1, 2 and 5 times powers of ten within a range.
    private static IEnumerable<double> Ticks(double low, double high)
    {
        for (double power = Math.Pow(10, Math.Floor(Math.Log10(low))); power <= high; power *= 10)
            foreach (double tick in (double[])[power, 2 * power, 5 * power])
                if (tick >= low && tick <= high) yield return tick;
    }

    /// <summary>Writes the page.</summary>
    public void Save(string path) => AtomicFile.WriteAllText(path, $$"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{Escape(title)}}</title>
        <style>
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
        table { border-collapse: collapse } th, td { text-align: left; padding: .25rem .8rem; border-bottom: 1px solid #ddd; font-weight: normal; vertical-align: top }
        th { color: #555 } img { max-width: 100%; image-rendering: pixelated } figure { margin: 1rem 0 } figcaption { color: #555 }
        svg text { font-size: 12px; fill: #555 } svg line { stroke: #e4e4e4 } svg polyline { fill: none; stroke: #2a6fb0; stroke-width: 1.5 }
        pre { background: #f5f5f5; padding: .8rem; overflow-x: auto }
        </style></head><body><h1>{{Escape(title)}}</h1>
        {{body}}
        </body></html>
        """);

    private HtmlReport Add(string html)
    {
        body.AppendLine(html);
        return this;
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
