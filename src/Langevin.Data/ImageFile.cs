using SkiaSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Langevin.Data;

/// <summary>Single image files: PNG, JPEG, WebP and BMP.</summary>
public static class ImageFile
{
    /// <summary>The longest side that is decoded, in pixels.</summary>
    public const int MaxSide = 16_384;

    private const long MaxPixels = 1L << 26;
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".webp", ".bmp"];

    /// <summary>Reads an image: float32 [C, H, W] in [−1, 1]. Transparency is laid over white, a photograph's orientation is applied.</summary>
    /// <param name="path">The file.</param>
    /// <param name="size">Scales the shorter side to this many pixels and cuts out the middle square; null keeps the image's size.</param>
    /// <param name="grey">True for one channel, false for three, null for what the file has.</param>
    /// <exception cref="InvalidDataException">The file is not an image, damaged, or larger than 2^26 pixels.</exception>
    public static Tensor Load(string path, int? size = null, bool? grey = null)
    {
        using var scope = NewDisposeScope();
        return Decode(path, size, grey).to(ScalarType.Float32).div_(127.5f).sub_(1f).MoveToOuterDisposeScope();
    }

    /// <summary>Whether a name has the extension of an image format that is read here.</summary>
    public static bool HasImageExtension(string path) => Extensions.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>Whether a file begins as one of the formats does.</summary>
    internal static bool HasImageSignature(ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) || head.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff])
        || head.Length >= 12 && head.StartsWith("RIFF"u8) && head[8..12].SequenceEqual("WEBP"u8)
        || head.Length >= 14 && head.StartsWith("BM"u8);

    /// <summary>Height, width (after orientation) and whether the file is grey, from its header alone.</summary>
    internal static (int Height, int Width, bool Grey) Inspect(string path)
    {
        using var codec = Open(path);
        bool turned = codec.EncodedOrigin >= SKEncodedOrigin.LeftTop;
        return (turned ? codec.Info.Width : codec.Info.Height, turned ? codec.Info.Height : codec.Info.Width, codec.Info.ColorType == SKColorType.Gray8);
    }

    /// <summary>uint8 [C, H, W].</summary>
    internal static Tensor Decode(string path, int? size, bool? grey)
    {
        using var scope = NewDisposeScope();
        using var codec = Open(path);
        int width = codec.Info.Width, height = codec.Info.Height;
        // No colour space in the target: bytes are taken as they are.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Premul);
        using var bitmap = new SKBitmap();
        if (!bitmap.TryAllocPixels(info, 4 * width)) throw new InsufficientMemoryException($"{path}: no memory for an image of {width}×{height} pixels");
        var result = codec.GetPixels(info, bitmap.GetPixels());
        if (result != SKCodecResult.Success) throw new InvalidDataException($"{path}: damaged image ({result})");
        var pixels = empty([height, width, 4], ScalarType.Byte);
        bitmap.GetPixelSpan().CopyTo(pixels.bytes);

        var rgba = pixels.permute(2, 0, 1);
        var image = rgba.narrow(0, 0, 3);
        if (info.AlphaType == SKAlphaType.Premul) image = image + (255 - rgba.narrow(0, 3, 1)); // c·α + 255·(1 − α) never exceeds 255
        bool sourceGrey = codec.Info.ColorType == SKColorType.Gray8;
        if (grey ?? sourceGrey) image = sourceGrey ? image.narrow(0, 0, 1) : Luma(image);
        image = Orient(image, codec.EncodedOrigin);
        if (size is { } side) image = Fit(image, side);
        return image.contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Scales the shorter side of uint8 [C, H, W] to <paramref name="side"/> (bicubic, low-passed when shrinking) and cuts out the middle square.</summary>
    internal static Tensor Fit(Tensor image, int side)
    {
        using var scope = NewDisposeScope();
        long height = image.shape[1], width = image.shape[2], shorter = Math.Min(height, width);
        if (shorter != side)
        {
            (height, width) = (Math.Max(side, (long)Math.Round((double)height * side / shorter)), Math.Max(side, (long)Math.Round((double)width * side / shorter)));
            image = interpolate(image.to(ScalarType.Float32).unsqueeze(0), [height, width], mode: TorchSharp.torch.InterpolationMode.Bicubic, align_corners: false, antialias: true)
                .squeeze(0).round().clamp(0, 255).to(ScalarType.Byte);
        }
        return image.narrow(1, (height - side) / 2, side).narrow(2, (width - side) / 2, side).contiguous().MoveToOuterDisposeScope();
    }

    // BT.601
    private static Tensor Luma(Tensor rgb) =>
        (rgb.to(ScalarType.Float32) * tensor(new[] { 0.299f, 0.587f, 0.114f }).view(3, 1, 1)).sum([0L], keepdim: true).round().to(ScalarType.Byte);

    private static Tensor Orient(Tensor image, SKEncodedOrigin origin) => origin switch
    {
        SKEncodedOrigin.TopRight => image.flip(2),
        SKEncodedOrigin.BottomRight => image.flip(1, 2),
        SKEncodedOrigin.BottomLeft => image.flip(1),
        SKEncodedOrigin.LeftTop => image.transpose(1, 2),
        SKEncodedOrigin.RightTop => image.transpose(1, 2).flip(2),
        SKEncodedOrigin.RightBottom => image.transpose(1, 2).flip(1, 2),
        SKEncodedOrigin.LeftBottom => image.transpose(1, 2).flip(1),
        _ => image,
    };

    private static SKCodec Open(string path)
    {
        if (Directory.Exists(path)) throw new FileNotFoundException($"'{path}' is a folder, not an image file.", path);
        if (!File.Exists(path)) throw new FileNotFoundException($"No image file '{path}'.", path);
        var codec = SKCodec.Create(path, out var result) ?? throw new InvalidDataException($"{path}: not a PNG, JPEG, WebP or BMP image, or damaged ({result})");
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (width is > 0 and <= MaxSide && height is > 0 and <= MaxSide && (long)width * height <= MaxPixels) return codec;
        codec.Dispose();
        throw new InvalidDataException($"{path}: an image of {width}×{height} pixels is above the limit of {MaxSide} a side and {MaxPixels:N0} in all");
    }
}
