using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>
/// The path that diffusers' DPMSolverSDEScheduler draws from: torchsde's Brownian tree over σ, cut in halves down to 10⁻⁶. The middle of a
/// piece follows from its ends by a draw of torch, whose seed is numpy's of the place in the tree.
/// </summary>
/// <param name="sigmas">The grid's levels, descending, 0 last.</param>
/// <param name="seed">The seed, below 2³².</param>
internal sealed class BrownianTree(double[] sigmas, uint seed) : INoise
{
    private const int Pool = 24;
    // All that the reference works out of a level is in single precision, by torch's own log and exp.
    private readonly float[] levels = [.. sigmas.Select(s => (float)s)];

    public Tensor Next(Tensor like) => throw new InvalidOperationException("A path is asked for the noise between two levels.");

    public Tensor Over(Tensor like, double from, double to)
    {
        using var scope = NewDisposeScope();
        int at = Enumerable.Range(0, levels.Length - 1).MinBy(i => Math.Abs(levels[i] - Math.Exp(-from)));
        Tensor Time(float level) => tensor(level).log().neg();
        float Level(Tensor time) => time.neg().exp().item<float>();
        Tensor start = Time(levels[at]), end = Time(levels[at + 1]);
        bool whole = Math.Abs(levels[at + 1] - Math.Exp(-to)) < 1e-4 * levels[at + 1];
        float high = Level(start), low = Level(whole ? end : start + (end - start) * 0.5);
        double lowest = Rounded(levels[^2]), highest = Rounded(levels[0]);
        var all = Math.Sqrt(highest - lowest) * Draw(like, FirstState(null));
        var increment = Increment(like, all, lowest, highest, 0, 0, Math.Clamp(Rounded(low), lowest, highest), Math.Clamp(Rounded(high), lowest, highest));
        return (-increment / Math.Sqrt(high - low)).to(like.dtype).MoveToOuterDisposeScope();
    }

    // W over [a, b] inside [start, end], of which W is known.
    private Tensor Increment(Tensor like, Tensor known, double start, double end, uint place, uint depth, double a, double b)
    {
        if (a == start && b == end) return known;
        double middle = Rounded(0.5 * (end + start)), width = end - start;
        var left = (middle - start) / width * known + Math.Sqrt((middle - start) * (end - middle) / width) * Draw(like, FirstState([place, depth]));
        Tensor Left(double to) => Increment(like, left, start, middle, 2 * place, depth + 1, a, to);
        Tensor Right(double from) => Increment(like, known - left, middle, end, 2 * place + 1, depth + 1, from, b);
        return b <= middle ? Left(b) : a >= middle ? Right(a) : Left(middle) + Right(middle);
    }

    private static double Rounded(double level) => Math.Round(level, 6);

    private static Tensor Draw(Tensor like, uint seed)
    {
        using var generator = new Generator(seed);
        return randn(like.shape, ScalarType.Float32, generator: generator).to(ScalarType.Float64);
    }

    // numpy.random.SeedSequence(seed, spawn_key=key, pool_size=24).generate_state(1), after O'Neill's seed_seq.
    private uint FirstState(uint[]? key)
    {
        uint[] entropy = key is null ? [seed] : [seed, .. new uint[Pool - 1], .. key], pool = new uint[Pool];
        uint constant = 0x43b0d7e5;
        uint Hash(uint value)
        {
            value ^= constant;
            constant *= 0x931e8875;
            value *= constant;
            return value ^ (value >> 16);
        }
        static uint Mix(uint x, uint y)
        {
            uint mixed = 0xca01f9dd * x - 0x4973f715 * y;
            return mixed ^ (mixed >> 16);
        }
        for (int i = 0; i < Pool; i++) pool[i] = Hash(i < entropy.Length ? entropy[i] : 0);
        for (int from = 0; from < Pool; from++)
            for (int to = 0; to < Pool; to++)
                if (from != to) pool[to] = Mix(pool[to], Hash(pool[from]));
        for (int from = Pool; from < entropy.Length; from++)
            for (int to = 0; to < Pool; to++) pool[to] = Mix(pool[to], Hash(entropy[from]));
        uint word = pool[0] ^ 0x8b51f9dd;
        word *= unchecked(0x8b51f9ddu * 0x58f38dedu);
        return word ^ (word >> 16);
    }
}
