using Langevin.Denoisers;
using Langevin.Processes;

namespace Langevin.Samplers;

/// <summary>
/// Ancestral steps (Ho et al. 2020, algorithm 2) at times of each sample's own, as a schedule that reads the condition gives them. The grid that it is run
/// on says where they begin and how many there are.
/// </summary>
/// <param name="Times">One for each time of the grid, each with a time for every sample of the batch, falling from entry to entry.</param>
public sealed record OwnTimes(IReadOnlyList<Times> Times) : Sampler
{
    /// <summary>A grid to run it on: the first sample's times.</summary>
    public TimeGrid Grid => new(Times.Select(t => t[0]));

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The grid has another number of steps.</exception>
    public override Step Begin(SamplingRun run)
    {
        if (run.Grid.Steps != Times.Count - 1) throw new ArgumentException($"The grid has {run.Grid.Steps} steps; there are times for {Times.Count - 1}.", nameof(run));
        return (x, _, _) =>
        {
            Times s = Times[run.Index + 1];
            var kernel = ReverseKernel.Of(run.Denoise(x, Times[run.Index]), s);
            return s.All(u => run.Process.Sigma(u) > 0) ? kernel.Draw(run.Noise(x)) : kernel.Mean;
        };
    }
}
