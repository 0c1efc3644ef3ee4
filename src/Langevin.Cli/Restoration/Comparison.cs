using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>Pictures side by side: the measurement, the classical answer, the first sample, the mean of the samples, their spread and, where the truth is known, the mean's error and the truth.</summary>
internal static class Comparison
{
    /// <summary>One row, [5 or 7, C, H, W].</summary>
    /// <param name="view">The measurement as a picture, [1, C, H, W].</param>
    /// <param name="classical">[1, C, H, W].</param>
    /// <param name="answers">[k, C, H, W].</param>
    /// <param name="truth">[1, C, H, W].</param>
    public static Tensor Row(Tensor view, Tensor classical, Tensor answers, Tensor? truth)
    {
        using var scope = NewDisposeScope();
        // Maps are scaled so that white is the largest value.
        static Tensor Map(Tensor values) => 2 * values / values.max().clamp_min(1e-9) - 1;
        var mean = answers.mean([0L], keepdim: true);
        List<Tensor> row = [view.cpu(), classical, answers.narrow(0, 0, 1), mean, Map(Spread(answers))];
        if (truth is not null) row.AddRange([Map((mean - truth).abs()), truth]);
        return cat([.. row]).MoveToOuterDisposeScope();
    }

    /// <summary>Standard deviation of the answers, pixel by pixel: [1, C, H, W].</summary>
    public static Tensor Spread(Tensor answers) => answers.shape[0] > 1 ? answers.std(0, unbiased: true, keepdim: true) : zeros_like(answers);
}
