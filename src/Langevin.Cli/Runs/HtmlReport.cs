using System.Globalization;
using System.Net;
using System.Text;
using ScottPlot;

namespace Langevin.Cli.Runs;

/// <summary>A self-contained page: headings, tables, pictures and plots in one file.</summary>
internal sealed class HtmlReport(string title)
{
    private readonly StringBuilder body = new();

    public HtmlReport Heading(string text) => Add($"<h2>{Escape(text)}</h2>");

    public HtmlReport Text(string text) => Add($"<p>{Escape(text)}</p>");

    public HtmlReport Table(IEnumerable<(string Name, string Value)> rows) =>
        Add("<table>" + string.Concat(rows.Select(r => $"<tr><th>{Escape(r.Name)}</th><td>{Escape(r.Value)}</td></tr>")) + "</table>");

    public HtmlReport Picture(byte[] png, string caption) =>
        Add($"<figure><img alt=\"{Escape(caption)}\" src=\"data:image/png;base64,{Convert.ToBase64String(png)}\"><figcaption>{Escape(caption)}</figcaption></figure>");

    public HtmlReport Code(string text) => Add($"<pre>{Escape(text)}</pre>");

    /// <summary>A line plot, logarithmic upwards.</summary>
    public HtmlReport LogPlot(double[] x, double[] y, string xLabel, string yLabel, string caption)
    {
        if (x.Length < 2) return this;
        using var plot = new Plot();
        plot.Add.ScatterLine(x, Array.ConvertAll(y, v => Math.Log10(Math.Max(v, 1e-12))));
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic { LabelFormatter = v => Math.Pow(10, v).ToString("g3", CultureInfo.InvariantCulture) };
        plot.XLabel(xLabel);
        plot.YLabel(yLabel);
        return Picture(plot.GetImageBytes(720, 320, ImageFormat.Png), caption);
    }

    public void Save(string path) => AtomicFile.WriteAllText(path, $$"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{Escape(title)}}</title>
        <style>
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
        table { border-collapse: collapse } th, td { text-align: left; padding: .25rem .8rem; border-bottom: 1px solid #ddd; font-weight: normal; vertical-align: top }
        th { color: #555 } img { max-width: 100%; image-rendering: pixelated } figure { margin: 1rem 0 } figcaption { color: #555 }
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
