using Langevin.Denoisers;
using Langevin.Processes;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks.Oracle;

/// <summary>
/// The denoiser of the density p(x | y) g(x) itself, which guidance is meant to sample: E[x_0 g(x_0) | x_t, y] / E[g(x_0) | x_t, y], where
/// x_0 given x_t and y is a mixture of Gaussians again, over which Gauss and Hermite's rule integrates. In the plane, with round components.
/// </summary>
/// <param name="process">The process.</param>
/// <param name="means">[K, 2], the components of p(x | y), of equal weights.</param>
/// <param name="std">Their standard deviation.</param>
/// <param name="logTilt">log g of clean samples, [N, 2] to [N].</param>
/// <param name="nodes">Nodes along each axis.</param>
internal sealed class TiltedMixture(GaussianProcess process, Tensor means, double std, Func<Tensor, Tensor> logTilt, int nodes = 12) : IDenoiser
{
    private readonly (Tensor At, Tensor LogWeight) rule = Hermite(nodes);

    public GaussianProcess Process => process;

    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        double alpha = process.Alpha(t.Value), sigma = process.Sigma(t.Value), variance = Math.Pow(alpha * std, 2) + sigma * sigma;
        var off = x.unsqueeze(1) - alpha * means;                                           // [N, K, 2]
        var centre = means + alpha * std * std / variance * off;
        // Every node of every component's posterior: [N, K, Q, 2].
        var at = centre.unsqueeze(2) + std * sigma / Math.Sqrt(variance) * rule.At;
        var logit = (-0.5 / variance * off.square().sum(2)).unsqueeze(2) + rule.LogWeight + logTilt(at.view(-1, 2)).view(at.shape[..3]);
        var share = logit.flatten(1).softmax(1);
        var x0 = einsum("nq,nqd->nd", share, at.flatten(1, 2));
        return new(x0.MoveToOuterDisposeScope(), ((x - alpha * x0) / sigma).MoveToOuterDisposeScope(), x, process, t);
    }

    // The rule for a standard normal in the plane, by the eigenvectors of the Jacobi matrix (Golub and Welsch 1969).
    internal static (Tensor At, Tensor LogWeight) Hermite(int nodes)
    {
        using var scope = NewDisposeScope();
        var beside = arange(1, nodes, ScalarType.Float64).sqrt().diag(1);
        var (at, vectors) = linalg.eigh(beside + beside.t());
        var log = vectors[0].square().log();
        var plane = stack([at.unsqueeze(1).expand(nodes, nodes).flatten(), at.expand(nodes, nodes).flatten()], 1);
        return (plane.DetachFromDisposeScope(), (log.unsqueeze(1) + log).flatten().DetachFromDisposeScope());
    }
}
