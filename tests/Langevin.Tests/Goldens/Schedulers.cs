using System.Text.Json;
using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Samplers;
using static Langevin.Tests.Goldens.ScheduleGoldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>diffusers' DDIM and DDPM, and how its schedulers corrupt data.</summary>
internal static class SchedulerGoldens
{
    [Golden("schedulers", "DDIMScheduler")]
    [Golden("schedulers", "DDIMParallelScheduler")]
    internal static void Ddim(GoldenCase c)
    {
        var config = c.Config.GetProperty("full_config");
        // The stride is T/n wherever the times are, so that the steps need not meet the next time.
        var (process, times, stride) = Table(c, config);
        double end = config.GetProperty("set_alpha_to_one").GetBoolean() ? process.DataTime : 0;
        var step = c.Config.GetProperty("step_args");
        double eta = step.TryGetProperty("eta", out var e) ? e.GetDouble() : 0;
        bool rederived = step.TryGetProperty("use_clipped_model_output", out var u) && u.GetBoolean();
        Check(c, new Ddim(eta), Model(c, process, keepEpsilon: !rederived), times.Select(t => (t, t < stride ? end : t - stride)));
    }

    [Golden("schedulers", "DDPMScheduler")]
    [Golden("schedulers", "DDPMParallelScheduler")]
    internal static void Ddpm(GoldenCase c)
    {
        var config = c.Config.GetProperty("full_config");
        var (process, times, _) = Table(c, config);
        ReverseVariance? variance = config.GetProperty("variance_type").GetString() switch
        {
            "fixed_small" or "fixed_small_log" => ReverseVariance.Small,
            "fixed_large" or "fixed_large_log" => ReverseVariance.Large,
            _ => null,
        };
        Check(c, new DdpmAncestral(variance), Model(c, process, keepEpsilon: false), times.Zip(times.Skip(1).Append(process.DataTime)));
    }

    [Golden("schedulers", "add_noise")]
    internal static void AddNoise(GoldenCase c)
    {
        var table = new DiffusersTable(c.Config.GetProperty("init_args"));
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

    private static void Check(GoldenCase c, Sampler sampler, IDenoiser model, IEnumerable<(double T, double S)> steps)
    {
        var recorder = new Recorder(model);
        var x = c["x_steps"][0].to(ScalarType.Float64);
        if (c.Config.GetProperty("initial_sample").GetString()!.StartsWith("dummy_sample", StringComparison.Ordinal))
            c.Check("x_steps[0]", c["x_steps"][0], Dummy());
        var noise = c.Has("noise") ? new ReplayedNoise(Enumerable.Range(0, (int)c["noise"].shape[0]).Select(i => c["noise"][i])) : null;
        List<Tensor> states = [x];
        sampler.Drive(recorder, x, steps, noise, states);
        c.Check("x_steps", stack(states));
        // (x − σ ε)/α in single precision loses 1/α digits.
        double Rounding(double t) => Math.Max(c.Absolute, 6e-8 / Math.Max(1e-3, model.Process.Alpha(t)));
        c.Check("pred_original_first", recorder.X0[0], absolute: Rounding(recorder.T[0]));
        c.Check("pred_original_last", recorder.X0[^1], absolute: Rounding(recorder.T[^1]));
    }

    private static (DiscreteProcess Process, double[] Times, int Stride) Table(GoldenCase c, JsonElement config)
    {
        var table = new DiffusersTable(config).Process;
        var set = c.Config.GetProperty("set_timesteps");
        double[] times;
        int n;
        if (set.TryGetProperty("timesteps", out var custom)) (times, n) = ([.. custom.EnumerateArray().Select(t => t.GetDouble())], custom.GetArrayLength());
        else
        {
            n = set.GetProperty("num_inference_steps").GetInt32();
            times = config.GetProperty("timestep_spacing").GetString() switch
            {
                "leading" => [.. TimeGrid.Leading(table, n, config.GetProperty("steps_offset").GetInt32()).Times.Take(n)],
                "trailing" => [.. TimeGrid.Trailing(table, n).Times.Take(n)],
                _ => [.. TimeGrid.Spaced(table, n).Times.Take(n)],
            };
        }
        c.Check("timesteps", Vector(times), 0, 0);
        return (table, times, table.Steps / n);
    }

    private static IDenoiser Model(GoldenCase c, DiscreteProcess process, bool keepEpsilon)
    {
        var config = c.Config.GetProperty("full_config");
        var kind = config.GetProperty("prediction_type").GetString() switch
        {
            "epsilon" => PredictionKind.Epsilon,
            "sample" => PredictionKind.X0,
            _ => PredictionKind.V,
        };
        string? variance = config.TryGetProperty("variance_type", out var v) ? v.GetString() : null;
        IDenoiser model = c.Has("gm_means")
            ? new FunctionDenoiser(process, (x, t) => new(kind, c.Mixture(process).Denoise(x, t, Condition.None).View(kind), x, process, t))
            : new FunctionDenoiser(process, (x, t) => variance switch
            {
                // "learned" there is the variance itself; ours is its logarithm.
                "learned" => new(kind, x * (t.Value / (t.Value + 1)), x, process, t, (0.5 + 0.4 * (3 * x).sin()).log(), VarianceKind.Learned),
                "learned_range" => new(kind, x * (t.Value / (t.Value + 1)), x, process, t, (3 * x).sin(), VarianceKind.LearnedRange),
                _ => new(kind, x * (t.Value / (t.Value + 1)), x, process, t),
            });
        if (config.GetProperty("thresholding").GetBoolean())
            return new DynamicThresholding(model, config.GetProperty("dynamic_thresholding_ratio").GetDouble(), ceiling: config.GetProperty("sample_max_value").GetDouble(), keepEpsilon: keepEpsilon);
        return config.GetProperty("clip_sample").GetBoolean()
            ? new StaticThresholding(model, config.GetProperty("clip_sample_range").GetDouble(), keepEpsilon)
            : model;
    }

    // The first two of diffusers' deterministic test images: k/768 in the order channel, row, column, image.
    private static Tensor Dummy() => (arange(768, ScalarType.Float64) / 768).view(3, 8, 8, 4).permute(3, 0, 1, 2).narrow(0, 0, 2);
}
