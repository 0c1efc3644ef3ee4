using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>guided-diffusion's tables, posteriors, reverse kernels, losses, respacing and importance sampling.</summary>
internal static class GuidedGoldens
{
    [Golden("guided", "tables")]
    public static void Tables(GoldenCase c)
    {
        var process = Process(c);
        int steps = process.Steps;
        Tensor Row(Func<int, double> of) => tensor(Enumerable.Range(0, steps).Select(of).ToArray());
        double Next(int n) => n + 1 < steps ? process.AlphaCumprod(n + 1) : 0;
        c.Check("betas", Row(process.Beta));
        c.Check("alphas_cumprod", Row(process.AlphaCumprod));
        c.Check("alphas_cumprod_prev", Row(n => process.AlphaCumprod(n - 1)));
        c.Check("alphas_cumprod_next", Row(Next));
        c.Check("sqrt_alphas_cumprod", Row(n => process.Alpha(n)));
        c.Check("sqrt_one_minus_alphas_cumprod", Row(n => process.Sigma(n)));
        c.Check("log_one_minus_alphas_cumprod", Row(n => 2 * Math.Log(process.Sigma(n))));
        c.Check("sqrt_recip_alphas_cumprod", Row(n => 1 / process.Alpha(n)));
        c.Check("sqrt_recipm1_alphas_cumprod", Row(n => process.Sigma(n) / process.Alpha(n)));
        c.Check("posterior_variance", Row(n => process.Posterior(n - 1, n).Variance));
        c.Check("posterior_log_variance_clipped", Row(n => ReverseKernel.LogSmall(process, n - 1, n)));
        c.Check("posterior_mean_coef1", Row(n => process.Posterior(n - 1, n).OfX0));
        c.Check("posterior_mean_coef2", Row(n => process.Posterior(n - 1, n).OfX));
    }

    [Golden("guided", "q")]
    public static void Forward(GoldenCase c)
    {
        var process = Process(c);
        Tensor x0 = c["x_start"], x = c["x_t"], noise = c["noise"];
        var t = Steps(c["t"]);
        var s = t.Select(n => n - 1);
        c.Check("x_t", process.Corrupt(x0, t, noise));
        c.Check("q_mean", t.As(x0) * 0 + t.Map(process.Alpha, x0) * x0);
        c.Check("q_var", t.Vector(n => Math.Pow(process.Sigma(n), 2)));
        c.Check("q_logvar", t.Vector(n => 2 * Math.Log(process.Sigma(n))));
        var truth = new Prediction(PredictionKind.X0, x0, x, process, t);
        var kernel = ReverseKernel.Of(truth, s);
        c.Check("post_mean", kernel.Mean);
        c.Check("post_var", t.Vector(n => process.Posterior(n - 1, n).Variance));
        c.Check("post_logvar", kernel.LogVariance.flatten());
        c.Check("prior_bpd", VariationalBound.Prior(process, x0));
        c.Check("eps_from_xstart", truth.Epsilon, relative: 1e-3);
        c.Check("xstart_from_eps", new Prediction(PredictionKind.Epsilon, noise, x, process, t).X0, relative: 1e-3);
        c.Check("xstart_from_xprev", new Prediction(new PosteriorMeanPreconditioning(), c["post_mean"], x, process, t).X0, relative: 1e-3);
    }

    [Golden("guided", "p_EPSILON"), Golden("guided", "p_START_X"), Golden("guided", "p_PREVIOUS_X")]
    public static void Reverse(GoldenCase c)
    {
        var model = new GuidedModel(c, Process(c));
        Tensor x0 = c["x_start"], x = c["x_t"];
        var t = Steps(c["t"]);
        var s = t.Select(n => n - 1);
        // The noisy extremes divide by a tiny α: the index allows more where nothing clips.
        double? relative = model.Clips || model.Mean == "START_X" ? null : 1e-3;
        void Check(string name, Tensor actual) => c.Check(name, actual, relative);

        var raw = model.Denoiser.Denoise(x, t, Condition.None);
        var clipped = model.Clip(raw);
        var ofMean = model.OfMean(raw);
        var kernel = ReverseKernel.Of(ofMean, s, model.Variance);
        Check("model_output", raw.Variance is { } v ? cat([raw.Output, v], 1) : raw.Output);
        Check("p_mean", kernel.Mean);
        Check("p_log_variance", kernel.LogVariance.expand(x.shape));
        // The small variance itself is 0 at the last step; only its logarithm is bounded.
        Check("p_variance", (model.Variance == ReverseVariance.Small ? t.Map(n => raw.Process.Posterior(n - 1, n).Variance, x) : kernel.LogVariance.exp()).expand(x.shape));
        Check("p_pred_xstart", clipped.X0);

        var bound = new VariationalBound(model.Variance, new DiscretizedGaussian(TanhApproximation: true));
        Check("vb_output", bound.Term(ofMean, x0, s));
        Check("vb_pred_xstart", clipped.X0);
        Losses(c, model, bound, raw, x0, Check);
        Steps(c, model, x, t, clipped, Check);
    }

