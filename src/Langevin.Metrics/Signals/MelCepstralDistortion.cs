using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>
/// The mel-cepstral distortion in dB: (10 √2 / ln 10) √(Σ (c_m − c′_m)²) of a frame, c₀ left out, averaged over frames (Kubichek
/// 1993, IEEE PacRim). With c_m the cosine series of the log amplitude it is the root-mean-square difference of the spectra in dB.
/// </summary>
public static class MelCepstralDistortion
{
    private static readonly double Scale = 10 / Math.Log(10) * Math.Sqrt(2);

    /// <summary>Distortion of cepstra whose frames belong together, [N], float64.</summary>
    /// <param name="reference">[N, F, C + 1], c₀ first, e.g. of <see cref="MelCepstrum"/>.</param>
    /// <param name="estimate">The same shape.</param>
    public static Tensor Between(Tensor reference, Tensor estimate)
    {
        Check(reference, 3, nameof(reference));
        Check(estimate, 3, nameof(estimate));
        Require.SameShape(reference, estimate);
        return WrappedTensorDisposeScope(() =>
        {
            const int last = 2;
            long count = reference.size(last) - 1;
            var difference = reference.to(float64).narrow(last, 1, count) - estimate.to(float64, reference.device).narrow(last, 1, count);
            return difference.square().sum([last]).sqrt().mean([1]) * Scale;
        });
    }

    /// <summary>
    /// Distortion of two utterances of one text at different pace: the mean over the steps of the alignment that
    /// <see cref="TimeWarping"/> finds for the distances without c₀.
    /// </summary>
    /// <param name="reference">[F, C + 1], c₀ first.</param>
    /// <param name="estimate">[G, C + 1].</param>
    public static double Aligned(Tensor reference, Tensor estimate)
    {
        Check(reference, 2, nameof(reference));
        Check(estimate, 2, nameof(estimate));
        Require.SameWidth(reference, estimate);
        using var scope = NewDisposeScope();
        Tensor Shape(Tensor c) => c.detach().to(float64, reference.device).narrow(1, 1, c.size(1) - 1).contiguous();
        var cost = cdist(Shape(reference), Shape(estimate), 2, TorchSharp.compute_mode.donot_use_mm_for_euclid_dist).cpu();
        var path = TimeWarping.Path(cost);
        return cost.flatten().index_select(0, path.select(1, 0) * cost.size(1) + path.select(1, 1)).mean().item<double>() * Scale;
    }

    private static void Check(Tensor cepstra, int dimensions, string name)
    {
        ArgumentNullException.ThrowIfNull(cepstra, name);
        if (cepstra.dim() != dimensions || cepstra.numel() == 0 || cepstra.size(dimensions - 1) < 2)
            throw new ArgumentException($"expected cepstra {(dimensions == 3 ? "[N, F, C + 1]" : "[F, C + 1]")} with c₀ first, got {Require.Shape(cepstra)}", name);
        if (!cepstra.is_floating_point()) throw new ArgumentException($"expected floating-point values, got {cepstra.dtype}", name);
        Require.Finite(cepstra, name);
    }
}
