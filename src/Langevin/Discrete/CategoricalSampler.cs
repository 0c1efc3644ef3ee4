using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Discrete;

/// <summary>
/// Draws states from noise, by the reverse steps of the model's belief, or, under chains that forget, by the implicit ones
/// x_s ~ Cat(κ x_t + (ᾱ_s − κ ᾱ_t) p(x_0)) with κ = (1 − ᾱ_s)/(1 − ᾱ_t), which keep the marginals and redraw less (Song et al. 2021,
/// appendix A; Chen et al. 2023, BerDiff, equation 9).
/// </summary>
/// <param name="Implicit">Whether steps are implicit.</param>
public sealed record CategoricalSampler(bool Implicit = false)
{
    /// <summary>Even steps from the last of T down, and then data: −1.</summary>
    /// <param name="of">T.</param>
    /// <param name="count">How many, at most T.</param>
    public static int[] Grid(int of, int count)
    {
        if (count < 1 || count > of) throw new ArgumentOutOfRangeException(nameof(count), count, $"From {of} steps 1 to {of} can be taken.");
        return [.. Enumerable.Range(0, count).Select(i => (int)Math.Round((double)of * (count - i) / count) - 1), -1];
    }

    /// <summary>Goes through the steps of a grid.</summary>
    /// <param name="denoiser">The model.</param>
    /// <param name="start">int64 [N, ...], noise at the grid's first step.</param>
    /// <param name="grid">Steps, descending, the last −1.</param>
    /// <param name="noise">Where draws come from.</param>
    /// <param name="condition">What is asked for.</param>
    /// <param name="likelihood">
    /// r(x_0) [N, ..., K] that every belief is multiplied with, as known elements: 1 for what was seen, 0 for the rest (Sohl-Dickstein et al.
    /// 2015, section 2.5); null for none.
    /// </param>
    /// <param name="mean">Whether the last step gives the belief itself, float [N, ..., K], in place of a draw.</param>
    /// <param name="progress">Told the share that is done.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>int64 [N, ...], or the belief.</returns>
    public Tensor Run(ICategoricalDenoiser denoiser, Tensor start, IReadOnlyList<int> grid, INoise noise, Condition? condition = null,
        Tensor? likelihood = null, bool mean = false, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(grid);
        if (grid.Count < 2 || grid[^1] != -1 || grid.Zip(grid.Skip(1)).Any(p => p.First <= p.Second)) throw new ArgumentException("A grid descends and ends with −1.", nameof(grid));
        if (Implicit && !denoiser.Process.Forgets) throw new ArgumentException("Implicit steps need the uniform or the absorbing chain.", nameof(denoiser));
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var x = start.clone();
        for (int i = 0; i < grid.Count - 1; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var belief = denoiser.LogProbabilities(x, full([x.size(0)], grid[i], ScalarType.Int64, x.device), condition ?? Condition.None).exp();
            if (likelihood is not null) belief = belief * likelihood / (belief * likelihood).sum([-1L], keepdim: true).clamp_min(1e-30);
            bool last = i == grid.Count - 2;
            if (last && mean) return belief.MoveToOuterDisposeScope().MoveToOuterDisposeScope();
            var next = Implicit ? ImplicitStep(denoiser.Process, x, belief, grid[i + 1], grid[i]) : denoiser.Process.Posterior(x, belief, grid[i + 1], grid[i]);
            x = CategoricalProcess.Draw(next, noise).MoveToOuterDisposeScope();
            progress?.Invoke((i + 1.0) / (grid.Count - 1));
        }
        return x.MoveToOuterDisposeScope();
    }

    private static Tensor ImplicitStep(CategoricalProcess process, Tensor x, Tensor belief, int s, int t)
    {
        double alphaS = process.AlphaCumprod(s), alphaT = process.AlphaCumprod(t), kappa = (1 - alphaS) / (1 - alphaT);
        return kappa * process.OneHot(x) + (alphaS - kappa * alphaT) * belief;
    }
}
