using Langevin.Denoisers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>An inverse problem: find x, given y = A(x) + σ_y n. The pictures sought take the measurement's device and type.</summary>
/// <param name="Operator">A.</param>
/// <param name="Y">y, [N, ...], or [1, ...] for any number of pictures.</param>
/// <param name="Sigma">σ_y ≥ 0, on the scale of y.</param>
public sealed record Measurement(ForwardOperator Operator, Tensor Y, double Sigma = 0)
{
    /// <summary>y − A(x).</summary>
    public Tensor Residual(Tensor x) => WrappedTensorDisposeScope(() => Y - Operator.Forward(x));

    /// <summary>The nearest picture to x that explains y: x + A⁺y − A⁺A(x).</summary>
    public Tensor Project(Tensor x) => WrappedTensorDisposeScope(() =>
        Operator is LinearOperator ? x + Operator.PseudoInverse(Residual(x)) : x + Operator.PseudoInverse(Y) - Operator.PseudoInverse(Operator.Forward(x)));

    /// <summary>The minimum over z of ‖y − A z‖² + ρ ‖z − x‖²: x + Aᵀ(A Aᵀ + ρ I)⁻¹(y − A x).</summary>
    public Tensor Proximal(Tensor x, double ridge) => WrappedTensorDisposeScope(() => x + Linear.RidgeInverse(Residual(x), ridge));

    /// <summary>‖y − A(x)‖ of each picture, [N].</summary>
    public Tensor Misfit(Tensor x) => WrappedTensorDisposeScope(() => Residual(x).flatten(1).square().sum(1).sqrt());

    /// <summary>The operator as a linear one.</summary>
    /// <exception cref="NotSupportedException">It is not.</exception>
    internal LinearOperator Linear => Operator as LinearOperator ?? throw new NotSupportedException(
        $"This method needs a linear operator, which {Operator.GetType().Name} is not: use DDNM, DPS or RED-diff.");

    /// <summary>The operator as one with a decomposition.</summary>
    /// <exception cref="NotSupportedException">It has none.</exception>
    internal SpectralOperator Spectral => Operator as SpectralOperator ?? throw new NotSupportedException(
        $"This method needs the operator's singular value decomposition, which {Operator.GetType().Name} has not: use DPS, PiGDM, DiffPIR or RED-diff, or DDNM without noise.");
}

/// <summary>Vector–Jacobian products of a denoiser.</summary>
internal static class Gradient
{
    /// <summary>The prediction at x with no gradient, and (∂x̂_0/∂x)ᵀ v for the v that a function gives of x̂_0.</summary>
    public static (Prediction Said, Tensor Pulled) Of(Func<Tensor, Prediction> denoise, Tensor x, Func<Tensor, Tensor> cotangent)
    {
        using (enable_grad())
        {
            var input = x.detach().requires_grad_();
            var said = denoise(input);
            var x0 = said.X0;
            Tensor v;
            using (no_grad()) v = cotangent(x0.detach());
            if (!v.shape.SequenceEqual(x0.shape)) throw new ArgumentException($"The measurement is for pictures [{string.Join(", ", v.shape)}], the model makes [{string.Join(", ", x0.shape)}].");
            var pulled = Autograd.Pull(x0, input, v, "The denoiser's answer");
            return (new(said.Kind, said.Value.detach(), x, said.Process, said.Time, said.Variance?.detach(), said.VarianceKind), pulled);
        }
    }
}
