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

    /// <summary>A full run's digits of MNIST, to learn from and held out, where the bench has them.</summary>
    public static (ArrayDataset Training, ArrayDataset HeldOut)? Mnist(Trial trial)
    {
        if (trial.Scale != Scale.Full || trial.RealData("mnist") is not { } path) return null;
        var all = Datasets.Open(path);
        using var owner = all as IDisposable;
        int learnt = all.Count - 512;
        return (PictureSet.Halved("mnist-14", all.Subset(..learnt)), PictureSet.Halved("mnist-14", all.Subset(learnt..)));
    }

    /// <summary>All pictures of a set, float32 [N, 1, 14, 14] in [−1, 1].</summary>
    public static Tensor Pictures(ArrayDataset digits) => WrappedTensorDisposeScope(() => digits.Items.to(ScalarType.Float32) / 127.5 - 1);

    private static ArrayDataset Halved(ArrayDataset digits)
    {
        using var whole = digits;
        return PictureSet.Halved("strokes-14", whole);
    }
}
