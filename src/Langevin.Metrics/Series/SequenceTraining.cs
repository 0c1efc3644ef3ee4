using Langevin.Metrics.Judging;
using Langevin.Training;
using static TorchSharp.torch;

namespace Langevin.Metrics.Series;

/// <summary>What the two scores share: scaled data and a training loop.</summary>
internal static class SequenceTraining
{
    /// <summary>Both sets in float32, each channel scaled by the smallest and largest value of the real set to [0, 1] there.</summary>
    public static (Tensor real, Tensor synthetic) Scaled(Tensor real, Tensor synthetic)
    {
        Check(real, nameof(real));
        Check(synthetic, nameof(synthetic));
        if (!real.shape.AsSpan(1).SequenceEqual(synthetic.shape.AsSpan(1)))
            throw new ArgumentException($"sequences {Require.Shape(synthetic)} where the real set has {Require.Shape(real)}: all but the count must agree", nameof(synthetic));
        using var scope = NewDisposeScope();
        var x = real.detach().to(float64);
        var (low, high) = (x.amin([0, 1], keepdim: true), x.amax([0, 1], keepdim: true));
        var range = where(high.gt(low), high - low, ones_like(high));
        Tensor Scale(Tensor t) => ((t - low) / range).to(float32).MoveToOuterDisposeScope();
        return (Scale(x), Scale(synthetic.detach().to(float64, x.device)));
    }

    /// <summary>Adam on the losses of random batches; equal seeds and thread counts give equal weights.</summary>
    public static void Fit(
        SequenceNetwork network, Func<Tensor> loss, int steps, double rate, string stage, IProgress<JudgeProgress>? progress, CancellationToken cancel)
    {
        using var all = NewDisposeScope();
        using var gradients = enable_grad();
        using var optimiser = new AdamW(network.named_parameters(), new AdamWOptions { LearningRate = rate, WeightDecay = 0 });
        for (int step = 0; step < steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            optimiser.ZeroGrad();
            loss().backward();
            optimiser.Step();
            if (step % 50 == 49 || step + 1 == steps) progress?.Report(new(stage, step + 1, steps));
        }
    }

    /// <summary>Random rows of a set, with replacement.</summary>
    public static Tensor Batch(Tensor set, int size, Generator random) =>
        set.index_select(0, randint(set.size(0), [Math.Min(size, set.size(0))], int64, generator: random).to(set.device));

    private static void Check(Tensor set, string name)
    {
        ArgumentNullException.ThrowIfNull(set, name);
        if (set.dim() != 3 || set.size(1) < 2 || set.size(2) < 1)
            throw new ArgumentException($"expected sequences [N, T, D] of at least 2 steps, got {Require.Shape(set)}", name);
        if (set.size(0) < 10) throw new ArgumentException($"{set.size(0)} sequences are too few: at least 10 are needed", name);
        if (!set.is_floating_point()) throw new ArgumentException($"expected floating-point values, got {set.dtype}", name);
        Require.Finite(set, name);
    }
}
