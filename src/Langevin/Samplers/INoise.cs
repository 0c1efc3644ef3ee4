using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>Where a sampler's standard normal noise comes from, draw by draw.</summary>
public interface INoise
{
    /// <summary>The next draw, shaped, typed and placed as <paramref name="like"/> [N, ...].</summary>
    Tensor Next(Tensor like);

    /// <summary>
    /// Standard normal noise that belongs to the stretch of the reverse process between two half log signal-to-noise ratios: a
    /// fresh draw, unless the source is a path.
    /// </summary>
    /// <param name="like">[N, ...].</param>
    /// <param name="from">λ = log(α/σ) where the stretch begins; −∞ is pure noise.</param>
    /// <param name="to">λ where it ends, above <paramref name="from"/>.</param>
    Tensor Over(Tensor like, double from, double to) => Next(like);
}

/// <summary>
/// Noise with a seed for each sample: sample i's draws depend on the seed and on i alone, not on the batch it sits in.
/// </summary>
public sealed class SeededNoise : INoise
{
    private readonly long seed, first;
    private readonly List<Generator> generators = [];

    /// <summary>Noise for the samples first, first + 1, ... of a seed.</summary>
    public SeededNoise(long seed, long first = 0) => (this.seed, this.first) = (seed, first);

    /// <inheritdoc/>
    public Tensor Next(Tensor like)
    {
        var noise = empty_like(like);
        using var scope = NewDisposeScope();
        for (int i = 0; i < like.shape[0]; i++)
        {
            if (i == generators.Count) generators.Add(new Generator(Mix(seed, first + i), like.device));
            noise[i].normal_(0, 1, generators[i]);
        }
        return noise;
    }

    /// <summary>A seed for item <paramref name="index"/> of a seed: splitmix64's finaliser, positive.</summary>
    public static ulong Mix(long seed, long index)
    {
        ulong z = unchecked((ulong)seed * 0xD1342543DE82EF95UL + (ulong)(index + 1) * 0x9E3779B97F4A7C15UL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return (z ^ (z >> 31)) & long.MaxValue;
    }
}

/// <summary>Plays recorded draws back in order; for exact comparison with another implementation.</summary>
public sealed class ReplayedNoise(IEnumerable<Tensor> draws) : INoise
{
    private readonly Queue<Tensor> queue = new(draws);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No draw is left, or the next one has another shape.</exception>
    public Tensor Next(Tensor like)
    {
        if (!queue.TryDequeue(out var draw)) throw new InvalidOperationException("The recorded noise is used up: the sampler draws more often than the recording did.");
        if (!draw.shape.SequenceEqual(like.shape))
            throw new InvalidOperationException($"The recorded draw is [{string.Join(", ", draw.shape)}], the sampler asks for [{string.Join(", ", like.shape)}].");
        return draw.to(like.dtype, like.device, copy: true);
    }
}