    // Training never clips. The hybrid's bound is one term of T; "rescaled" means T terms over 1,000.
    private static void Losses(GoldenCase c, GuidedModel model, VariationalBound bound, Prediction raw, Tensor x0, Action<string, Tensor> check)
    {
        Tensor noise = c["noise"];
        int steps = raw.Process.StepCount!.Value;
        var simple = new DenoisingObjective();
        check("train_KL_loss", bound.Loss(raw, x0, noise) / steps);
        check("train_RESCALED_KL_loss", bound.Loss(raw, x0, noise));
        check("train_MSE_mse", simple.Loss(raw, x0, noise));
        check("train_RESCALED_MSE_mse", simple.Loss(raw, x0, noise));
        bool learned = model.Variance == ReverseVariance.Learned;
        foreach (var (name, weight) in new[] { ("MSE", 1.0 / steps), ("RESCALED_MSE", 0.001) })
        {
            Objective objective = learned ? new HybridObjective(simple, bound, weight) : simple;
            check($"train_{name}_loss", objective.Loss(raw, x0, noise));
            Assert.Equal(learned, c.Has($"train_{name}_vb"));
            if (learned) check($"train_{name}_vb", weight * bound.Loss(raw.Detached(), x0, noise));
        }
    }

    // One step of each sampler from every sample's own time.
    private static void Steps(GoldenCase c, GuidedModel model, Tensor x, Times t, Prediction clipped, Action<string, Tensor> check)
    {
        var clamped = model.Clips ? model.Denoiser.Clamped() : model.Denoiser;
        Tensor Step(Sampler sampler, IDenoiser denoiser, int draw) => cat([.. Enumerable.Range(0, (int)x.shape[0]).Select(i =>
        {
            var noise = new ReplayedNoise([c["step_noise"][draw][i].unsqueeze(0)]);
            return sampler.Run(denoiser, x[i].unsqueeze(0), new TimeGrid([t[i], t[i] - 1]), noise: noise);
        })]);
        check("p_sample", Step(new DdpmAncestral(model.Variance), model.Mean == "PREVIOUS_X" ? model.Denoiser : clamped, 0));
        check("ddim_sample_eta0", Step(new Ddim(), clamped, 1));
        check("ddim_sample_eta0.5", Step(new Ddim(0.5), clamped, 2));
        check("ddim_sample_eta1", Step(new Ddim(1), clamped, 3));
        double last = model.Process.MaxTime;
        check("ddim_reverse_sample", t.Map(n => n < last ? model.Process.Alpha(n + 1) : 0, x) * clipped.X0
            + t.Map(n => n < last ? model.Process.Sigma(n + 1) : 1, x) * clipped.Epsilon);
    }

