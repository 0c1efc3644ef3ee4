using SkiaSharp;

namespace Langevin.Tests.Native;

/// <summary>Images must work where nothing but the .NET SDK is installed.</summary>
public class SkiaTests
{
    [Fact]
    public void Images_need_no_font_library_of_the_system()
    {
        using var bitmap = new SKBitmap(2, 1, SKColorType.Rgba8888, SKAlphaType.Opaque);
        bitmap.SetPixel(1, 0, new SKColor(10, 20, 30));
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        using var back = SKBitmap.Decode(png.ToArray());
        Assert.Equal(new SKColor(10, 20, 30), back.GetPixel(1, 0));
        if (!OperatingSystem.IsLinux()) Assert.Skip("Linux only");
        string maps = File.ReadAllText("/proc/self/maps");
        Assert.Contains("libSkiaSharp.so", maps);
        Assert.DoesNotContain("libfontconfig", maps);
        Assert.DoesNotContain("libfreetype", maps);
    }
}
