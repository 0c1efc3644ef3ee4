using Langevin.Training;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace Langevin.Benchmarks;

/// <summary>The optimiser's step and the average's update against TorchSharp's own ways, for 300 parameters of 36,864 numbers.</summary>
internal static class OptimizerBenchmark
{
    private const int Count = 300, Size = 36_864, Rounds = 15;

    public static Table Run(Machine machine)
    {
        using var scope = NewDisposeScope();
        var (ours, plain, theirs) = (Parameters(), Parameters(), Parameters());
        using var fused = new AdamW(ours, new());
        using var fallback = new AdamW(plain, new());
        using var torchSharp = optim.AdamW(theirs.Select(p => p.Parameter), weight_decay: 0.01);
        double[][] steps = Clock.Turns(Rounds, fused.Step, () => Managed(fallback.Step), () => torchSharp.step());

        using var ema = new Ema(ours, [], new ConstantEma(0.999));
        using var loop = new Ema(plain, [], new ConstantEma(0.999));
        double[][] averages = Clock.Turns(Rounds, () => ema.Update(1), () => Managed(() => loop.Update(1)));

        // Smaller at every call, so that both scale every time.
        double ourNorm = 1000, theirNorm = 1000;
        double[][] clips = Clock.Turns(Rounds,
            () => AdamW.ClipGradients(ours.Select(p => p.Parameter), ourNorm *= 0.5).Dispose(),
            () => nn.utils.clip_grad_norm_(theirs.Select(p => p.Parameter), theirNorm *= 0.5));

        var table = new Table("what", "time", "alternative", "its time", "ratio")
        {
            Note = $"{Count} float32 parameters of {Size:n0} numbers. Ratio: the alternative's time over ours, the median over {Rounds} turns.",
        };
        Row("AdamW step, fused", steps[0], "TorchSharp's AdamW", steps[2]);
        Row("AdamW step, managed fallback", steps[1], "TorchSharp's AdamW", steps[2]);
        Row("average, one call", averages[0], "a loop of lerp", averages[1]);
        Row("gradient clipping", clips[0], "clip_grad_norm_", clips[1]);
        return table;

        void Row(string what, double[] time, string other, double[] otherTime) =>
            table.Add(what, Clock.Milliseconds(time.Median()), other, Clock.Milliseconds(otherTime.Median()), $"{Clock.Ratio(otherTime, time):f2}");
    }

    private static void Managed(Action action)
    {
        bool before = Ops.Scripts;
        Ops.Scripts = false;
        try { action(); }
        finally { Ops.Scripts = before; }
    }

    private static (string Name, Parameter Parameter)[] Parameters()
    {
        var all = new (string, Parameter)[Count];
        for (int i = 0; i < Count; i++)
        {
            var parameter = new Parameter(randn(Size));
            parameter.grad = randn(Size);
            all[i] = ($"p{i}", parameter);
        }
        return all;
    }
}