    [Golden("guided", "loops")]
    public static void Loops(GoldenCase c)
    {
        int total = c.Int("T");
        var full = Process(c);
        int[] steps = c.Text("section") is { Length: > 0 } section ? Respacing.Steps(total, section) : [.. Enumerable.Range(0, total)];
        if (c.Has("timestep_map")) c.Check("timestep_map", tensor(Array.ConvertAll(steps, n => (long)n)), 0, 0);
        // A respaced sampler visits a part of the model's own steps. Only a network whose output is x_(n−1) itself, which depends on
        // what the step before n is, needs a respaced table.
        bool own = c.Text("mean_type") == "PREVIOUS_X";
        var table = own ? full.Respaced(steps) : full;
        double[] times = own ? [.. Enumerable.Range(0, steps.Length).Select(n => (double)n)] : Array.ConvertAll(steps, n => (double)n);
        var model = new GuidedModel(c, table, own ? steps : null);
        IDenoiser clamped = model.Clips ? model.Denoiser.Clamped() : model.Denoiser, ofMean = own ? model.Denoiser : clamped;
        c.Check("betas", tensor(Enumerable.Range(0, steps.Length).Select(full.Respaced(steps).Beta).ToArray()), 1e-9, 0);

        var grid = new TimeGrid([.. times.Reverse(), table.DataTime]);
        void Run(string name, Sampler sampler, IDenoiser denoiser)
        {
            model.Network.Told.Clear();
            var noise = new ReplayedNoise(Enumerable.Range(0, steps.Length).Select(k => c[$"{name}_noise"][k]));
            // The reference draws noise at every step; DDIM at η = 0 here never does.
            c.Check($"{name}_samples", stack([.. sampler.Steps(denoiser, c["x_T"], grid, noise: noise).Select(s => s.X.clone())]));
            c.Check($"{name}_model_t", tensor(model.Network.Told.ToArray()), 1e-6, 1e-6);
        }
        Run("p_sample", new DdpmAncestral(model.Variance), ofMean);
        Run("ddim_eta0", new Ddim(), clamped);
        Run("ddim_eta07", new Ddim(0.7), clamped);

        var x = c["reverse_x0"];
        var inverted = new List<Tensor>();
        for (int k = 0; k < times.Length; k++)
        {
            var prediction = clamped.Denoise(x, times[k], Condition.None);
            var (alpha, sigma) = k + 1 < times.Length ? (table.Alpha(times[k + 1]), table.Sigma(times[k + 1])) : (0, 1);
            inverted.Add(x = alpha * prediction.X0 + sigma * prediction.Epsilon);
        }
        c.Check("reverse_samples", stack([.. inverted]));

        BoundEstimate Bound(IDenoiser denoiser)
        {
            var noise = new ReplayedNoise(Enumerable.Range(0, steps.Length).Select(k => c["bpd_noise"][k]));
            return new VariationalBound(model.Variance, new DiscretizedGaussian(TanhApproximation: true))
                .Evaluate(denoiser, c["bpd_x_start"], Condition.None, [.. times.Reverse()], noise: noise.Next);
        }
        using var bound = Bound(ofMean);
        using var errors = Bound(clamped);
        c.Check("bpd_prior", bound.Prior);
        c.Check("bpd_vb", bound.Terms);
        c.Check("bpd_total", bound.Total);
        c.Check("bpd_xstart_mse", errors.SquaredErrorX0);
        c.Check("bpd_mse", errors.SquaredErrorEpsilon);
    }

    [Golden("guided", "space")]
    public static void Space(GoldenCase c)
    {
        if (c.Config.TryGetProperty("cases", out var outcomes))
        {
            foreach (var outcome in outcomes.EnumerateArray())
            {
                var (total, sections, expected) = (outcome[0].GetInt32(), outcome[1].GetString()!, outcome[2].GetString()!);
                if (expected.StartsWith("ok:", StringComparison.Ordinal))
                    Assert.Equal(int.Parse(expected[3..], System.Globalization.CultureInfo.InvariantCulture), Respacing.Steps(total, sections).Length);
                else
                    Assert.Throws<ArgumentException>(() => Respacing.Steps(total, sections));
            }
            return;
        }
        int steps = c.Int("num_timesteps");
        Assert.Equal("cosine", c.Text("base_schedule"));
        int[] kept = Respacing.Steps(steps, c.Text("section_counts"));
        var process = DiscreteProcess.FromBetas(Betas.Cosine(steps)).Respaced(kept);
        c.Check("timesteps", tensor(Array.ConvertAll(kept, k => (long)k)), 0, 0);
        c.Check("betas", tensor(Enumerable.Range(0, process.Steps).Select(process.Beta).ToArray()), 1e-9, 0);
        c.Check("alphas_cumprod", tensor(Enumerable.Range(0, process.Steps).Select(process.AlphaCumprod).ToArray()), 1e-9, 0);
        c.Check("rescaled_timesteps", tensor(Array.ConvertAll(kept, k => (float)(k * (1000.0 / steps)))), 1e-6, 0);
    }

