using System.Text.Json;
using System.Text.Json.Nodes;
using Langevin.Denoisers;
using Langevin.Hub.Schedulers;
using Langevin.Processes;
using Langevin.Samplers;
using static Langevin.Tests.Goldens.ScheduleGoldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>diffusers' schedulers, read from their configurations by the product and driven as their pipelines drive them.</summary>
internal static class SchedulerGoldens
{
    [Golden("schedulers", "DDIMScheduler")]
    [Golden("schedulers", "DDIMParallelScheduler")]
    [Golden("schedulers", "DDIMInverseScheduler")]
    [Golden("schedulers", "DDPMScheduler")]
    [Golden("schedulers", "DDPMParallelScheduler")]
    [Golden("schedulers", "CogVideoXDDIMScheduler")]
    [Golden("schedulers", "DPMSolverMultistepScheduler")]
    [Golden("schedulers", "DPMSolverMultistepInverseScheduler")]
    [Golden("schedulers", "DPMSolverSinglestepScheduler")]
    [Golden("schedulers", "EDMDPMSolverMultistepScheduler")]
    [Golden("schedulers", "DEISMultistepScheduler")]
    [Golden("schedulers", "UniPCMultistepScheduler")]
    [Golden("schedulers", "SASolverScheduler")]
    [Golden("schedulers", "PNDMScheduler")]
    [Golden("schedulers", "IPNDMScheduler")]
    [Golden("schedulers", "LCMScheduler")]
    [Golden("schedulers", "TCDScheduler")]
    internal static void Scheduler(GoldenCase c)
    {
        var scheduler = Read(c.Text("scheduler"), c.Config.GetProperty("full_config"));
        var composition = scheduler.Compose(Request(c));
        var recorder = new Recorder(composition.Decoration(Model(c, composition)));
        if (c.Has("sigmas")) c.Check("sigmas", Vector(composition.Grid.Times), relative: 1e-5);

        var x = c["x_steps"][0].to(ScalarType.Float64);
        if (c.Text("initial_sample").StartsWith("dummy_sample", StringComparison.Ordinal))
            c.Check("x_steps[0]", c["x_steps"][0], Dummy(2) * composition.InitialStd);
        INoise noise = c.Has("noise") ? new ReplayedNoise(Enumerable.Range(0, (int)c["noise"].shape[0]).Select(i => c["noise"][i])) : new ReplayedNoise([]);
        List<Tensor> states = [x];
        List<long> calls = [0]; // the reference counts a step for every evaluation
        foreach (var step in composition.Sampler.Steps(recorder, x, composition.Grid, noise: noise))
        {
            states.Add(step.X.clone());
            calls.Add(step.Evaluations);
        }
        bool whole = c["timesteps"].dtype == ScalarType.Int64;
        c.Check("timesteps", Vector(recorder.T.Select(t => composition.Preconditioning.Noise(composition.Process, t))), whole ? 0 : 1e-5, whole ? 0 : 1e-6);
        c.Check("x_steps", c["x_steps"].index_select(0, tensor(calls.ToArray())), stack(states));
        if (!c.Has("pred_original_first")) return;
        // (x − σ ε)/α in single precision is off by 6e-8/α, and this case begins at α = 0.0064: 4e-6 are seen where the index has 2e-6.
        c.Check("pred_original_first", recorder.X0[0], absolute: c.Id.EndsWith("DDIMScheduler_linspace", StringComparison.Ordinal) ? 6e-8 / composition.Process.Alpha(recorder.T[0]) : null);
        c.Check("pred_original_last", recorder.X0[^1]);
    }

    [Golden("schedulers", "add_noise")]
    internal static void AddNoise(GoldenCase c)
    {
        var table = Table(c.Config.GetProperty("init_args"));
        var t = Times.Each(Doubles(c["timesteps"]));
        bool unscaled = c.Text("scheduler") is "EulerDiscreteScheduler" or "HeunDiscreteScheduler";
        GaussianProcess process = unscaled ? table.Linear : table.Process;
        var (x, noise) = (c["x"].to(ScalarType.Float64), c["noise"].to(ScalarType.Float64));
        c.Check("noisy", process.Corrupt(x, t, noise));
        if (!c.Has("velocity")) return;
        // The unscaled scheduler reads its table at the number of the step, not at its time.
        double[] all = table.Between("linspace", c.Int("num_inference_steps"), 0);
        if (unscaled) t = t.Select(u => Array.IndexOf(all, u));
        c.Check("velocity", t.Map(table.Process.Alpha, x) * noise - t.Map(table.Process.Sigma, x) * x);
    }

