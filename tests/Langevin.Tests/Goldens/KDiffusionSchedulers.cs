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
            Assert.Skip("the reference adds the churn's noise without scaling the signal, and reads the network's answer at another level than it asked; no process of ours does that");
        if (c.Id.EndsWith("LMSDiscreteScheduler_tstart", StringComparison.Ordinal))
            Assert.Skip("where steps are left out the reference takes the coefficients of a memory that it does not have");
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
        // The last step of unCLIP is by β_0/(1 − ᾱ_0), which is 1, and 0.9995 in the reference's single precision.
        int rough = c.Family == "UnCLIPScheduler" ? 1 : 0;
        c.Check("x_steps", expected.narrow(0, 0, states.Count - rough), stack(states.SkipLast(rough)));
        c.Check("x_steps", expected[-1], states[^1], rough > 0 ? 1e-3 : c.Relative);
        double[] sigmas = c.Has("sigmas") ? Doubles(c["sigmas"])[c.Int("t_start")..] : grid;
        c.Check("sigmas", Vector((twoStage ? sigmas.Distinct() : sigmas).Take(grid.Length)), Vector(grid), 1e-5, 1e-7);
        if (!churns) c.Check("timesteps", c["timesteps"].narrow(0, c.Int("t_start"), recorder.T.Count), Vector(recorder.T.Select(t => composition.Preconditioning.Noise(process, t))), 1e-5, 1e-4);
        if (!c.Has("pred_original_first")) return;
        // In single precision (x − σ ε)/α loses digits by σ/α.
        double Rounding(double t) => Math.Max(c.Absolute, 1e-7 * Math.Max(Scale(t), Math.Min(1e3, 1 / process.Alpha(t))));
        c.Check("pred_original_first", recorder.X0[0], absolute: Rounding(recorder.T[0]));
        c.Check("pred_original_last", recorder.X0[^1], absolute: Rounding(recorder.T[^1]));
    }

    [Golden("schedulers", "KarrasVeScheduler")]
    internal static void KarrasVe(GoldenCase c)
    {
        // Its levels are the squares of the paper's; between them it is EDM's sampler.
        int n = c.Int("n");
        double low = Math.Pow(c.Double("sigma_min"), 2), high = Math.Pow(c.Double("sigma_max"), 2);
        var process = new EdmProcess(low, high);
        var grid = TimeGrid.Exponential(process, n);
        c.Check("schedule", Vector(grid.Times.Take(n).Reverse()));
        var denoiser = new FunctionDenoiser(process, (x, t) =>
        {
            double s = t.Value / 2;
            var output = (x + 1) / 4 * (s / (s + 1)); // the network halves its input, which was scaled and shifted to [0, 1]
            return new(PredictionKind.X0, x + t.Value * s * output, x, process, t);
        });
        var churn = new Churn(c.Double("s_churn"), c.Double("s_min"), c.Double("s_max"), c.Double("s_noise"));
        List<Tensor> states = [c["x_steps"][0].to(ScalarType.Float64)];
        foreach (var step in new ProbabilityFlow(2, Churn: churn).Steps(denoiser, states[0], grid)) states.Add(step.X.clone());
        c.Check("x_steps", stack(states));
    }

    [Golden("schedulers", "ScoreSdeVeScheduler")]
    internal static void ScoreSdeVe(GoldenCase c)
    {
        int n = c.Int("num_inference_steps"), corrections = c.Int("correct_steps");
        var process = DiscreteProcess.FromSigmas(Betas.GeometricSigmas(n, c.Double("sigma_max"), c.Double("sigma_min")));
        c.Check("discrete_sigmas", Vector(Enumerable.Range(0, n).Select(i => process.Sigma(i))));
        // What the model of this case was told are the first levels of the training table, in the order of the steps.
        double[] told = Doubles(c["sigmas"]);
        var score = new FunctionDenoiser(process, (x, t) => new(PredictionKind.Score, -x / (Math.Pow(told[n - 1 - (int)t.Value], 2) + 1), x, process, t));
        var sampler = new PredictorCorrector(new ReverseDiffusion { EndsAtMean = false }, new LangevinCorrector(c.Double("snr"), corrections, BatchNorms: true));
        List<Tensor> states = [c["x_steps"][0].to(ScalarType.Float64)];
        foreach (var step in sampler.Steps(score, states[0], TimeGrid.All(process), noise: new ReplayedNoise(c["noise"].unbind()))) states.Add(step.X.clone());
        var predicted = tensor(Enumerable.Range(0, n + 1).Select(i => (long)i * (corrections + 1)).ToArray());
        c.Check("x_steps", c["x_steps"].index_select(0, predicted), stack(states), absolute: 1e-5 * c["x_steps"].abs().max().item<float>());
    }

    [Golden("schedulers", "ScoreSdeVpScheduler")]
    internal static void ScoreSdeVp(GoldenCase c)
    {
        int n = c.Int("n");
        var process = VariancePreserving.Linear(c.Double("beta_min"), c.Double("beta_max"), c.Double("sampling_eps"));
        double[] times = [.. Betas.Spaced(n, 1, c.Double("sampling_eps"))];
        c.Check("timesteps", Vector(times));
        // The model says −x, which the scheduler negates and divides by the standard deviation. Its steps are of width 1/n.
        var score = new FunctionDenoiser(process, (x, t) => new(PredictionKind.Score, x / process.Sigma(t.Value), x, process, t));
        List<Tensor> states = [c["x_steps"][0].to(ScalarType.Float64)];
        new EulerMaruyama { EndsAtMean = false }.Drive(score, states[0], times.Select(t => (t, t - 1.0 / n)), new ReplayedNoise(c["noise"].unbind()), states);
        // At the smallest time the reference's 1 − exp(−1e-4) in single precision keeps three digits.
        c.Check("x_steps", c["x_steps"].narrow(0, 0, n), stack(states.SkipLast(1)));
        c.Check("x_steps", c["x_steps"][n], states[n], 1e-3, 1e-3);
    }

    [Golden("schedulers", "RePaintScheduler")]
    internal static void RePaint(GoldenCase c)
    {
        // DDIM's step for what is not seen, the process itself for what is, with one draw for both; and single steps of the process up again.
        var process = Table(JsonDocument.Parse("{}").RootElement).Process;
        int stride = process.Steps / c.Int("num_inference_steps");
        var model = new StaticThresholding(new FunctionDenoiser(process, (x, t) => new(PredictionKind.Epsilon, x * (t.Value / (t.Value + 1)), x, process, t)), 1, keepEpsilon: true);
        double[] times = Doubles(c["timesteps"]), undone = Doubles(c["is_undo"]), kept = Doubles(c["kept_index"]);
        Tensor x = c["x_kept"][0].to(ScalarType.Float64), image = c["original_image"].to(ScalarType.Float64), mask = c["mask"].to(ScalarType.Float64);
        var draws = new Queue<Tensor>(c["noise_flat"].to(ScalarType.Float64).view([-1, .. x.shape]).unbind());
        double last = times[0] + 1;
        for (int i = 0; i < times.Length; i++)
        {
            using var scope = NewDisposeScope();
            if (Array.IndexOf(kept, i) is > 0 and var at) c.Check($"x_kept[{at}]", c["x_kept"][at], x, absolute: 1e-5 * c["x_kept"].abs().max().item<float>());
            double t = times[i];
            if (undone[i] > 0)
                for (int n = 0; n < stride; n++)
                {
                    var (scale, variance) = process.Transition(last + n - 1, last + n);
                    x = scale * x + Math.Sqrt(variance) * draws.Dequeue();
                }
            else
            {
                double s = t >= stride ? t - stride : process.DataTime;
                var z = draws.Dequeue();
                var unseen = new Ddim(c.Double("eta")).Drive(model, x, [(t, s)], new ReplayedNoise([z]));
                x = mask * process.Corrupt(image, s, z) + (1 - mask) * unseen;
            }
            last = t;
            x.MoveToOuterDisposeScope();
        }
        c.Check("x_kept", c["x_kept"][-1], x, absolute: 1e-5 * c["x_kept"].abs().max().item<float>());
    }

    private sealed class Kept(INoise inner) : INoise
    {
        public Tensor? Last { get; private set; }

        public Tensor Next(Tensor like) => Last = inner.Next(like);
    }
}