    [Golden("guided", "misc")]
    public static void Misc(GoldenCase c)
    {
        if (c.Has("kl"))
        {
            c.Check("kl", Gaussians.Kl(c["mean1"], c["logvar1"], c["mean2"], c["logvar2"]));
            return;
        }
        c.Check("approx_cdf", DiscretizedGaussian.TanhCdf(c["cdf_in"]));
        c.Check("log_prob", new DiscretizedGaussian(TanhApproximation: true).LogLikelihood(c["x"], c["means"], 2 * c["log_scales"]));
    }

    [Golden("guided", "resampler")]
    public static void Resampler(GoldenCase c)
    {
        int steps = c.Int("T");
        var process = DiscreteProcess.FromBetas(Betas.Linear(steps));
        var distribution = new LossSecondMoment(c.Int("history_per_term"), c.Double("uniform_prob"));
        var source = (LossSecondMomentSource)distribution.Begin(process, 0);
        for (int k = 0; k < c["ts"].shape[0]; k++)
        {
            source.Observe(Steps(c["ts"][k]), c["losses"][k].data<double>().ToArray());
            Assert.Equal(c["warmed_up"][k].item<bool>(), source.WarmedUp);
            // The reference's weights are p up to a factor: ones before the warm-up, p itself after it.
            var weights = tensor(source.Probabilities()) * (source.WarmedUp ? 1 : steps);
            c.Check($"weights", c["weights"][k], weights);
            // A source restored from the state goes on alike.
            var other = (LossSecondMomentSource)distribution.Begin(process, 0);
            other.State = source.State;
            source = other;
        }
        c.Check("probs", tensor(source.Probabilities()));
        var of = source.Weights();
        c.Check("sample_weights", tensor(c["sample_indices"].data<long>().Select(n => of[n]).ToArray()));
    }

    internal static DiscreteProcess Process(GoldenCase c) => DiscreteProcess.FromBetas(c.Text("schedule") switch
    {
        "linear" => Betas.GuidedLinear(c.Int("T")),
        "cosine" => Betas.Cosine(c.Int("T")),
        var other => throw new NotSupportedException($"schedule {other}"),
    });

    internal static Times Steps(Tensor t) => Times.Each([.. t.data<long>().Select(n => (double)n)]);
}

/// <summary>The recorded cases' network and how they read it.</summary>
internal sealed class GuidedModel
{
    public GuidedModel(GoldenCase c, DiscreteProcess process, IReadOnlyList<int>? steps = null)
    {
        (Process, Mean, Clips) = (process, c.Text("mean_type"), c.Bool("clip_denoised"));
        string type = c.Text("var_type");
        Variance = type switch { "FIXED_SMALL" => ReverseVariance.Small, "FIXED_LARGE" => ReverseVariance.Large, _ => ReverseVariance.Learned };
        double scale = c.Bool("rescale_timesteps") ? 1000.0 / c.Int("T") : 1;
        Preconditioning preconditioning = Mean switch
        {
            "EPSILON" => new PlainPreconditioning(PredictionKind.Epsilon, scale),
            "START_X" => new PlainPreconditioning(PredictionKind.X0, scale),
            _ => new PosteriorMeanPreconditioning(scale, steps),
        };
        Network = new((x, t) =>
        {
            var m = 0.7 * x + 0.1 * (3 * x).sin() + 0.05 * (t / 50).cos();
            return Variance == ReverseVariance.Learned ? cat([m, (2 * x).sin()], 1) : m;
        });
        Denoiser = new(Network, process, preconditioning,
            type switch { "LEARNED" => VarianceKind.Learned, "LEARNED_RANGE" => VarianceKind.LearnedRange, _ => null });
    }

    public DiscreteProcess Process { get; }
    public string Mean { get; }
    public bool Clips { get; }
    public ReverseVariance Variance { get; }
    public FunctionNetwork Network { get; }
    public NetworkDenoiser Denoiser { get; }

    public Prediction Clip(Prediction p) => Clips ? p.With(PredictionKind.X0, p.X0.clamp(-1, 1)) : p;

    /// <summary>The reference takes a predicted x_(n−1) as the mean, whatever is clipped.</summary>
    public Prediction OfMean(Prediction p) => Mean == "PREVIOUS_X" ? p : Clip(p);
}
