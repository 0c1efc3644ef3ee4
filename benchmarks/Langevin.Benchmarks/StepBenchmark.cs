using System.Diagnostics;
using Langevin.Networks;
using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks;

/// <summary>One denoising step of Stable Diffusion 1.5's U-Net (random weights, kept in half precision) at 512 × 512 pixels.</summary>
internal static class StepBenchmark
{
    private const int Rounds = 3, Tokens = 77;

    private static readonly UNet2DConditionConfig Config = new() { SampleSize = [64], CrossAttentionDim = 768 };

    public static Table Run(Machine machine)
    {
        var table = new Table("step", "weights", "time", "GFLOP", "GFLOP/s", "share of peak", "resident memory")
        {
            Note = $"{859_520_964:n0} parameters. GFLOP: convolutions, linear layers and attention by their shapes. Share: against a float32 matmul timed in the same turn; medians over {Rounds} turns.",
        };
        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var network = Network();
        network.eval();
        foreach (int batch in (int[])[1, 2])
        {
            var (x, noise, condition) = (randn(batch, 4, 64, 64), full(batch, 500f), Condition.None.With(UNet2DCondition.ContextSlot, randn(batch, Tokens, 768)));
            double flops = FlopCounter.Forward(network, x, noise, condition) + batch * Attention(network);
            double[][] times = Clock.Turns(Rounds, () =>
            {
                using var inner = NewDisposeScope();
                network.call(x, noise, condition);
            }, Machine.Matmul(ScalarType.Float32));
            double time = times[0].Median(), share = Clock.Ratio(times[1], times[0]) * flops / Machine.MatmulFlops;
            table.Add(batch == 1 ? "unguided" : "guided (two at once)", "float16", Clock.Milliseconds(time), $"{flops / 1e9:f0}", $"{flops / time / 1e9:f0}", $"{100 * share:f0}%", $"{Process.GetCurrentProcess().WorkingSet64 / (double)(1 << 30):f1} GiB");
        }
        return table;
    }

    private static UNet2DCondition Network()
    {
        UNet2DCondition network;
        using (new UnsetWeights(ScalarType.Float16)) network = new(Config);
        foreach (var (_, parameter) in network.named_parameters())
        {
            using var inner = NewDisposeScope();
            if (parameter.dtype == ScalarType.Float16) parameter.copy_(randn(parameter.shape) * 0.02);
        }
        return network;
    }

    // q·kᵀ and the mixture of v; the projections are linear layers and counted there.
    private static double Attention(UNet2DCondition network)
    {
        double flops = 0;
        int levels = Config.BlockOutChannels.Count;
        foreach (var (name, module) in network.named_modules())
        {
            if (module is not HeadedAttention) continue;
            string[] parts = name.Split('.');
            int level = parts[0] switch { "down_blocks" => int.Parse(parts[1]), "up_blocks" => levels - 1 - int.Parse(parts[1]), _ => levels - 1 };
            double pixels = Math.Pow(64 >> level, 2);
            flops += 4 * pixels * (name.EndsWith("attn1", StringComparison.Ordinal) ? pixels : Tokens) * Config.BlockOutChannels[level];
        }
        return flops;
    }
}
