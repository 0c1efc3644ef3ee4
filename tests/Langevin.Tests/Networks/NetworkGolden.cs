using Langevin.Networks;
using Langevin.Tests.Goldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>What every golden of a network has: weights, an input, its output, the mean square of that and its gradients.</summary>
internal static class NetworkGolden
{
    /// <summary>Asserts that our keys are the reference's, then loads its weights.</summary>
    public static void Load(nn.Module network, GoldenCase c, string prefix = "")
    {
        network.eval();
        var weights = c.Tensors.Where(t => !t.Key.StartsWith("io.")).ToDictionary(
            t => t.Key.StartsWith(prefix) ? t.Key[prefix.Length..] : t.Key, t => t.Value);
        Assert.Equal(weights.Keys.Order(), network.state_dict().Keys.Order());
        StateDict.Load(network, weights, c.Id);
        if (c.Config.TryGetProperty("_num_params", out var count))
            Assert.Equal(count.GetInt64(), network.parameters().Sum(p => p.numel()));
    }

    public static void CheckForwardAndGradient(nn.Module network, GoldenCase c, string input, Func<Tensor, Tensor> forward)
    {
        using var scope = NewDisposeScope();
        foreach (var p in network.parameters()) p.grad = null;
        using (no_grad()) c.Check("io.output", forward(c[input]));
        var x = c[input].detach().clone().requires_grad_(true);
        var y = forward(x);
        c.Check("io.output", y);
        var loss = y.square().mean();
        c.Check("io.loss", loss);
        loss.backward();
        c.Check("io.grad_" + input[3..], x.grad!);
        if (!c.Has("io.param_grad_norm_total")) return;
        var squares = network.parameters().Where(p => p.grad is not null).Select(p => p.grad!.to(ScalarType.Float64).square().sum()).ToArray();
        c.Check("io.param_grad_norm_total", stack(squares).sum().sqrt(), absolute: 1e-6);
    }
}
