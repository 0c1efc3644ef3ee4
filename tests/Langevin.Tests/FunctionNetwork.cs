using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests;

/// <summary>A network that is a closed formula of its input and of the noise level it is told, and that remembers what it was told.</summary>
internal sealed class FunctionNetwork(Func<Tensor, Tensor, Tensor> formula) : Network("function")
{
    /// <summary>The noise level of the first sample, call by call.</summary>
    public List<double> Told { get; } = [];

    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        using var scope = NewDisposeScope();
        Told.Add(noise[0].to(ScalarType.Float64).item<double>());
        return formula(x, noise.view([-1, .. Enumerable.Repeat(1L, (int)x.dim() - 1)])).MoveToOuterDisposeScope();
    }
}