    /// <summary>A scheduler of a class with options given as JSON.</summary>
    internal static DiffusersScheduler Read(string className, JsonElement options)
    {
        var config = JsonNode.Parse(options.GetRawText())!.AsObject();
        config["_class_name"] = className;
        config.Remove("tau_func"); // a function, which comes with the request
        return DiffusersScheduler.Read(config);
    }

    /// <summary>The noise table of a configuration.</summary>
    internal static NoiseTable Table(JsonElement config) =>
        NoiseTable.Of(Options(config), others: ["sigmoid", "laplace", "exp"]);

    internal static SchedulerOptions Options(JsonElement config) => new("table", JsonNode.Parse(config.GetRawText())!.AsObject());

    /// <summary>The first of diffusers' deterministic test images: k/768 in the order channel, row, column, image.</summary>
    internal static Tensor Dummy(int count) => (arange(768, ScalarType.Float64) / 768).view(3, 8, 8, 4).permute(3, 0, 1, 2).narrow(0, 0, count);

    internal static SchedulerRequest Request(GoldenCase c)
    {
        JsonElement set = c.Config.GetProperty("set_timesteps"), step = c.Config.GetProperty("step_args");
        double[]? List(string name) => set.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(t => t.GetDouble())] : null;
        return new SchedulerRequest
        {
            Steps = set.TryGetProperty("num_inference_steps", out var n) && List("timesteps") is null && List("sigmas") is null ? n.GetInt32() : null,
            Timesteps = List("timesteps"),
            Sigmas = List("sigmas"),
            Mu = set.TryGetProperty("mu", out var mu) ? mu.GetDouble() : null,
            First = c.Int("t_start"),
            Eta = step.TryGetProperty("eta", out var eta) ? eta.GetDouble() : null,
            Order = step.TryGetProperty("order", out var order) ? order.GetInt32() : null,
            NoiseStd = step.TryGetProperty("s_noise", out var std) ? std.GetDouble() : null,
            Churn = step.TryGetProperty("s_churn", out var churn)
                ? new(churn.GetDouble(), step.TryGetProperty("s_tmin", out var low) ? low.GetDouble() : 0,
                    step.TryGetProperty("s_tmax", out var high) ? high.GetDouble() : double.PositiveInfinity, std.ValueKind == JsonValueKind.Number ? std.GetDouble() : 1)
                : null,
            Tau = c.Config.GetProperty("init_args").TryGetProperty("tau_func", out _) ? _ => 0 : null,
            RederiveEpsilon = step.TryGetProperty("use_clipped_model_output", out var u) && u.GetBoolean(),
        };
    }

    // The test model hears the scaled sample and the listed time, and answers as whatever the scheduler expects.
    internal static FunctionDenoiser Model(GoldenCase c, SchedulerComposition composition)
    {
        var (process, scheme) = (composition.Process, composition.Preconditioning);
        var mixture = c.Has("gm_means") ? c.Mixture(Table(c.Config.GetProperty("full_config")).Process) : null;
        return new(process, (x, t) =>
        {
            var input = scheme.In(process, t.Value) * x;
            double told = scheme.Noise(process, t.Value);
            var output = mixture is null ? input * (told / (told + 1)) : mixture.Denoise(input, told, Condition.None).View(scheme.Kind);
            Tensor? variance = composition.Variance switch
            {
                null => null,
                _ when composition.PlainVariance => (0.5 + 0.4 * (3 * input).sin()).log(),
                _ => (3 * input).sin(),
            };
            return new(scheme, output, x, process, t, variance, composition.Variance ?? default);
        });
    }
}
