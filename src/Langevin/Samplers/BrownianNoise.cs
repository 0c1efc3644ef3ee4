using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// Noise as the increments of one Brownian path, which depends on the seed and the sample alone: whatever steps a solver makes, and
/// in whatever order it asks, it follows the same path. The path's clock is the signal-to-noise ratio e^(2λ), in which the reverse
/// SDE with a constant x̂_0 is solved exactly by an ancestral step of any length; it starts at pure noise.
/// </summary>
/// <remarks>
/// A Brownian tree (Li et al. 2020) over λ ∈ [−32, 32]: the value in the middle of an interval is drawn from the bridge between its
/// ends, with a seed that is the interval's own. Distributions are exact as long as no two times asked for lie within one leaf, of
/// width 4·10⁻⁶ in λ. A new time costs 25 draws; the last two are remembered. Calls of <see cref="Next"/> are independent draws.
/// </remarks>
public sealed class BrownianNoise : INoise, IDisposable
{
    private const double Span = 32;
    private const int Depth = 24;
    private const long Lowest = 1L << 40, Highest = 0; // nodes beside the tree's, which count from 1

    private readonly long seed, first;
    private readonly SeededNoise fresh;
    private readonly List<(double Lambda, Tensor Value)> recent = [];
    private Generator? generator;

    /// <summary>Paths for the samples first, first + 1, ... of a seed.</summary>
    public BrownianNoise(long seed, long first = 0) => (this.seed, this.first, fresh) = (seed, first, new(seed, first));

    /// <inheritdoc/>
    public Tensor Next(Tensor like) => fresh.Next(like);

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">λ does not grow, or passes 32 (σ/α below 10⁻¹⁴).</exception>
    public Tensor Over(Tensor like, double from, double to)
    {
        if (!(to > from)) throw new ArgumentOutOfRangeException(nameof(to), to, $"The path runs towards data: λ must grow, and began at {from}.");
        using var scope = NewDisposeScope();
        var increment = Remembered(like, to) - Remembered(like, from);
        return (increment / Math.Sqrt(Clock(to) - Clock(from))).MoveToOuterDisposeScope();
    }

    /// <summary>The path W at λ, shaped as <paramref name="like"/>: N(0, e^(2λ)), with independent increments.</summary>
    public Tensor At(Tensor like, double lambda)
    {
        if (!(lambda <= Span)) throw new ArgumentOutOfRangeException(nameof(lambda), lambda, $"The path ends at λ = {Span}, where σ/α is 1e-14.");
        using var scope = NewDisposeScope();
        double low = -Span, high = Span;
        var atLow = Math.Exp(Math.Min(lambda, low)) * Draw(like, Lowest);
        if (lambda <= low) return atLow.MoveToOuterDisposeScope();
        var atHigh = atLow + Math.Sqrt(Clock(high) - Clock(low)) * Draw(like, Highest);
        long node = 1;
        for (int level = 0; level < Depth; level++)
        {
            double middle = 0.5 * (low + high);
            var value = Bridge(middle);
            if (lambda < middle) (high, atHigh, node) = (middle, value, 2 * node);
            else (low, atLow, node) = (middle, value, 2 * node + 1);
        }
        return Bridge(lambda).MoveToOuterDisposeScope();

        // W at u given its values at the ends.
        Tensor Bridge(double u)
        {
            double share = double.ExpM1(2 * (u - low)) / double.ExpM1(2 * (high - low));
            double variance = share * Clock(u) * double.ExpM1(2 * (high - u));
            return atLow.lerp(atHigh, share) + Math.Sqrt(variance) * Draw(like, node);
        }
    }

    /// <summary>Forgets the values that are remembered.</summary>
    public void Dispose()
    {
        foreach (var (_, value) in recent) value.Dispose();
        recent.Clear();
        generator?.Dispose();
        generator = null;
    }

    private static double Clock(double lambda) => Math.Exp(2 * lambda);

    // A step ends where the next begins.
    private Tensor Remembered(Tensor like, double lambda)
    {
        foreach (var (at, value) in recent)
            if (at == lambda && value.dtype == like.dtype && value.device == like.device && value.shape.SequenceEqual(like.shape)) return value;
        var fresh = At(like, lambda);
        recent.Insert(0, (lambda, fresh.alias().DetachFromDisposeScope()));
        if (recent.Count > 2)
        {
            recent[2].Value.Dispose();
            recent.RemoveAt(2);
        }
        return fresh;
    }

    private Tensor Draw(Tensor like, long node)
    {
        var noise = empty_like(like);
        using var scope = NewDisposeScope();
        generator ??= new Generator(0, like.device);
        for (int i = 0; i < like.shape[0]; i++)
        {
            generator.manual_seed((long)SeededNoise.Mix((long)SeededNoise.Mix(~seed, first + i), node));
            noise[i].normal_(0, 1, generator);
        }
        return noise;
    }
}
