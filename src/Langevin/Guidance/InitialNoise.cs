using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>Editing the noise that samples start from: what comes out changes as the noise does, and stays a sample as long as the noise stays normal.</summary>
public static class InitialNoise
{
    /// <summary>
    /// Spherical interpolation of each sample (Song et al. 2021, appendix D.5): sin((1−s)θ)/sin θ a + sin(sθ)/sin θ b, θ the angle between them.
    /// </summary>
    /// <param name="a">[N, ...].</param>
    /// <param name="b">Shaped as a.</param>
    /// <param name="share">s: 0 is a, 1 is b.</param>
    public static Tensor Slerp(Tensor a, Tensor b, double share)
    {
        if (!a.shape.SequenceEqual(b.shape)) throw new ArgumentException($"The noises are [{string.Join(", ", a.shape)}] and [{string.Join(", ", b.shape)}]: they must be shaped alike.", nameof(b));
        using var scope = NewDisposeScope();
        var cosine = (PerSample.Dot(a, b) / (PerSample.Norm(a) * PerSample.Norm(b))).clamp(-1, 1);
        var angle = cosine.acos();
        var sine = angle.sin();
        // Along one line there is no arc; the straight way is its limit.
        var straight = sine.lt(1e-6);
        var divisor = where(straight, 1.0, sine);
        var ofA = where(straight, 1 - share, ((1 - share) * angle).sin() / divisor);
        var ofB = where(straight, share, (share * angle).sin() / divisor);
        return (ofA * a + ofB * b).MoveToOuterDisposeScope();
    }

    /// <summary>√(1 − s²) a + s b: standard normal again for independent a and b, a variation of a for small s.</summary>
    public static Tensor Vary(Tensor a, Tensor b, double share)
    {
        if (share is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "The share of the other noise lies in [0, 1].");
        using var scope = NewDisposeScope();
        return (Math.Sqrt(1 - share * share) * a + share * b).MoveToOuterDisposeScope();
    }
}
