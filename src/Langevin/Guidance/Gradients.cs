using Langevin.Denoisers;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>Gradients with respect to the noisy sample, checked first: a gradient of what does not depend on it ends the process.</summary>
internal static class Gradients
{
    /// <summary>∇_x of the sum of <paramref name="function"/>'s values [N], in the caller's scope.</summary>
    public static Tensor Of(Func<Tensor, Tensor> function, Tensor x, string what)
    {
        using var scope = NewDisposeScope();
        using var on = enable_grad();
        var leaf = x.detach().clone().requires_grad_(true);
        return Of(leaf, function(leaf), what).MoveToOuterDisposeScope();
    }

    /// <summary>∇ of the sum of values [N] that were computed from a leaf.</summary>
    public static Tensor Of(Tensor leaf, Tensor values, string what)
    {
        if (values.numel() != leaf.shape[0])
            throw new ArgumentException($"{what} must give one number a sample, [{leaf.shape[0]}]; it gave [{string.Join(", ", values.shape)}].");
        return Autograd.Pull(values, leaf, ones_like(values), what);
    }

    /// <summary>A prediction whose score has a gradient added: ε − σ g.</summary>
    public static Prediction Steered(this Prediction said, Tensor gradient) =>
        said.Kept(PredictionKind.Epsilon, said.Epsilon - said.Time.Map(said.Process.Sigma, said.X) * gradient);
}
