using static TorchSharp.torch;

namespace Langevin;

/// <summary>The one place where <c>autograd.grad</c> is called: a native error inside it ends the process, so all that can be wrong is checked first.</summary>
internal static class Autograd
{
    /// <summary>(∂y/∂x)ᵀ v, in the caller's scope, without a graph of its own.</summary>
    /// <param name="y">Computed from <paramref name="x"/> where gradients are on; its graph is freed.</param>
    /// <param name="x">A leaf that requires a gradient.</param>
    /// <param name="v">Of y's shape.</param>
    /// <param name="what">What y is, for the error: "The denoiser's answer".</param>
    /// <exception cref="InvalidOperationException">y does not depend on x differentiably.</exception>
    /// <exception cref="ArgumentException">v has another shape.</exception>
    public static Tensor Pull(Tensor y, Tensor x, Tensor v, string what) => Pull(y, x, v, what, graph: false).detach();

    /// <summary>The same with a graph, for a loss that holds a derivative: y's own graph stays.</summary>
    public static Tensor PullWithGraph(Tensor y, Tensor x, Tensor v, string what) => Pull(y, x, v, what, graph: true);

    /// <summary>∂y/∂x of a scalar y, in the caller's scope, itself differentiable.</summary>
    /// <param name="y">A scalar computed from <paramref name="x"/> where gradients are on.</param>
    /// <param name="x">A leaf that requires a gradient.</param>
    /// <param name="what">What y is, for the error.</param>
    /// <exception cref="InvalidOperationException">y does not depend on x differentiably.</exception>
    public static Tensor Slope(Tensor y, Tensor x, string what)
    {
        using var one = ones_like(y);
        return PullWithGraph(y, x, one, what);
    }

    private static Tensor Pull(Tensor y, Tensor x, Tensor v, string what, bool graph)
    {
        if (!v.shape.SequenceEqual(y.shape)) throw new ArgumentException($"{what} is [{string.Join(", ", y.shape)}]; expected [{string.Join(", ", v.shape)}].", nameof(v));
#pragma warning disable RS0030 // checked here
        // With parameters that require a gradient y has a graph even where x is not in it: then there is no gradient, and allow_unused says so.
        var gradient = y.requires_grad && x.requires_grad ? autograd.grad([y], [x], [v], retain_graph: graph, create_graph: graph, allow_unused: true)[0] : null;
#pragma warning restore RS0030
        if (gradient is null || gradient.IsInvalid)
            throw new InvalidOperationException($"{what} does not depend on the sample differentiably: it must be computed from it by torch operations, without no_grad or detach.");
        return gradient;
    }
}
