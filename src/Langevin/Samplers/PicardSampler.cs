using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// DDIM with the steps in parallel (Shih et al. 2023, "ParaDiGMS"): a window of the trajectory is guessed, all its steps are asked for
/// in one batch, and the guess is replaced until it does not change (Picard iteration). At tolerance 0 it gives what the
/// sequential sampler gives; fewer, larger batches suit a device that one sample does not fill.
/// </summary>
/// <param name="Window">Steps in a batch.</param>
/// <param name="Tolerance">
/// The mean squared change of a state, as a share of the square of the noise level it has lost since the window's start, below which it is accepted.
/// </param>
public sealed record PicardSampler(int Window = 16, double Tolerance = 1e-3)
{
    /// <summary>Runs all steps and returns the last state, the caller's to dispose.</summary>
    /// <param name="denoiser">The model; it must take a time for each sample.</param>
    /// <param name="x">The state at the first time, [N, ...].</param>
    /// <param name="grid">The times.</param>
    /// <param name="condition">What is asked for, of each of the N samples.</param>
    /// <param name="cancellation">Stops between iterations.</param>
    /// <returns>The result, and how many batches were asked for.</returns>
    public (Tensor X, int Iterations) Run(IDenoiser denoiser, Tensor x, TimeGrid grid, Condition? condition = null, CancellationToken cancellation = default)
    {
        if (Window < 1) throw new ArgumentOutOfRangeException(nameof(Window), Window, "A window holds at least one step.");
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var process = denoiser.Process;
        long n = x.shape[0];
        List<Tensor> states = [.. Enumerable.Repeat(x, Math.Min(Window, grid.Steps) + 1)]; // from the first unaccepted step on
        int begin = 0, iterations = 0;
        while (begin < grid.Steps)
        {
            cancellation.ThrowIfCancellationRequested();
            using var round = NewDisposeScope();
            int count = states.Count - 1;
            var times = Times.Each([.. Enumerable.Range(begin, count).SelectMany(i => Enumerable.Repeat(grid[i], (int)n))]);
            var asked = condition ?? Condition.None;
            var repeated = Enumerable.Repeat(asked, count - 1).Aggregate(asked, Condition.Cat);
            var said = denoiser.Denoise(cat(states.Take(count).ToArray(), 0), times, repeated);
            iterations++;
            Tensor[] x0 = said.X0.split(n, 0), epsilon = said.Epsilon.split(n, 0);

            // DDIM changes x/α by the change of σ/α times ε̂: the sum of the changes gives all states at once.
            List<Tensor> next = [states[0]];
            int accepted = 0;
            bool still = true;
            for (int i = 0; i < count; i++)
            {
                double t = grid[begin + i], s = grid[begin + i + 1];
                var step = process.Alpha(s) * x0[i] + process.Sigma(s) * epsilon[i];
                // The step of the old guess, moved to start from the new one.
                next.Add(i == 0 ? step : step + Carry(process, t, s) * (next[i] - states[i]));
                still = still && Unchanged(next[i + 1], states[i + 1], process, grid[begin], s);
                if (still || i == 0) accepted = i + 1;
            }
            begin += accepted;
            var old = states;
            states = [.. next.Skip(accepted)];
            foreach (var state in states) state.MoveToOuterDisposeScope();
            while (states.Count - 1 < Math.Min(Window, grid.Steps - begin)) states.Add(states[^1]);
            foreach (var state in old)
                if (!ReferenceEquals(state, x) && !states.Contains(state, ReferenceEqualityComparer.Instance)) state.Dispose();
        }
        return (states[0].alias().MoveToOuterDisposeScope(), iterations);
    }

    // What a change of x_t with ε̂ held still is at s.
    private static double Carry(GaussianProcess process, double t, double s) => process.Alpha(t) > 0 ? process.Alpha(s) / process.Alpha(t) : 0;

    private bool Unchanged(Tensor now, Tensor before, GaussianProcess process, double start, double s)
    {
        using var scope = NewDisposeScope();
        double lost = process.Sigma(start) - process.Sigma(s), worst = (now - before).flatten(1).square().mean([1L]).max().to(ScalarType.Float64).item<double>();
        return worst <= Tolerance * Tolerance * lost * lost;
    }
}
