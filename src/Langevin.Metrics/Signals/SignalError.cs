using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>What the percentage root-mean-square difference divides by.</summary>
public enum DifferenceBase
{
    /// <summary>
    /// Σ (ŷ − ȳ)², ŷ the estimate and ȳ one mean over all reference signals given: what the code of DeepFilter computes and the
    /// ECG papers after it report (DeScoD-ECG). It depends on which signals are judged together.
    /// </summary>
    Estimate,

    /// <summary>Σ y²: the difference relative to the reference as it is, offset included.</summary>
    Reference,

    /// <summary>Σ (y − ȳ)², ȳ the signal's own mean: the normalised difference (PRDN), blind to the reference's offset.</summary>
    Centred,
}

/// <summary>Errors of signals [N, ...] against their references, each [N] in float64.</summary>
public static class SignalError
{
    /// <summary>Sum of squared differences (SSD).</summary>
    /// <param name="reference">[N, ...].</param>
    /// <param name="estimate">[N, ...].</param>
    public static Tensor SumOfSquares(Tensor reference, Tensor estimate) => Of(reference, estimate, (y, e) => (y - e).square().sum([1]));

    /// <summary>Maximum absolute deviation (MAD).</summary>
    /// <inheritdoc cref="SumOfSquares" path="/param"/>
    public static Tensor MaximumAbsolute(Tensor reference, Tensor estimate) => Of(reference, estimate, (y, e) => (y - e).abs().amax([1]));

    /// <summary>Percentage root-mean-square difference (PRD), 100 √(Σ (y − ŷ)² / base).</summary>
    /// <param name="reference">[N, ...].</param>
    /// <param name="estimate">[N, ...].</param>
    /// <param name="relativeTo">The base; papers differ, so name it.</param>
    /// <returns>In per cent; not finite where the base is 0.</returns>
    public static Tensor PercentageRootMeanSquare(Tensor reference, Tensor estimate, DifferenceBase relativeTo = DifferenceBase.Reference) =>
        Of(reference, estimate, (y, e) =>
        {
            var size = relativeTo switch
            {
                DifferenceBase.Estimate => e - y.mean(),
                DifferenceBase.Reference => y,
                DifferenceBase.Centred => y - y.mean([1], keepdim: true),
                _ => throw new ArgumentOutOfRangeException(nameof(relativeTo), relativeTo, "unknown base"),
            };
            return ((y - e).square().sum([1]) / size.square().sum([1])).sqrt() * 100;
        });

    /// <summary>Cosine of the angle between the signals, from −1 to 1; 0 where one of them is 0 throughout.</summary>
    /// <inheritdoc cref="SumOfSquares" path="/param"/>
    public static Tensor CosineSimilarity(Tensor reference, Tensor estimate) => Of(reference, estimate, (y, e) =>
    {
        var norms = (y.square().sum([1]) * e.square().sum([1])).sqrt();
        return where(norms.gt(0), (y * e).sum([1]) / norms, zeros_like(norms));
    });

    /// <summary>Signal-to-noise ratio 10 log₁₀(Σ y² / Σ (y − ŷ)²) in dB; infinite for equal signals.</summary>
    /// <inheritdoc cref="SumOfSquares" path="/param"/>
    public static Tensor SignalToNoise(Tensor reference, Tensor estimate) => Of(reference, estimate, Ratio);

    /// <summary>
    /// Scale-invariant signal-to-distortion ratio (SI-SDR) in dB: the signal-to-noise ratio to the multiple of the reference that
    /// lies nearest to the estimate (Le Roux et al. 2019, ICASSP, equation 3).
    /// </summary>
    /// <param name="reference">[N, ...], none of them 0 throughout.</param>
    /// <param name="estimate">[N, ...].</param>
    /// <param name="centred">Take the mean off both first, as the paper assumes of its signals.</param>
    /// <exception cref="ArgumentException">A reference is silent (0 throughout, or constant where centred).</exception>
    public static Tensor ScaleInvariantDistortion(Tensor reference, Tensor estimate, bool centred = false) => Of(reference, estimate, (y, e) =>
    {
        if (centred) (y, e) = (y - y.mean([1], keepdim: true), e - e.mean([1], keepdim: true));
        var power = y.square().sum([1], keepdim: true);
        if (power.le(0).any().item<bool>()) throw new ArgumentException("a silent reference has no direction to project on: leave it out", nameof(reference));
        return Ratio((y * e).sum([1], keepdim: true) / power * y, e);
    });

    private static Tensor Ratio(Tensor signal, Tensor estimate) =>
        (signal.square().sum([1]) / (signal - estimate).square().sum([1])).log10() * 10;

    private static Tensor Of(Tensor reference, Tensor estimate, Func<Tensor, Tensor, Tensor> error) => WrappedTensorDisposeScope(() =>
    {
        var (y, e) = Waves.Rows(reference, estimate);
        return error(y, e);
    });
}
