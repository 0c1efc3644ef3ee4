using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>A positive definite kernel k(x, y) on feature rows.</summary>
public abstract record Kernel
{
    /// <summary>The Gram matrix [N, M] of rows [N, D] and [M, D].</summary>
    public abstract Tensor Of(Tensor x, Tensor y);

    /// <summary>
    /// (γ x·y + c)^degree; γ = 1/D where null. Degree 3 and c = 1 make the kernel distance (Bińkowski et al. 2018, arXiv:1801.01401).
    /// </summary>
    /// <param name="Degree">At least 1.</param>
    /// <param name="Gamma">Positive, or null for 1/D.</param>
    /// <param name="Offset">c.</param>
    public sealed record Polynomial(int Degree = 3, double? Gamma = null, double Offset = 1) : Kernel
    {
        /// <inheritdoc/>
        public override Tensor Of(Tensor x, Tensor y) =>
            WrappedTensorDisposeScope(() => x.mm(y.t()).mul_(Gamma ?? 1.0 / x.size(1)).add_(Offset).pow(Degree));
    }

    /// <summary>exp(−|x − y|² / 2σ²).</summary>
    /// <param name="Sigma">Bandwidth, positive.</param>
    public sealed record Gaussian(double Sigma = 1) : Kernel
    {
        /// <inheritdoc/>
        public override Tensor Of(Tensor x, Tensor y) =>
            WrappedTensorDisposeScope(() => Distances.Squared(x, y).mul_(-0.5 / (Sigma * Sigma)).exp());
    }
}
