using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// CFG-Zero* (Fan et al. 2025), in the velocity: s u + w (c − s u) with the s that makes s u closest to c in each sample,
/// s = ⟨c, u⟩/‖u‖², and no velocity at all in the first steps, where a flow knows least.
/// </summary>
/// <remarks>Which steps are the first follows from the run's grid, so that part works only through a sampler.</remarks>
/// <param name="Inner">A denoiser that knows the unconditional case.</param>
/// <param name="Scale">w.</param>
/// <param name="ZeroSteps">Steps of the grid that stand still; 0 for none.</param>
/// <param name="Interval">Where guidance acts; everywhere if not given.</param>
public sealed record CfgZeroStar(IDenoiser Inner, double Scale, int ZeroSteps = 1, Interval? Interval = null) : DenoiserDecorator(Inner)
{
    /// <summary>w.</summary>
    public double Scale { get; } = Asked.Finite(Scale, nameof(Scale));

    /// <summary>Steps of the grid that stand still.</summary>
    public int ZeroSteps { get; } = ZeroSteps >= 0 ? ZeroSteps : throw new ArgumentOutOfRangeException(nameof(ZeroSteps), ZeroSteps, "The number of steps that stand still is 0 or more.");

    private DenoisingRun? Run { get; init; }

    /// <inheritdoc/>
    public override IDenoiser Begin(DenoisingRun run) => this with { Inner = Inner.Begin(run), Run = run };

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        if (StandsStill(t)) return new(PredictionKind.Velocity, zeros_like(x), x, Process, t);
        var weight = Asked.Weight(Process, t, Scale, Interval);
        if (weight.All(w => w == 1)) return Inner.Denoise(x, t, condition);
        using var scope = NewDisposeScope();
        var (c, u) = Asked.Pair(Inner, x, t, condition);
        var closest = PerSample.Along(c.Velocity, u.Velocity);
        return c.Kept(PredictionKind.Velocity, closest + weight.As(x) * (c.Velocity - closest));
    }

    private bool StandsStill(Times t)
    {
        if (ZeroSteps == 0) return false;
        if (Run is null) throw new InvalidOperationException("Standing still in the first steps needs to know the grid: sample through a Sampler, which begins a run, or set ZeroSteps to 0.");
        double end = Run.Times[Math.Min(ZeroSteps, Run.Times.Count - 1)];
        return t.All(u => u > end);
    }
}
