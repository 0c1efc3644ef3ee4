using Langevin.Denoisers;
using Langevin.Processes;

namespace Langevin.Samplers;

/// <summary>
/// Ancestral steps (Ho et al. 2020, algorithm 2) at times of each sample's own, as a schedule that reads the condition gives them. The grid that it is run
/// on counts the steps and is not read otherwise.
/// </summary>
/// <param name="Times">One for each time of the grid, each with a time for every sample of the batch, falling from entry to entry.</param>
public sealed record OwnTimes(IReadOnlyList<Times> Times) : Sampler
{
    /// <summary>The grid that its steps are counted by: S, S − 1, …, 0.</summary>
    public TimeGrid Count => new(Enumerable.Range(0, Times.Count).Select(i => (double)(Times.Count - 1 - i)));

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
