using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>
/// What a denoiser is trained to make small: an immutable function of one prediction and of what it should have been.
/// </summary>
/// <remarks>
/// Losses come per sample, [N]; the trainer averages them with the weights that the time distribution gave
/// (<see cref="TimeDraw.Weights"/>). Objectives compose: a hybrid holds two.
/// </remarks>
public abstract record Objective
{
    /// <summary>The loss of each sample for a prediction that is already made.</summary>
    /// <param name="prediction">The denoiser's answer at x_t = α x_0 + σ ε.</param>
    /// <param name="x0">Clean data, [N, ...].</param>
    /// <param name="noise">ε, shaped as x0.</param>
    /// <returns>[N].</returns>
    public abstract Tensor Loss(Prediction prediction, Tensor x0, Tensor noise);

    /// <summary>Corrupts a batch, denoises it, and gives the loss of each sample.</summary>
    /// <param name="denoiser">The denoiser that is trained.</param>
    /// <param name="x0">Clean data, [N, ...].</param>
    /// <param name="condition">What the denoiser is told besides.</param>
    /// <param name="t">The time of each sample.</param>
    /// <param name="noise">ε ~ N(0, I), shaped as x0.</param>
    /// <returns>[N].</returns>
    /// <exception cref="ArgumentException">The noise or the times do not fit the batch.</exception>
    public virtual Tensor Loss(IDenoiser denoiser, Tensor x0, Condition condition, Times t, Tensor noise)
    {
        NeedFit(x0, t, noise);
        using var scope = NewDisposeScope();
        var x = denoiser.Process.Corrupt(x0, t, noise);
        return Loss(denoiser.Denoise(x, t, condition), x0, noise).MoveToOuterDisposeScope();
    }

    /// <summary>Throws where the noise or the times do not fit a batch.</summary>
    private protected static void NeedFit(Tensor x0, Times t, Tensor noise)
    {
        if (!noise.shape.SequenceEqual(x0.shape))
            throw new ArgumentException($"The noise is [{string.Join(", ", noise.shape)}]; it must be shaped as the data, [{string.Join(", ", x0.shape)}].", nameof(noise));
        if (t.Count is { } count && count != x0.shape[0])
            throw new ArgumentException($"There are {count} times for {x0.shape[0]} samples.", nameof(t));
    }
}

/// <summary>What is taken of an error before its elements are joined.</summary>
public enum ErrorNorm
{
    /// <summary>Its square (L2).</summary>
    Squared,

    /// <summary>Its absolute value (L1).</summary>
    Absolute,
}

/// <summary>How the errors of a sample's elements become one number.</summary>
public enum Reduction
{
    /// <summary>Their mean: the loss does not depend on the number of elements.</summary>
    Mean,

    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>Half their sum: with the likelihood weighting, nats.</summary>
    HalfSum,
}
