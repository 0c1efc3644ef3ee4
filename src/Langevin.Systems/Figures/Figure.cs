using System.Net;
using System.Text;
using Langevin.Data;
using static TorchSharp.torch;

namespace Langevin.Systems.Figures;

/// <summary>A picture of a run: PNG for pixels, plain text for texts, SVG for all else.</summary>
/// <param name="Caption">What it shows.</param>
/// <param name="Extension">"png", "svg" or "text".</param>
/// <param name="Bytes">The file.</param>
public sealed record Figure(string Caption, string Extension, byte[] Bytes)
{
    /// <summary>The figure within a page.</summary>
    public string Html => Extension switch
    {
        "svg" => Encoding.UTF8.GetString(Bytes),
        "text" => $"<pre>{WebUtility.HtmlEncode(Encoding.UTF8.GetString(Bytes))}</pre>",
        _ => $"<img alt=\"{WebUtility.HtmlEncode(Caption)}\" src=\"data:image/png;base64,{Convert.ToBase64String(Bytes)}\">",
    };

    /// <summary>Texts, one a line.</summary>
    public static Figure Text(string caption, IEnumerable<string> lines) => new(caption, "text", Encoding.UTF8.GetBytes(string.Join('\n', lines)));

    /// <summary>A sheet of pictures, [N, C, H, W] in [−1, 1].</summary>
    /// <param name="caption">What it shows.</param>
    /// <param name="images">At most 128 are drawn.</param>
    /// <param name="columns">Pictures in a row; about square where null.</param>
    public static Figure Images(string caption, Tensor images, int? columns = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var drawn = images.narrow(0, 0, Math.Min(128, images.size(0)));
        return new(caption, "png", ImageGrid.Png(drawn, columns, zoom: (int)Math.Clamp(96 / drawn.size(3), 1, 4)));
    }

    /// <summary>Rows of pictures, as (measurement, result, truth): one column for each, a row for each item.</summary>
    /// <param name="caption">What it shows, with what the columns are.</param>
    /// <param name="columns">Each [N, C, H, W].</param>
    public static Figure Rows(string caption, params Tensor[] columns)
    {
        using var scope = NewDisposeScope();
        long rows = Math.Min(16, columns.Min(c => c.size(0)));
        var sheet = stack(columns.Select(c => c.narrow(0, 0, rows)).ToArray(), 1).flatten(0, 1);
        return Images(caption, sheet, columns.Length);
    }

    /// <summary>A chart.</summary>
    public static Figure Of(string caption, Chart chart)
    {
        ArgumentNullException.ThrowIfNull(chart);
        return new(caption, "svg", Encoding.UTF8.GetBytes(chart.Svg()));
    }
}
