using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>Trains a classifier by AdamW on a one-cycle schedule, with small random shifts.</summary>
internal static class ClassifierTraining
{
    private const double WarmUp = 0.2, StartShare = 0.05;
    private const long Passes = 8;

    /// <summary>Runs all steps; the module ends in evaluation mode.</summary>
    public static void Fit(
        nn.Module module, Func<Tensor, Tensor> logits, RealSet real, JudgeOptions options,
        IProgress<JudgeProgress>? progress, CancellationToken cancel)
    {
        var (samples, labels) = (real.Training, real.TrainingLabels!);
        int steps = StepsFor(real, options);
        long count = samples.size(0), batch = Math.Min(options.BatchSize, count);
        using var all = NewDisposeScope();
        using var gradients = enable_grad();
        using var random = new Generator((ulong)options.Seed);
        using var optimiser = optim.AdamW(module.parameters(), options.LearningRate, weight_decay: options.WeightDecay);
        module.train();
        Tensor? order = null;
        long at = count;
        for (int step = 0; step < steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            if (at + batch > count)
            {
                order?.Dispose();
                order = randperm(count, generator: random).MoveToOuterDisposeScope();
                at = 0;
            }
            var index = order!.narrow(0, at, batch);
            at += batch;
            var x = Shifted(RealSet.Float(samples.index_select(0, index)), options.Shift, random);
            var loss = nn.functional.cross_entropy(logits(x), labels.index_select(0, index));
            foreach (var group in optimiser.ParamGroups) group.LearningRate = options.LearningRate * OneCycle((step + 0.5) / steps);
            optimiser.zero_grad();
            loss.backward();
            optimiser.step();
            if (step % 20 == 19 || step + 1 == steps) progress?.Report(new("training the judge", step + 1, steps));
        }
        module.eval();
    }

    public static int StepsFor(RealSet real, JudgeOptions options) =>
        options.Steps ?? (int)Math.Clamp(Passes * real.Training.size(0) / options.BatchSize, 300, 3000);

    /// <summary>Share of the peak rate at a point of training in [0, 1]: a linear rise, then half a cosine to zero.</summary>
    public static double OneCycle(double at) => at < WarmUp
        ? StartShare + (1 - StartShare) * at / WarmUp
        : 0.5 * (1 + Math.Cos(Math.PI * (at - WarmUp) / (1 - WarmUp)));

    /// <summary>Moves each image [N, C, H, W] by whole pixels, repeating the border; other shapes pass unchanged.</summary>
    public static Tensor Shifted(Tensor x, double share, Generator random)
    {
        if (x.dim() != 4 || share <= 0) return x;
        return WrappedTensorDisposeScope(() =>
        {
            var (n, c, h, w) = (x.size(0), x.size(1), x.size(2), x.size(3));
            Tensor Places(long side)
            {
                long reach = (long)Math.Round(side * share);
                return (arange(side, int64).unsqueeze(0) + randint(-reach, reach + 1, [n, 1], int64, generator: random)).clamp_(0, side - 1);
            }
            var rows = Places(h).view(n, 1, h, 1).expand(n, c, h, w);
            var columns = Places(w).view(n, 1, 1, w).expand(n, c, h, w);
            return x.gather(2, rows).gather(3, columns);
        });
    }
}
