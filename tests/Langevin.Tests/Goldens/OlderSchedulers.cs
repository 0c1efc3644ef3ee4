using System.Text.Json.Nodes;
using Langevin.Denoisers;
using Langevin.Hub.Schedulers;
using Langevin.Inverse;
using Langevin.Samplers;
using static Langevin.Tests.Goldens.ScheduleGoldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>diffusers' schedulers whose cases have a protocol of their own.</summary>
internal static class OlderSchedulerGoldens
{
    private static SchedulerComposition Compose(GoldenCase c, SchedulerRequest request, params string[] options)
    {
        JsonObject config = new() { ["_class_name"] = c.Family };
        foreach (string name in options) config[name] = c.Double(name);
        return DiffusersScheduler.Read(config).Compose(request);
    }

    [Golden("schedulers", "KarrasVeScheduler")]
    internal static void KarrasVe(GoldenCase c)
    {
        var composition = Compose(c, c.Int("n"), "sigma_min", "sigma_max", "s_churn", "s_min", "s_max", "s_noise");
        var process = composition.Process;
        c.Check("schedule", Vector(composition.Timesteps.Reverse()));
        var denoiser = new FunctionDenoiser(process, (x, t) =>
        {
            // The pipeline scales and shifts the input to [0, 1], tells the network σ/2, and multiplies by that; this network halves its input.
            double half = composition.Preconditioning.Noise(process, t.Value) / 2;
            return new(composition.Preconditioning, half * ((x + 1) / 4 * (half / (half + 1))), x, process, t);
        });
        List<Tensor> states = [c["x_steps"][0].to(ScalarType.Float64)];
        Assert.Equal(states[0].abs().sum().item<double>(), (SchedulerGoldens.Dummy(2) * c.Double("sigma_max")).abs().sum().item<double>(), 1);
        foreach (var step in composition.Sampler.Steps(denoiser, states[0], composition.Grid)) states.Add(step.X.clone());
        c.Check("x_steps", stack(states));
    }

    [Golden("schedulers", "ScoreSdeVeScheduler")]
    internal static void ScoreSdeVe(GoldenCase c)
    {
        int n = c.Int("num_inference_steps"), corrections = c.Int("correct_steps");
        var composition = Compose(c, n, "sigma_min", "sigma_max", "snr", "correct_steps");
        var (process, grid) = (composition.Process, composition.Grid);
        c.Check("discrete_sigmas", Vector(grid.Times.Take(n).Reverse()));
        c.Check("x_steps[0]", c["x_steps"][0], SchedulerGoldens.Dummy(2) * composition.InitialStd);
        // The case sets no levels for its number of steps, so that its model is told the first ones of the training table.
        double[] told = Doubles(c["sigmas"]);
        var score = new FunctionDenoiser(process, (x, t) => new(PredictionKind.Score, -x / (Math.Pow(told[Array.IndexOf([.. grid.Times], t.Value)], 2) + 1), x, process, t));
        var start = c["x_steps"][0].to(ScalarType.Float64);
        // Pipelines return the mean of the last step, and so does the composition; the steps themselves draw noise to the end.
        var sampler = (PredictorCorrector)composition.Sampler with { Predictor = new ReverseDiffusion { EndsAtMean = false } };
        List<Tensor> states = [start];
        foreach (var step in sampler.Steps(score, start, grid, noise: new ReplayedNoise(c["noise"].unbind()))) states.Add(step.X.clone());
        var predicted = tensor(Enumerable.Range(0, n + 1).Select(i => (long)i * (corrections + 1)).ToArray());
        c.Check("x_steps", c["x_steps"].index_select(0, predicted), stack(states));
        c.Check("prev_sample_mean", c["prev_sample_mean"][-1], composition.Sampler.Run(score, start, grid, noise: new ReplayedNoise(c["noise"].unbind())));
    }

    [Golden("schedulers", "ScoreSdeVpScheduler")]
    internal static void ScoreSdeVp(GoldenCase c)
    {
        int n = c.Int("n");
        var composition = Compose(c, n, "beta_min", "beta_max", "sampling_eps");
        var (process, scheme) = (composition.Process, composition.Preconditioning);
        c.Check("timesteps", Vector(composition.Timesteps));
        // At the smallest time the reference's √(1 − exp(−1e-4)) keeps three digits in single precision: its own value is put in.
        var denoiser = new FunctionDenoiser(process, (x, t) => new(scheme, -x * (process.Sigma(t.Value) / Rounded((float)t.Value)), x, process, t));
        List<Tensor> states = [c["x_steps"][0].to(ScalarType.Float64)];
        foreach (var step in composition.Sampler.Steps(denoiser, states[0], composition.Grid, noise: new ReplayedNoise(c["noise"].unbind()))) states.Add(step.X.clone());
        c.Check("x_steps", stack(states));

        double Rounded(float t)
        {
            float low = (float)c.Double("beta_min"), span = (float)(c.Double("beta_max") - c.Double("beta_min")), log = -0.25f * (t * t) * span - 0.5f * t * low;
            return MathF.Sqrt(1 - MathF.Exp(2 * log));
        }
    }

    [Golden("schedulers", "RePaintScheduler")]
    internal static void RePaint(GoldenCase c)
    {
        var seen = new Measurement(new Inpainting(c["mask"]), c["mask"] * c["original_image"]);
        SchedulerRequest request = new() { Steps = c.Int("num_inference_steps"), Measurement = seen, Jump = c.Int("jump_length"), Resamplings = c.Int("jump_n_sample") };
        var composition = Compose(c, request, "eta");
        var process = composition.Process;
        Assert.IsType<RePaint>(composition.Sampler);
        var recorder = new Recorder(composition.Decoration(new FunctionDenoiser(process, (x, t) => new(composition.Preconditioning, x * (t.Value / (t.Value + 1)), x, process, t))));
        Tensor start = c["x_kept"][0].to(ScalarType.Float64);
        var draws = c["noise_flat"].to(ScalarType.Float64).view([-1, .. start.shape]).unbind();
        double[] times = Doubles(c["timesteps"]), undone = Doubles(c["is_undo"]), kept = Doubles(c["kept_index"]);
        int judged = 0;
        foreach (var step in composition.Sampler.Steps(recorder, start, composition.Grid, noise: new ReplayedNoise(draws)))
        {
            // The reference's loop when it has asked as often: a step of the grid ends with all its returns.
            int loops = Enumerable.Range(0, undone.Length).Where(i => undone[i] == 0).ElementAt(step.Evaluations - 1) + 1;
            if (Array.IndexOf(kept, loops) is >= 0 and var at)
            {
                c.Check($"x_kept[{at}]", c["x_kept"][at], step.X);
                judged++;
            }
        }
        Assert.True(judged >= 2, $"{judged} of the kept states are ends of steps");
        Assert.Equal(times.Where((_, i) => undone[i] == 0), recorder.T);
    }

    [Golden("schedulers", "VQDiffusionScheduler")]
    internal static void VqDiffusion(GoldenCase c) =>
        Assert.Skip($"{c.Family} draws discrete tokens by a transition matrix; the processes of this library are linear-Gaussian, and reading it is an error that says so");
}
