using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// Adaptive projected guidance (Sadat et al. 2024, algorithm 1), in x_0: c + (w − 1) (d⊥ + η d∥), where d is the running sum
/// d ← (c − u) + β d, cut to the length r, and ∥ is along c. With η = 1, no limit and β = 0 it is classifier-free guidance.
/// </summary>
/// <remarks>The running sum lives in the run, so a momentum works only through a sampler.</remarks>
/// <param name="Inner">A denoiser that knows the unconditional case.</param>
/// <param name="Scale">w.</param>
/// <param name="Eta">η: what is kept of the part along the conditional x̂_0, which saturates; 0 as published.</param>
/// <param name="NormThreshold">r &gt; 0: the most ‖d‖ may be in each sample; no limit if not given.</param>
/// <param name="Momentum">β; negative as published (−0.5 or −0.75), 0 for none.</param>
/// <param name="Interval">Where guidance acts; everywhere if not given.</param>
public sealed record AdaptiveProjectedGuidance(IDenoiser Inner, double Scale, double Eta = 0, double NormThreshold = double.PositiveInfinity,
    double Momentum = 0, Interval? Interval = null) : DenoiserDecorator(Inner)
{
    private Tensor? sum;

    /// <summary>w.</summary>
    public double Scale { get; } = Asked.Finite(Scale, nameof(Scale));

    /// <summary>r.</summary>
    public double NormThreshold { get; } = NormThreshold > 0 ? NormThreshold
        : throw new ArgumentOutOfRangeException(nameof(NormThreshold), NormThreshold, "The limit of the guidance's norm must be positive; infinity is no limit.");

    /// <summary>β.</summary>
    public double Momentum { get; } = Momentum is > -1 and < 1 ? Momentum
        : throw new ArgumentOutOfRangeException(nameof(Momentum), Momentum, "The momentum lies in (−1, 1), or its sum grows without end.");

    private DenoisingRun? Run { get; init; }

    /// <inheritdoc/>
    public override IDenoiser Begin(DenoisingRun run) => this with { Inner = Inner.Begin(run), Run = run };

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var weight = Asked.Weight(Process, t, Scale, Interval);
        if (weight.All(w => w == 1)) return Inner.Denoise(x, t, condition);
        using var scope = NewDisposeScope();
        var (c, u) = Asked.Pair(Inner, x, t, condition);
        var difference = c.X0 - u.X0;
        if (Momentum != 0)
        {
            if (Run is null) throw new InvalidOperationException("Guidance with momentum remembers earlier steps: sample with it through a Sampler, which begins a run.");
            if (sum is not null) difference = difference + Momentum * sum;
            sum = Run.Keep(difference.detach(), instead: sum);
        }
        if (double.IsFinite(NormThreshold)) difference = difference * (NormThreshold / PerSample.Norm(difference)).clamp_max(1);
        if (Eta != 1) difference = difference + (Eta - 1) * PerSample.Along(difference, c.X0);
        return c.Kept(PredictionKind.X0, c.X0 + weight.Select(w => w - 1).As(x) * difference);
    }
}
