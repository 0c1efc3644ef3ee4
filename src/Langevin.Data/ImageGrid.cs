using SkiaSharp;
using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>Sheets of images as PNG.</summary>
public static class ImageGrid
{
    /// <summary>Writes a sheet as a PNG file, atomically; see <see cref="Png"/>.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="images">Floating [N, C, H, W] or [C, H, W] in [−1, 1].</param>
    /// <param name="columns">Images in a row; null makes the sheet about square.</param>
    /// <param name="padding">White pixels between images.</param>
    /// <param name="zoom">Each pixel becomes zoom × zoom equal ones.</param>
    public static void Save(string path, Tensor images, int? columns = null, int padding = 2, int zoom = 1) =>
        AtomicFile.WriteAllBytes(path, Png(images, columns, padding, zoom));

    /// <summary>Encodes a sheet as PNG bytes: grey for one channel, RGB for three.</summary>
    /// <param name="images">Floating [N, C, H, W] or [C, H, W] with C of 1 or 3; −1 is black and 1 white, values beyond are cut off, NaN is black.</param>
    /// <param name="columns">Images in a row; null makes the sheet about square.</param>
    /// <param name="padding">White pixels between images.</param>
    /// <param name="zoom">Each pixel becomes zoom × zoom equal ones.</param>
    /// <exception cref="ArgumentException">The shape is not that of images, or the sheet would exceed 16,384 pixels a side.</exception>
    public static byte[] Png(Tensor images, int? columns = null, int padding = 2, int zoom = 1)
    {
        using var scope = NewDisposeScope();
        if (images.dim() == 3) images = images.unsqueeze(0);
        if (images.dim() != 4 || images.shape[1] is not (1 or 3) || images.numel() == 0 || !images.is_floating_point())
            throw new ArgumentException($"Cannot draw a {images.dtype} tensor of shape [{string.Join(", ", images.shape)}]: expected floating [N, C, H, W] with C of 1 or 3.", nameof(images));
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        ArgumentOutOfRangeException.ThrowIfLessThan(zoom, 1);
        if (columns is { } given) ArgumentOutOfRangeException.ThrowIfLessThan(given, 1, nameof(columns));

        long n = images.shape[0], channels = images.shape[1], height = images.shape[2] * zoom, width = images.shape[3] * zoom;
        long across = Math.Min(n, columns ?? (long)Math.Ceiling(Math.Sqrt(n))), down = (n + across - 1) / across;
        long sheetHeight = down * (height + padding) - padding, sheetWidth = across * (width + padding) - padding;
        if (Math.Max(sheetHeight, sheetWidth) > 16_384) throw new ArgumentException($"A sheet of {sheetWidth}×{sheetHeight} pixels is above 16384 a side: draw fewer images or a smaller zoom.", nameof(images));

        var pixels = images.detach().cpu().to(ScalarType.Float32).nan_to_num(-1, 1, -1).add(1).mul(127.5f).round().clamp(0, 255).to(ScalarType.Byte);
        if (zoom > 1) pixels = pixels.repeat_interleave(zoom, 2).repeat_interleave(zoom, 3);
        var cells = full([down * across, channels, height + padding, width + padding], 255, ScalarType.Byte);
        cells.narrow(0, 0, n).narrow(2, 0, height).narrow(3, 0, width).copy_(pixels);
        // [rows, columns, C, h, w] → [rows·h, columns·w, C], less the padding after the last row and column.
        var sheet = cells.view(down, across, channels, height + padding, width + padding).permute(0, 3, 1, 4, 2)
            .reshape(down * (height + padding), across * (width + padding), channels).narrow(0, 0, sheetHeight).narrow(1, 0, sheetWidth);
        return Encode(sheet.contiguous());
    }

    // uint8 [H, W, C]
    private static byte[] Encode(Tensor sheet)
    {
        int height = (int)sheet.shape[0], width = (int)sheet.shape[1];
        bool grey = sheet.shape[2] == 1;
        // Skia has no three-byte pixels: RGB gets an opaque fourth channel, which its encoder drops again.
        using var opaque = grey ? sheet.alias() : cat([sheet, full([height, width, 1], 255, ScalarType.Byte)], 2);
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, grey ? SKColorType.Gray8 : SKColorType.Rgba8888, SKAlphaType.Opaque));
        var source = opaque.bytes;
        var target = bitmap.GetPixelSpan();
        int row = width * (grey ? 1 : 4);
        for (int y = 0; y < height; y++) source.Slice(y * row, row).CopyTo(target[(y * bitmap.RowBytes)..]);
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }
}
