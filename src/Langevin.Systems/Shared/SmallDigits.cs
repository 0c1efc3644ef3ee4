using Langevin.Data;
using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>Written digits at half their size, 14 × 14 grey of 256 levels: small enough for likelihoods by networks without strides.</summary>
internal static class SmallDigits
{
    /// <summary>The digits that are learnt from.</summary>
    public static ArrayDataset Training(Trial trial) => Halved(Strokes.Create(trial.Pick(200, 4000, 10_000)));

    /// <summary>Digits that no training saw.</summary>
    public static ArrayDataset HeldOut(int count) => Halved(Strokes.Create(count, first: 1_000_000));

    /// <summary>All pictures of a set, float32 [N, 1, 14, 14] in [−1, 1].</summary>
    public static Tensor Pictures(ArrayDataset digits) => WrappedTensorDisposeScope(() => digits.Items.to(ScalarType.Float32) / 127.5 - 1);

    private static ArrayDataset Halved(ArrayDataset digits)
    {
        using var whole = digits;
        using var scope = NewDisposeScope();
        var halved = nn.functional.avg_pool2d(whole.Items.to(ScalarType.Float32), 2).round().to(ScalarType.Byte);
        return new("strokes-14", halved) { Kind = "procedural" };
    }
}
