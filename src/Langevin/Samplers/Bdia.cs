using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// BDIA (Zhang et al. 2024): DDIM made exactly invertible. A step goes from x_t to x_s by DDIM and adds γ times the difference
/// between the state before x_t and DDIM's step back to it, so that of three neighbouring states any end follows from the other two,
/// with no error but rounding.
/// </summary>
/// <param name="Gamma">γ in (0, 1]: 1 is the time-symmetric rule.</param>
public sealed record Bdia(double Gamma = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Gamma is not (> 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(Gamma), Gamma, "γ lies in (0, 1].");
        Tensor? before = null;
        double above = 0;
        return (x, t, s) =>
        {
            var said = run.Denoise(x, t);
            var next = At(said.X0, said.Epsilon, run.Process, s);
            if (before is not null) next += Gamma * (before - At(said.X0, said.Epsilon, run.Process, above));
            (before, above) = (run.Keep(x, before), t);
            return next;
        };
    }

    /// <summary>
    /// Inverts a run exactly: from its last two states to its first.
    /// </summary>
    /// <param name="denoiser">The denoiser of the run.</param>
    /// <param name="last">The state at the grid's last time, [N, ...].</param>
    /// <param name="previous">The state at the time before.</param>
    /// <param name="grid">The grid of the run.</param>
    /// <param name="condition">The condition of the run.</param>
    /// <returns>The state at the grid's first time; it is the caller's.</returns>
    public Tensor Invert(Denoisers.IDenoiser denoiser, Tensor last, Tensor previous, TimeGrid grid, Condition? condition = null)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var (after, x) = (last.alias(), previous.alias());
        for (int i = grid.Steps - 1; i > 0; i--)
        {
            // x_s = D_s + γ (x_above − D_above) solved for x_above.
            using var step = NewDisposeScope();
            var said = denoiser.Denoise(x, grid[i], condition ?? Condition.None);
            var above = At(said.X0, said.Epsilon, denoiser.Process, grid[i - 1]) + (after - At(said.X0, said.Epsilon, denoiser.Process, grid[i + 1])) / Gamma;
            (after, x) = (x, above.MoveToOuterDisposeScope());
        }
        return x.MoveToOuterDisposeScope();
    }

    private static Tensor At(Tensor x0, Tensor epsilon, GaussianProcess process, double t) => process.Alpha(t) * x0 + process.Sigma(t) * epsilon;
}
