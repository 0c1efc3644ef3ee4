using Langevin.Networks;
using Langevin.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks;

/// <summary>Training step and forward pass of the preset networks as a share of the matmul peak, in both memory layouts and in each dtype.</summary>
internal static class NetworkBenchmark
{
    private const int Rounds = 7;

    public static Table Run(Machine machine)
    {
        var table = new Table("preset", "work", "dtype", "layout", "time", "samples/s", "GFLOP", "GFLOP/s", "share of peak", "NCHW time / time")
        {
            Note = $"Batches of the preset's size. GFLOP: convolutions, linear layers and attention by their shapes; a training step counts three times its forward pass. "
                + $"Share: against a matmul of the same dtype timed in the same turn; medians over {Rounds} turns. \"chosen\" is the layout the network takes when nothing is said.",
        };
        foreach (string name in (string[])["strokes", "shapes"])
            foreach (var type in Machine.Types)
            {
                using var scope = NewDisposeScope();
                using var preset = Preset.Of(name);
                Measure(table, preset, type);
            }
        return table;
    }

    private static void Measure(Table table, Preset preset, ScalarType type)
    {
        var network = (UNet2D)preset.Network;
        network.ComputeType = type == ScalarType.Float32 ? null : type;
        long count = preset.Samples.shape[0];
        var noise = full(count, 500f);
        double forward = FlopCounter.Forward(network, preset.Samples, noise, preset.Condition);
        using var trainer = preset.Trainer();
        using var steps = trainer.Steps(preset.Batches()).GetEnumerator();
        (string Name, bool? Last)[] layouts = [("NCHW", false), ("channels-last", true), ("chosen", null)];

        Rows("training step", 3 * forward, last =>
        {
            network.ChannelsLast = last;
            steps.MoveNext();
        });
        network.eval();
        Rows("forward pass", forward, last =>
        {
            network.ChannelsLast = last;
            using var inner = NewDisposeScope();
            using var none = no_grad();
            network.call(preset.Samples, noise, preset.Condition);
        });

        void Rows(string work, double flops, Action<bool?> run)
        {
            double[][] times = Clock.Turns(Rounds, [.. layouts.Select(l => (Action)(() => run(l.Last))), Machine.Matmul(type)]);
            for (int i = 0; i < layouts.Length; i++)
            {
                double time = times[i].Median(), share = Clock.Ratio(times[^1], times[i]) * flops / Machine.MatmulFlops;
                table.Add($"{preset.Name} {string.Join("×", preset.Samples.shape)}", work, Machine.Name(type), layouts[i].Name, Clock.Milliseconds(time),
                    $"{count / time:f0}", $"{flops / 1e9:f2}", $"{flops / time / 1e9:f0}", $"{100 * share:f0}%", $"{Clock.Ratio(times[0], times[i]):f2}");
            }
        }
    }
}
