using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A raw network of a diffusion model: <c>forward(x, noise, condition)</c>.
/// It knows nothing of processes or of what its output means; preconditioning gives both (see <c>Langevin.Denoisers</c>).
/// </summary>
/// <remarks>
/// <c>x</c> is [N, C, ...]; <c>noise</c> is [N], the noise level in whatever unit the network was trained with
/// (an integer step, ln σ / 4, ...); the result is [N, C', ...] with the spatial size of <c>x</c>.
/// </remarks>
public abstract class Network(string name) : nn.Module<Tensor, Tensor, Condition, Tensor>(name)
{
    /// <summary>
    /// The dtype activations are computed in, the weights staying as they are; null for that of the input. bfloat16 about
    /// doubles the speed where the processor multiplies it (<see cref="ComputePrecision"/>); embedding, output layer and
    /// result keep the input's dtype. A network without such layers ignores it.
    /// </summary>
    public ScalarType? ComputeType { get; set; }
}
