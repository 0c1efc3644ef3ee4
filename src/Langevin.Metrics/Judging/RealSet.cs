using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>Real data to judge against: what the generator was trained on, and what it never saw.</summary>
/// <remarks>
/// Samples are float [N, ...] in the data's own scale (images in [−1, 1]) or uint8 images [N, C, H, W], read as 0..255 →
/// [−1, 1], on the CPU. The set only refers to the tensors; the caller keeps them alive and disposes them.
/// </remarks>
public sealed record RealSet
{
    /// <summary>Pairs two sets of the same sample shape.</summary>
    /// <param name="training">[N, ...].</param>
    /// <param name="trainingLabels">int64 [N], or null.</param>
    /// <param name="heldOut">[M, ...], M ≥ 2, none of them in the training set.</param>
    /// <param name="heldOutLabels">int64 [M]; null exactly where <paramref name="trainingLabels"/> is.</param>
    /// <param name="classCount">K with labels 0..K − 1; 0 without labels.</param>
    public RealSet(Tensor training, Tensor? trainingLabels, Tensor heldOut, Tensor? heldOutLabels, int classCount)
    {
        Training = Samples(training, nameof(training));
        HeldOut = Samples(heldOut, nameof(heldOut));
        if (!training.shape.AsSpan(1).SequenceEqual(heldOut.shape.AsSpan(1)) || training.dtype != heldOut.dtype)
            throw new ArgumentException($"held-out samples are {heldOut.dtype} {Require.Shape(heldOut)}, training samples {training.dtype} {Require.Shape(training)}: all but the count must agree", nameof(heldOut));
        if (trainingLabels is null != heldOutLabels is null)
            throw new ArgumentException("label both sets or neither", nameof(heldOutLabels));
        if (trainingLabels is not null && heldOutLabels is not null)
        {
            Require.Labels(trainingLabels, training.size(0));
            Require.Labels(heldOutLabels, heldOut.size(0));
            if (classCount < 2) throw new ArgumentOutOfRangeException(nameof(classCount), classCount, "labelled data needs at least 2 classes; pass null labels otherwise");
        }
        (TrainingLabels, HeldOutLabels, ClassCount) = (trainingLabels, heldOutLabels, trainingLabels is null ? 0 : classCount);
    }

    /// <summary>Training samples.</summary>
    public Tensor Training { get; }

    /// <summary>Labels of the training samples, or null.</summary>
    public Tensor? TrainingLabels { get; }

    /// <summary>Samples that no training saw.</summary>
    public Tensor HeldOut { get; }

    /// <summary>Labels of the held-out samples, or null.</summary>
    public Tensor? HeldOutLabels { get; }

    /// <summary>Number of classes, 0 without labels.</summary>
    public int ClassCount { get; }

    /// <summary>Samples as float32 in [−1, 1] where they are bytes, else as float32.</summary>
    internal static Tensor Float(Tensor samples) => samples.dtype == ScalarType.Byte
        ? WrappedTensorDisposeScope(() => samples.to(float32).div_(127.5f).sub_(1f))
        : samples.to(float32);

    private static Tensor Samples(Tensor samples, string name)
    {
        ArgumentNullException.ThrowIfNull(samples, name);
        if (samples.dim() < 2 || samples.size(0) < 2 || samples.numel() == 0)
            throw new ArgumentException($"expected at least two samples [N, ...], got {Require.Shape(samples)}", name);
        if (samples.device_type != TorchSharp.DeviceType.CPU) throw new ArgumentException($"expected samples on the CPU, got {samples.device}; call .cpu() first", name);
        if (!samples.is_floating_point() && samples.dtype != ScalarType.Byte)
            throw new ArgumentException($"expected floating-point samples or uint8 images, got {samples.dtype}", name);
        return samples;
    }
}
