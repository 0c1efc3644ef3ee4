using static TorchSharp.torch;

namespace Langevin.Metrics.Images;

/// <summary>Perceived difference of colours, ΔE, in CIELAB under illuminant D65 and the 2° observer.</summary>
public static class ColorDifference
{
    private const double Pow25To7 = 6103515625; // 25⁷

    /// <summary>CIELAB of sRGB (IEC 61966-2-1): [N, 3, ...] with values in [0, 1] to L* in [0, 100], a*, b*; float64.</summary>
    public static Tensor Lab(Tensor rgb)
    {
        Check(rgb);
        return WrappedTensorDisposeScope(() =>
        {
            var v = rgb.to(float64);
            var linear = where(v.le(0.04045), v / 12.92, ((v + 0.055) / 1.055).clamp_min(0).pow(2.4));
            Tensor Channel(int c) => linear.select(1, c);
            // Rows of the sRGB matrix over the white point (0.95047, 1, 1.08883), which they sum to.
            Tensor Mix(double r, double g, double b) => F((Channel(0) * r + Channel(1) * g + Channel(2) * b) / (r + g + b));
            var (x, y, z) = (Mix(0.4124564, 0.3575761, 0.1804375), Mix(0.2126729, 0.7151522, 0.0721750), Mix(0.0193339, 0.1191920, 0.9503041));
            return stack([y * 116 - 16, (x - y) * 500, (y - z) * 200], 1);
        });
    }

    /// <summary>Mean ΔE*₇₆, the Euclidean distance in CIELAB, of each pair of sRGB images [N, 3, H, W] in [0, 1]: [N].</summary>
    public static Tensor Cie76(Tensor first, Tensor second) => Mean(first, second, Cie76OfLab);

    /// <summary>Mean ΔE₀₀ (CIEDE2000; Sharma, Wu and Dalal 2005) of each pair of sRGB images [N, 3, H, W] in [0, 1]: [N].</summary>
    public static Tensor Ciede2000(Tensor first, Tensor second) => Mean(first, second, Ciede2000OfLab);

    /// <summary>ΔE*₇₆ of colours [N, 3, ...] in CIELAB: [N, ...].</summary>
    public static Tensor Cie76OfLab(Tensor first, Tensor second)
    {
        Require.SameShape(first, second);
        Check(first);
        return WrappedTensorDisposeScope(() => (first.to(float64) - second.to(float64)).square().sum([1]).sqrt());
    }

    /// <summary>ΔE₀₀ of colours [N, 3, ...] in CIELAB, with kL = kC = kH = 1: [N, ...].</summary>
    public static Tensor Ciede2000OfLab(Tensor first, Tensor second)
    {
        Require.SameShape(first, second);
        Check(first);
        return WrappedTensorDisposeScope(() =>
        {
            Tensor Part(Tensor x, int c) => x.to(float64).select(1, c);
            var (l1, a1, b1) = (Part(first, 0), Part(first, 1), Part(first, 2));
            var (l2, a2, b2) = (Part(second, 0), Part(second, 1), Part(second, 2));
            Tensor Length(Tensor a, Tensor b) => (a.square() + b.square()).sqrt();
            // a* is stretched near the grey axis.
            var stretch = (1 - Seventh((Length(a1, b1) + Length(a2, b2)) / 2)) * 0.5 + 1;
            (a1, a2) = (a1 * stretch, a2 * stretch);
            var (c1, c2) = (Length(a1, b1), Length(a2, b2));
            var (h1, h2) = (Hue(a1, b1), Hue(a2, b2));
            var grey = (c1 * c2).eq(0);
            var turn = h2 - h1;
            turn = where(turn.gt(180), turn - 360, where(turn.lt(-180), turn + 360, turn)).masked_fill(grey, 0);
            var (dl, dc, dh) = (l2 - l1, c2 - c1, 2 * (c1 * c2).sqrt() * Sin(turn / 2));

            var (l, c) = ((l1 + l2) / 2, (c1 + c2) / 2);
            var sum = h1 + h2;
            var h = where(grey, sum, where((h1 - h2).abs().le(180), sum / 2, where(sum.lt(360), (sum + 360) / 2, (sum - 360) / 2)));
            var t = 1 - 0.17 * Cos(h - 30) + 0.24 * Cos(2 * h) + 0.32 * Cos(3 * h + 6) - 0.20 * Cos(4 * h - 63);
            var bright = (l - 50).square();
            var sl = 1 + 0.015 * bright / (20 + bright).sqrt();
            var (sc, sh) = (1 + 0.045 * c, 1 + 0.015 * c * t);
            // Chroma and hue interact among the blues.
            var rotation = -2 * Seventh(c) * Sin(60 * (((h - 275) / 25).square().neg()).exp());
            var (u, v, w) = (dl / sl, dc / sc, dh / sh);
            return (u.square() + v.square() + w.square() + rotation * v * w).clamp_min(0).sqrt();
        });
    }

    private static Tensor Mean(Tensor first, Tensor second, Func<Tensor, Tensor, Tensor> of)
    {
        Require.SameShape(first, second);
        return WrappedTensorDisposeScope(() => of(Lab(first), Lab(second)).flatten(1).mean([1]));
    }

    private static Tensor F(Tensor t) => where(t.gt(216.0 / 24389), t.clamp_min(0).pow(1.0 / 3), (t * (24389.0 / 27) + 16) / 116);

    /// <summary>√(c⁷ / (c⁷ + 25⁷)).</summary>
    private static Tensor Seventh(Tensor c) => (c.pow(7) / (c.pow(7) + Pow25To7)).sqrt();

    private static Tensor Hue(Tensor a, Tensor b)
    {
        var degrees = b.atan2(a) * (180 / Math.PI);
        return where(degrees.lt(0), degrees + 360, degrees);
    }

    private static Tensor Sin(Tensor degrees) => (degrees * (Math.PI / 180)).sin();

    private static Tensor Cos(Tensor degrees) => (degrees * (Math.PI / 180)).cos();

    private static void Check(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.dim() < 2 || x.size(1) != 3 || x.numel() == 0) throw new ArgumentException($"expected three channels [N, 3, ...], got {Require.Shape(x)}", nameof(x));
        if (!x.is_floating_point()) throw new ArgumentException($"expected floating-point values, got {x.dtype}", nameof(x));
    }
}
