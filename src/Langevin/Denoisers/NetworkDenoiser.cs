using Langevin.Networks;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>A network with its preconditioning: the denoiser that is trained.</summary>
/// <param name="network">The raw network F. With <paramref name="variance"/> set it gives twice the channels of x, the second half the variance.</param>
/// <param name="process">The process it is trained on.</param>
/// <param name="preconditioning">How F's output is read.</param>
/// <param name="variance">How a predicted variance is encoded; null when none is predicted.</param>
public sealed class NetworkDenoiser(Network network, GaussianProcess process, Preconditioning preconditioning, VarianceKind? variance = null) : IDenoiser
{
    /// <summary>The raw network.</summary>
    public Network Network => network;

    /// <inheritdoc/>
    public GaussianProcess Process => process;

    /// <summary>How the network's output is read.</summary>
    public Preconditioning Preconditioning => preconditioning;

    /// <inheritdoc/>
    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        var input = preconditioning.IsPlain ? x : t.Map(s => preconditioning.In(process, s), x) * x;
        var noise = t.Vector(s => preconditioning.Noise(process, s)).to(x.dtype).to(x.device);
        var output = network.call(input, t.IsUniform ? noise.expand(x.shape[0]) : noise, condition);
        Tensor? spread = null;
        if (variance is not null)
        {
            if (output.shape[1] != 2 * x.shape[1])
                throw new InvalidOperationException($"A network with learned variance must give {2 * x.shape[1]} channels for {x.shape[1]}; it gave {output.shape[1]}.");
            var halves = output.chunk(2, 1);
            (output, spread) = (halves[0], halves[1].MoveToOuterDisposeScope());
        }
        return new(preconditioning, output.MoveToOuterDisposeScope(), x, process, t, spread, variance ?? default);
    }
}
