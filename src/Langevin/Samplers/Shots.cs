using Langevin.Denoisers;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// Several samples for one condition: their mean is the estimate with the least squared error (Li et al. 2022, DeScoD-ECG, "multi-shot
/// averaging"), their median the one with the least absolute error, and their spread says how sure it is.
/// </summary>
public static class Shots
{
    /// <summary>Draws samples from noise, batches side by side on the cores.</summary>
    /// <param name="denoiser">The denoiser.</param>
    /// <param name="sampler">The sampler.</param>
    /// <param name="grid">The times.</param>
    /// <param name="condition">What is known of each of the N items.</param>
    /// <param name="count">N.</param>
    /// <param name="shots">M, samples of each.</param>
    /// <param name="itemShape">Shape of one sample.</param>
    /// <param name="seed">Shot m of item i depends on it, m, i and N alone: M shots begin with what fewer would have been.</param>
    /// <param name="batchSize">The most in a batch.</param>
    /// <param name="progress">Told the share done.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <returns>[M, N, ...], the caller's.</returns>
    public static Tensor Draw(IDenoiser denoiser, Sampler sampler, TimeGrid grid, Condition condition, int count, int shots, IReadOnlyList<long> itemShape, long seed,
        int batchSize = 64, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(shots, 1);
        using var flat = Batches.Draw((first, length) => new(denoiser, sampler, condition.Take(arange(first, first + length, ScalarType.Int64).remainder(count))),
            checked(count * shots), batchSize, itemShape, grid, seed, progress: progress, cancellation: cancellation).Samples;
        return flat.view([shots, count, .. itemShape]);
    }
}
