using static TorchSharp.torch;

namespace Langevin.Training;

/// <summary>What the trainer learns from at one time.</summary>
/// <param name="Samples">Clean data [N, ...].</param>
/// <param name="Condition">What is known of each sample.</param>
public sealed record TrainingBatch(Tensor Samples, Condition Condition);

/// <summary>One step of training as it happened.</summary>
/// <param name="Step">Number of steps made so far, this one included.</param>
/// <param name="LearningRate">The learning rate of this step.</param>
/// <param name="Loss">The mean weighted loss of the batch; reading it waits for the device.</param>
/// <param name="GradientNorm">The global norm of the gradient before clipping; reading it waits for the device.</param>
public sealed record TrainingStep(long Step, double LearningRate, Tensor Loss, Tensor GradientNorm) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Loss.Dispose();
        GradientNorm.Dispose();
    }
}
