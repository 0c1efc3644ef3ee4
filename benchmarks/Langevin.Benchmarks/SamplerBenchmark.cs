using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks;

/// <summary>What sampling costs beyond the bare calls of the network that it makes.</summary>
internal static class SamplerBenchmark
{
    private const int Rounds = 25, Steps = 10;

    public static Table Run(Machine machine)
    {
        var table = new Table("preset", "sampler", "guided", "dtype", "batch", "bare calls", "sampler", "overhead", "95 % interval", "samples/s at 25 steps")
        {
            Note = $"{Steps} steps. Bare calls: the network alone on the same number of samples (twice as many when guided), as often as the sampler asks. "
                + $"Overhead: the median over {Rounds} turns of sampler time over bare time, less one; its interval by order statistics.",
        };
        foreach (string name in (string[])["strokes", "shapes"])
            foreach (var type in Machine.Types)
                foreach (var (label, sampler) in (ReadOnlySpan<(string, Sampler)>)[("DDIM", new Ddim()), ("DDPM", new DdpmAncestral())])
                    foreach (bool guided in (bool[])[false, true])
                    {
                        using var scope = NewDisposeScope();
                        using var preset = Preset.Of(name);
                        Measure(table, preset, label, sampler, guided, type);
                    }
        return table;
    }

    private static void Measure(Table table, Preset preset, string label, Sampler sampler, bool guided, ScalarType type)
    {
        var network = preset.Network;
        network.ComputeType = type == ScalarType.Float32 ? null : type;
        network.eval();
        IDenoiser denoiser = preset.Formulation.Denoiser(network);
        if (guided) denoiser = denoiser.Guided(2);
        denoiser = denoiser.Clamped();
        var grid = TimeGrid.Spaced((DiscreteProcess)preset.Formulation.Process, Steps);
        long count = preset.Samples.shape[0];
        var noise = new SeededNoise(0);
        var x = randn_like(preset.Samples);
        var (input, condition) = guided ? (cat([x, x]), Condition.Cat(preset.Condition, preset.Condition.Null())) : (x, preset.Condition);
        var levels = full(input.shape[0], 500f);

        double[][] times = Clock.Turns(Rounds, () =>
        {
            using var none = no_grad();
            for (int i = 0; i < Steps; i++) network.call(input, levels, condition).Dispose();
        }, () => sampler.Run(denoiser, x, grid, preset.Condition, noise).Dispose());
        double sampling = times[1].Median();
        var (low, high) = Clock.RatioInterval(times[1], times[0]);
        table.Add(preset.Name, label, guided ? "yes" : "no", Machine.Name(type), $"{count}", Clock.Milliseconds(times[0].Median()), Clock.Milliseconds(sampling),
            $"{100 * (Clock.Ratio(times[1], times[0]) - 1):f1}%", $"{100 * (low - 1):f1}% to {100 * (high - 1):f1}%", $"{count / (sampling / Steps * 25):f1}");
    }
}
