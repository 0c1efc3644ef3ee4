using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// Noise as the increments of one Brownian path, which depends on the seed and the sample alone: whatever steps a solver makes, and
/// in whatever order it asks, it follows the same path. The path's clock is the signal-to-noise ratio e^(2λ), in which the reverse
/// SDE with a constant x̂_0 is solved exactly by an ancestral step of any length; it starts at pure noise.
/// </summary>
/// <remarks>
/// A Brownian tree (Li et al. 2020) over λ ∈ [−16, 16]: the value in the middle of an interval is drawn from the bridge between its
/// ends, with a seed that is the interval's own. Distributions are exact as long as no two times asked for lie within one leaf, of
/// width 3·10⁻⁵ in λ. A new time costs up to 23 draws, fewer the nearer it is to the one before, whose way down the tree is remembered.
/// Calls of <see cref="Next"/> are independent draws.
/// </remarks>
public sealed class BrownianNoise : INoise, IDisposable
{
    private const double Span = 16;
    private const int Depth = 20;
    private const long Lowest = 1L << 40, Highest = 0; // nodes beside the tree's, which count from 1

    private readonly long seed, first;
    private readonly SeededNoise fresh;
    private Dictionary<long, Tensor> known = []; // W in the middle of the intervals that the last time lies in, and at the tree's ends
    private Generator? generator;
    private string? place;

    /// <summary>Paths for the samples first, first + 1, ... of a seed.</summary>
    public BrownianNoise(long seed, long first = 0) => (this.seed, this.first, fresh) = (seed, first, new(seed, first));

    /// <inheritdoc/>
    public Tensor Next(Tensor like) => fresh.Next(like);

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">λ does not grow; the path ends at λ = 16, where σ/α is 10⁻⁷.</exception>
    public Tensor Over(Tensor like, double from, double to)
    {
        to = Math.Min(to, Span);
        if (!(to > from)) throw new ArgumentOutOfRangeException(nameof(to), to, $"The path runs towards data, to λ = {Span}: λ must grow, and began at {from}.");
        using var scope = NewDisposeScope();
        return ((At(like, to) - At(like, from)) / Math.Sqrt(Clock(to) - Clock(from))).MoveToOuterDisposeScope();
    }

    /// <summary>The path W at λ, shaped as <paramref name="like"/>: N(0, e^(2λ)), with independent increments.</summary>
    public Tensor At(Tensor like, double lambda)
    {
        if (!(lambda <= Span)) throw new ArgumentOutOfRangeException(nameof(lambda), lambda, $"The path ends at λ = {Span}, where σ/α is 1e-7.");
        using var scope = NewDisposeScope();
        Dictionary<long, Tensor> way = [];
        double low = -Span, high = Span;
        if (lambda <= low) return (Math.Exp(lambda) * Draw(like, Lowest)).MoveToOuterDisposeScope();
        var atLow = Known(Lowest, () => Math.Exp(low) * Draw(like, Lowest));
        var atHigh = Known(Highest, () => atLow + Math.Sqrt(Clock(high) - Clock(low)) * Draw(like, Highest));
        long node = 1;
        for (int level = 0; level < Depth; level++)
        {
            double middle = 0.5 * (low + high);
            var value = Known(node, () => Bridge(middle));
            if (lambda < middle) (high, atHigh, node) = (middle, value, 2 * node);
            else (low, atLow, node) = (middle, value, 2 * node + 1);
        }
        var result = Bridge(lambda).MoveToOuterDisposeScope();
        Forget();
        known = way;
        return result;

        // W at u given its values at the ends.
        Tensor Bridge(double u)
        {
            double share = double.ExpM1(2 * (u - low)) / double.ExpM1(2 * (high - low));
            double variance = share * Clock(u) * double.ExpM1(2 * (high - u));
            return atLow.lerp(atHigh, share) + Math.Sqrt(variance) * Draw(like, node);
        }

        Tensor Known(long at, Func<Tensor> draw)
        {
            bool there = known.Remove(at, out var value);
            if (there && !(value!.dtype == like.dtype && value.device == like.device && value.shape.SequenceEqual(like.shape)))
            {
                value.Dispose();
                there = false;
            }
            return way[at] = there ? value! : draw().DetachFromDisposeScope();
        }
    }

    /// <summary>Forgets the values that are remembered.</summary>
    public void Dispose()
    {
        Forget();
        generator?.Dispose();
        generator = null;
    }

    private void Forget()
    {
        foreach (var value in known.Values) value.Dispose();
        known = [];
    }

    private static double Clock(double lambda) => Math.Exp(2 * lambda);

    private Tensor Draw(Tensor like, long node)
    {
        var noise = empty_like(like);
        using var scope = NewDisposeScope();
        if (generator is null || place != like.device.ToString())
        {
            generator?.Dispose();
            (generator, place) = (new Generator(0, like.device), like.device.ToString());
        }
        for (int i = 0; i < like.shape[0]; i++)
        {
            generator.manual_seed((long)SeededNoise.Mix((long)SeededNoise.Mix(~seed, first + i), node));
            noise[i].normal_(0, 1, generator);
        }
        return noise;
    }
}
