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
public abstract class Network(string name) : nn.Module<Tensor, Tensor, Condition, Tensor>(name);
