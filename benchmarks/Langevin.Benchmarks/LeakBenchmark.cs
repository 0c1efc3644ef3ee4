using Langevin.Denoisers;
using Langevin.Formulations;
using Langevin.Networks;
using Langevin.Samplers;
using Langevin.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks;

/// <summary>Live tensors and memory before and after 1,000 steps of training and of sampling, with a small network of the presets' kind.</summary>
internal static class LeakBenchmark
{
    private const int Count = 1000, Size = 8, Batch = 8;

    public static Table Run(Machine machine)
    {
        using var scope = NewDisposeScope();
        var formulation = Formulation.Create(new FormulationOptions { Name = "ddpm" });
        using var network = new UNet2D(new UNet2DConfig
        {
            SampleSize = [Size, Size], InChannels = 1, OutChannels = 1, BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, AttentionHeadDim = 8,
            DownBlockTypes = ["DownBlock2D", "AttnDownBlock2D"], UpBlockTypes = ["AttnUpBlock2D", "UpBlock2D"], NumClassEmbeds = 11,
        });
        var denoiser = formulation.Denoiser(network);
        var condition = Condition.OfLabel(arange(Batch, ScalarType.Int64));
        var samples = randn(Batch, 1, Size, Size);
        var table = new Table("work", "live tensors before", "after", "resident memory before", "after")
        {
            Note = $"{Count:n0} steps, counted after 50 steps of warming up.",
        };

        using var trainer = new Trainer(denoiser, formulation.Objective, formulation.Times, new());
        using var steps = trainer.Steps(Endless()).GetEnumerator();
        Row("training steps", n =>
        {
            for (int i = 0; i < n; i++) steps.MoveNext();
        });

        network.eval();
        var (sampler, _) = formulation.Sampling();
        Row("sampling steps", n =>
        {
            var (_, grid) = formulation.Sampling(steps: n);
            sampler.Run(denoiser, samples, grid, condition).Dispose();
        });
        return table;

        IEnumerable<TrainingBatch> Endless()
        {
            while (true) yield return new(samples, condition);
        }

        void Row(string work, Action<int> run)
        {
            run(50);
            var (tensors, memory) = Now();
            run(Count);
            var (tensorsAfter, memoryAfter) = Now();
            table.Add(work, $"{tensors}", $"{tensorsAfter}", $"{memory >> 20} MiB", $"{memoryAfter >> 20} MiB");
        }
    }

    private static (long Tensors, long Memory) Now()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return (Tensor.TotalCount, Environment.WorkingSet);
    }
}
