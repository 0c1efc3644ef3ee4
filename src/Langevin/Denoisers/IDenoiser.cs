using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>
/// The heart of a diffusion model: what it says of the clean sample behind a noisy one. Trained networks, closed forms
/// and every kind of guidance are denoisers, and a guided denoiser wraps a denoiser.
/// </summary>
public interface IDenoiser
{
    /// <summary>The process whose samples it denoises.</summary>
    GaussianProcess Process { get; }

    /// <summary>Denoises a batch.</summary>
    /// <param name="x">x_t, [N, ...].</param>
    /// <param name="t">The time of the batch, or of each sample.</param>
    /// <param name="condition">What is known besides x; <see cref="Condition.None"/> when nothing is.</param>
    Prediction Denoise(Tensor x, Times t, Condition condition);

    /// <summary>
    /// The denoiser of one run. One that remembers from step to step (a guidance with momentum) gives a copy of itself with a memory
    /// of its own, and one that wraps another passes the call on; the others are the same in every run. Samplers call it.
    /// </summary>
    /// <param name="run">The run that begins.</param>
    IDenoiser Begin(DenoisingRun run) => this;
}
