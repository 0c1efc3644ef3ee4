using System.Text.Json;
using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Hub.Schedulers;
using Langevin.Processes;
using Langevin.Samplers;
using static Langevin.Tests.Goldens.ScheduleGoldens;
using static Langevin.Tests.Goldens.SchedulerGoldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>diffusers' schedulers that step in σ/α, with one evaluation a step or two, and flow matching's.</summary>
internal static class KDiffusionSchedulerGoldens
{
    [Golden("schedulers", "EulerDiscreteScheduler")]
    [Golden("schedulers", "EulerAncestralDiscreteScheduler")]
    [Golden("schedulers", "HeunDiscreteScheduler")]
    [Golden("schedulers", "KDPM2DiscreteScheduler")]
    [Golden("schedulers", "KDPM2AncestralDiscreteScheduler")]
    [Golden("schedulers", "LMSDiscreteScheduler")]
    [Golden("schedulers", "DPMSolverSDEScheduler")]
    [Golden("schedulers", "EDMEulerScheduler")]
    [Golden("schedulers", "CMStochasticIterativeScheduler")]
    [Golden("schedulers", "FlowMatchEulerDiscreteScheduler")]
    [Golden("schedulers", "FlowMatchHeunDiscreteScheduler")]
    [Golden("schedulers", "FlowMatchLCMScheduler")]
    internal static void InRatios(GoldenCase c)
    {
        if (c.Id.EndsWith("FlowMatchHeunDiscreteScheduler_churn", StringComparison.Ordinal))
            Assert.Skip("the reference spreads the churn over twice the steps, adds its noise without scaling the signal, and follows the slope that it knew before, "
                + "times σ/σ̂, from there: that leaves the flow at first order, and churn here is EDM's algorithm 2");
        var composition = Read(c.Text("scheduler"), c.Config.GetProperty("full_config")).Compose(Request(c));
        Check(c, composition, composition.Sampler);
    }

    // The reference asks the network before it adds the churn's noise, and reads the answer at the raised level.
    private static FunctionDenoiser AskedBefore(GoldenCase c, SchedulerComposition composition, Func<Tensor> drawn)
    {
        var (process, scheme, churn) = (composition.Process, composition.Preconditioning, Request(c).Churn!);
        return new(process, (x, t) =>
        {
            double asked = composition.Grid.Times.Contains(t.Value) ? t.Value : t.Value / (1 + churn.Amount / composition.Grid.Steps);
            var before = asked == t.Value ? x : x - churn.Noise * Math.Sqrt(t.Value * t.Value - asked * asked) * drawn();
            double told = scheme.Noise(process, asked);
            return new(scheme, scheme.In(process, asked) * before * (told / (told + 1)), x, process, t);
        });
    }

    [Golden("schedulers", "UnCLIPScheduler")]
    internal static void UnClip(GoldenCase c)
    {
        var composition = Read(c.Text("scheduler"), c.Config.GetProperty("full_config")).Compose(Request(c));
        // Asked without the time it is to reach, as here and not as pipelines do, the reference steps to t − 1.
        Check(c, composition, new FixedStride(composition.Sampler, 1, -1));
    }

    private static void Check(GoldenCase c, SchedulerComposition composition, Sampler sampler)
    {
        var process = composition.Process;
        // The k-diffusion kin keep x unscaled; ours has unit variance, as the network sees it.
        bool scaled = c.Family is not ("EDMEulerScheduler" or "CMStochasticIterativeScheduler" or "UnCLIPScheduler") && !c.Family.StartsWith("Flow", StringComparison.Ordinal);
        double Scale(double t) => scaled ? 1 / process.Alpha(t) : 1;
        double[] grid = [.. composition.Grid.Times];

        var noise = new Kept(new ReplayedNoise(c.Has("noise") ? c["noise"].unbind() : []));
        bool churns = c.Id.EndsWith("_churn", StringComparison.Ordinal);
        var recorder = new Recorder(composition.Decoration(churns ? AskedBefore(c, composition, () => noise.Last!) : Model(c, composition)));
        var x = c["x_steps"][0].to(ScalarType.Float64) / Scale(grid[0]);
        if (c.Text("initial_sample").StartsWith("dummy_sample", StringComparison.Ordinal) && !c.Has("add_noise_noise"))
            c.Check("x_steps[0]", c["x_steps"][0], Dummy(2) * (composition.InitialStd * Scale(grid[0])));
        List<Tensor> states = [x * Scale(grid[0])];
        int index = 0;
        foreach (var step in sampler.Steps(recorder, x, composition.Grid, noise: noise)) states.Add(step.X * Scale(grid[++index]));

        // The reference counts the inner evaluations as steps too, and repeats or lists the levels for them.
        bool twoStage = c["x_steps"].shape[0] == 2 * states.Count - 2;
        var full = tensor(Enumerable.Range(0, states.Count).Select(i => (long)(twoStage ? Math.Min(2 * i, 2 * states.Count - 3) : i)).ToArray());
        var expected = c["x_steps"].index_select(0, full);
        if (c.Family == "UnCLIPScheduler") states[^1] *= UnClipEnd;
        c.Check("x_steps", expected, stack(states));
        double[] sigmas = c.Has("sigmas") ? Doubles(c["sigmas"])[c.Int("t_start")..] : grid;
        c.Check("sigmas", Vector((twoStage ? sigmas.Distinct() : sigmas).Take(grid.Length)), Vector(grid), 1e-5, 1e-7);
        if (!churns) c.Check("timesteps", c["timesteps"].narrow(0, c.Int("t_start"), recorder.T.Count), Vector(recorder.T.Select(t => composition.Preconditioning.Noise(process, t))));
        if (!c.Has("pred_original_first")) return;
        c.Check("pred_original_first", recorder.X0[0]);
        c.Check("pred_original_last", recorder.X0[^1]);
    }

    /// <summary>The last step of unCLIP is by β_0/(1 − ᾱ_0), which is 1, and this in the reference's single precision.</summary>
    internal static double UnClipEnd { get; } = (float)Betas.Cosine(1000)[0] is var beta ? beta / (1f - (1f - beta)) : 0;

    private sealed class Kept(INoise inner) : INoise
    {
        public Tensor? Last { get; private set; }

        public Tensor Next(Tensor like) => Last = inner.Next(like);
    }
}
