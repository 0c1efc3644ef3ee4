using Langevin.Networks;
using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks;

/// <summary>Counts a forward pass's multiplications and additions in convolutions, linear layers and attention by hooks on their shapes.</summary>
internal static class FlopCounter
{
    /// <summary>Floating-point operations of <c>network(x, noise, condition)</c>; all else (norms, activations, embeddings) is left out.</summary>
    /// <exception cref="NotSupportedException">The network has a kind of layer that is not counted here.</exception>
    public static double Forward(Network network, Tensor x, Tensor noise, Condition condition)
    {
        double flops = 0;
        var counted = new HashSet<string>();
        var hooks = new List<Action>();
        foreach (var (name, module) in network.named_modules())
        {
            Func<Tensor, Tensor, double>? cost = module switch
            {
                // Computed as a transposed convolution: each pixel of the result takes 2×2 taps of each channel.
                UpsampleConv2d conv => (_, y) => 2.0 * y.numel() * conv.Inputs * 4,
                Conv conv => (_, y) => 2.0 * y.numel() * conv.parameters().First().numel() / conv.Outputs,
                Linear linear => (_, y) => 2.0 * y.numel() * linear.parameters().First().size(1),
                // q·kᵀ and the mixture of v over all pairs of pixels; its projections are linear layers.
                AttentionBlock => (input, _) => 4.0 * input.size(0) * input.size(1) * Math.Pow(input.size(2) * input.size(3), 2),
                _ => null,
            };
            if (cost is null || module is not nn.Module<Tensor, Tensor> layer) continue;
            counted.Add(name);
            hooks.Add(layer.register_forward_hook((_, input, y) =>
            {
                flops += cost(input, y);
                return y;
            }).remove);
        }
        // Weights of two dimensions and more belong to layers that must be counted, or are tables that are only looked up.
        var missed = network.named_modules().Where(m => m.module is not (Embedding or GaussianFourierProjection) && !counted.Contains(m.name)
            && m.module.named_parameters(recurse: false).Any(p => p.parameter.dim() > 1)).Select(m => $"{m.name} ({m.module.GetType().Name})").ToArray();
        if (missed.Length > 0) throw new NotSupportedException($"The cost of {string.Join(", ", missed)} is not known.");
        using (NewDisposeScope())
        using (no_grad()) network.call(x, noise, condition);
        foreach (var remove in hooks) remove();
        return flops;
    }
}
