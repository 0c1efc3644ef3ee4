using Langevin.Denoisers;
using Langevin.Networks;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Hub.Schedulers;

/// <summary>
/// What a diffusers scheduler is made of here: a process, how the network's output is read and decorated, a grid and a sampler.
/// </summary>
/// <param name="Process">The process; its time is the table's step (DDIM and its kin) or the noise level (all others).</param>
/// <param name="Preconditioning">How the network is asked and its answer read.</param>
/// <param name="Grid">The times of the process that are visited.</param>
/// <param name="Timesteps">What the network is told, one for each step of the grid.</param>
/// <param name="Sampler">The sampler.</param>
public sealed record SchedulerComposition(GaussianProcess Process, Preconditioning Preconditioning, TimeGrid Grid, IReadOnlyList<double> Timesteps, Sampler Sampler)
{
    /// <summary>How a predicted variance is encoded; null where none is predicted.</summary>
    public VarianceKind? Variance { get; init; }

    /// <summary>Whether a learned variance is the variance itself and not its logarithm.</summary>
    internal bool PlainVariance { get; init; }

    /// <summary>Standard deviation of the noise that sampling starts from.</summary>
    public double InitialStd { get; init; } = 1;

    /// <summary>What the scheduler does to every prediction: clipping, thresholding.</summary>
    public Func<IDenoiser, IDenoiser> Decoration { get; init; } = d => d;

    /// <summary>The denoiser that a network is under this scheduler.</summary>
    public IDenoiser Denoiser(Network network)
    {
        IDenoiser raw = new NetworkDenoiser(network, Process, Preconditioning, Variance);
        return Decoration(PlainVariance ? new LogVariance(raw) : raw);
    }

    /// <summary>Draws samples.</summary>
    /// <param name="denoiser">Of <see cref="Denoiser"/>, perhaps guided.</param>
    /// <param name="shape">[N, ...].</param>
    /// <param name="condition">What is asked for.</param>
    /// <param name="seed">The seed of the noise.</param>
    /// <param name="device">Where to run.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public Tensor Sample(IDenoiser denoiser, long[] shape, Condition? condition = null, long seed = 0, Device? device = null, CancellationToken cancellation = default)
    {
        var noise = new SeededNoise(seed);
        using var start = noise.Next(empty(shape, ScalarType.Float32, device)).mul_(InitialStd);
        return Sampler.Run(denoiser, start, Grid, condition, noise, cancellation);
    }
}

/// <summary>A denoiser whose network predicts the variance itself.</summary>
internal sealed class LogVariance(IDenoiser inner) : IDenoiser
{
    public GaussianProcess Process => inner.Process;

    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var said = inner.Denoise(x, t, condition);
        return new(said.Kind, said.Value, x, said.Process, t, said.Variance!.log(), VarianceKind.Learned);
    }
}
