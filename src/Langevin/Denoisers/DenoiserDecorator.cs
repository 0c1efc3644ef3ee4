using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>A denoiser around a denoiser, as all guidance is: an immutable record, begun together with what it wraps.</summary>
/// <param name="Inner">The denoiser inside.</param>
public abstract record DenoiserDecorator(IDenoiser Inner) : IDenoiser
{
    /// <inheritdoc/>
    public GaussianProcess Process => Inner.Process;

    /// <inheritdoc/>
    public abstract Prediction Denoise(Tensor x, Times t, Condition condition);

    /// <inheritdoc/>
    public virtual IDenoiser Begin(DenoisingRun run) => this with { Inner = Inner.Begin(run) };
}
