using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using static Langevin.Tests.Goldens.ScheduleGoldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>
/// score_sde's hybrid of a continuous SDE and a table of N steps: marginals, drift and diffusion are the SDE's, while the
/// transition of one step is the table's at ⌊t (N − 1)⌋, wherever the step ends.
/// </summary>
internal sealed class TabledSde(GaussianProcess sde, DiscreteProcess table) : GaussianProcess
{
    public GaussianProcess Sde => sde;
    public DiscreteProcess Table => table;
    public override double MinTime => sde.MinTime;
    public override double MaxTime => sde.MaxTime;
    public override double DataTime => sde.DataTime;
    public override double PriorStd => sde.PriorStd;
    public override double Alpha(double t) => sde.Alpha(t);
    public override double Sigma(double t) => sde.Sigma(t);
    public override double AlphaDot(double t) => sde.AlphaDot(t);
    public override double SigmaDot(double t) => sde.SigmaDot(t);
    public override double Drift(double t) => sde.Drift(t);
    public override double TimeOfLambda(double lambda) => sde.TimeOfLambda(lambda);
    public override double DiffusionSquared(double t) => sde.DiffusionSquared(t);
    public override (double Scale, double Variance) Transition(double s, double t) => table.Transition(Index(t) - 1, Index(t));
    public override (double OfX, double OfX0, double Variance) Posterior(double s, double t) => table.Posterior(Index(t) - 1, Index(t));
    public int Index(double t) => (int)(t * (table.Steps - 1));

    public static TabledSde Of(GoldenCase c)
    {
        int n = c.Int("N", 1000);
        double low = c.Double("beta_min"), high = c.Double("beta_max"), eps = c.Double("eps", 1e-5);
        return c.Text("sde") switch
        {
            "vp" => new(VariancePreserving.Linear(low, high, eps), DiscreteProcess.FromBetas(Betas.Linear(n, low / n, high / n))),
            "subvp" => new(new SubVariancePreserving(low, high, eps), DiscreteProcess.FromBetas(Betas.Linear(n, low / n, high / n))),
            _ => new(new VarianceExploding(c.Double("sigma_min"), c.Double("sigma_max")),
                DiscreteProcess.FromSigmas(Betas.GeometricSigmas(n, c.Double("sigma_max"), c.Double("sigma_min")))),
        };
    }
}

/// <summary>The SDEs of Song et al. 2021: coefficients, predictors, correctors, flow and likelihood.</summary>
internal static class ScoreSdeGoldens
{
    [Golden("score_sde", "sde")]
    internal static void Coefficients(GoldenCase c)
    {
        var process = TabledSde.Of(c);
        using var mixture = c.Mixture(process);
        var x = c["x"];
        var t = Doubles(c["t"]);
        var times = Times.Each(t);
        var score = mixture.Denoise(x, times, Condition.None).Score;
        Tensor Of(Func<double, double> f) => Times.Each(t).Map(f, x);
        Func<double, double> g2 = process.DiffusionSquared;
        int n = process.Table.Steps;
        // The discrete step: the table's; for sub-VP, which has none, an Euler–Maruyama step of 1/N.
        bool euler = c.Text("sde") == "subvp";
        double F(double u) => euler ? process.Drift(u) / n : process.Transition(0, u).Scale - 1;
        double G2(double u) => euler ? g2(u) / n : process.Transition(0, u).Variance;

        c.Check("mean", Of(process.Alpha) * x);
        c.Check("std", Vector(t.Select(process.Sigma)));
        c.Check("score", score);
        c.Check("drift", Of(process.Drift) * x);
        c.Check("diffusion", Vector(t.Select(u => Math.Sqrt(g2(u)))));
        c.Check("rev_drift", Of(process.Drift) * x - Of(g2) * score);
        c.Check("rev_diffusion", Vector(t.Select(u => Math.Sqrt(g2(u)))));
        // The flow's velocity, α' x_0 + σ' ε, is the drift less half of g² times the score.
        c.Check("ode_drift", mixture.Denoise(x, times, Condition.None).Velocity);
        c.Check("disc_f", Of(F) * x);
        c.Check("disc_G", Vector(t.Select(u => Math.Sqrt(G2(u)))));
        c.Check("rev_disc_f", Of(F) * x - Of(G2) * score);
        c.Check("rev_disc_G", Vector(t.Select(u => Math.Sqrt(G2(u)))));
        c.Check("ode_disc_f", Of(F) * x - 0.5 * Of(G2) * score);
        double std = process.PriorStd;
        c.Check("prior_logp", -0.5 * (x.flatten(1).square().sum(1) / (std * std) + x.flatten(1).shape[1] * Math.Log(2 * Math.PI * std * std)));
        if (!c.Has("discrete_betas") && !c.Has("discrete_sigmas")) return;
        int[] steps = [.. Enumerable.Range(0, n)];
        if (c.Has("discrete_betas"))
        {
            c.Check("discrete_betas", Vector(steps.Select(process.Table.Beta)));
            c.Check("alphas", Vector(steps.Select(i => 1 - process.Table.Beta(i))));
            c.Check("alphas_cumprod", Vector(steps.Select(process.Table.AlphaCumprod)));
        }
        if (c.Has("discrete_sigmas")) c.Check("discrete_sigmas", Vector(steps.Select(i => process.Table.Sigma(i))));
    }

    [Golden("score_sde", "predictor")]
    internal static void OnePredictorStep(GoldenCase c)
    {
        var process = TabledSde.Of(c);
        using var mixture = c.Mixture(process);
        string name = c.Id.Split('/')[1]["pred_".Length..];
        var predictor = Predictor(c, name[..name.LastIndexOf('_')]);
        var t = Doubles(c["t"]);
        foreach (bool noisy in new[] { true, false })
            c.Check(noisy ? "x_next" : "x_mean", Each(t, i =>
                (predictor! with { EndsAtMean = !noisy }).Drive(mixture, One(c["x"], i), [(t[i], t[i] - 1.0 / c.Int("N"))], new ReplayedNoise([One(c["noise"], i)]))));
        c.Check("score", Each(t, i => mixture.Denoise(One(c["x"], i), t[i], Condition.None).Score));
    }

    [Golden("score_sde", "corrector")]
    internal static void Correction(GoldenCase c)
    {
        var process = TabledSde.Of(c);
        using var mixture = c.Mixture(process);
        var corrector = Corrector(c, c.Id.Contains("langevin", StringComparison.Ordinal) ? "langevin" : "ald")! with { Count = 1 };
        var t = Doubles(c["t"]);
        // Every sample has a time of its own here, and the batch's mean norms couple them: the denoiser answers for each at its
        // own time, and of each correction at t_i the i-th sample is taken.
        var each = new FunctionDenoiser(process, (x, _) => mixture.Denoise(x, Times.Each(t), Condition.None));
        Tensor Once(Tensor x, Tensor noise) => Each(t, i => One(corrector.Correct(Run(each, noise), x, t[i], t[i] - 1.0 / c.Int("N")), i));
        var x = c["x"];
        int count = c.Int("n_steps");
        for (int k = 0; k < count; k++)
        {
            var noise = c["noise"][k];
            var next = Once(x, noise);
            // A draw and its opposite have the same norm: half way between their results lies the mean.
            if (k == count - 1) c.Check("x_mean", 0.5 * (next + Once(x, -noise)));
            x = next;
        }
        c.Check("x_next", x);
    }

    [Golden("score_sde", "pc")]
    internal static void PredictorCorrector(GoldenCase c)
    {
        var process = TabledSde.Of(c);
        using var mixture = c.Mixture(process);
        int n = process.Table.Steps;
        // Each step is one of 1/N, though the times go from 1 to ε.
        double[] times = Betas.Spaced(n, 1, c.Double("eps"));
        var predictor = Predictor(c, c.Text("predictor"));
        if (predictor is not null) predictor = predictor with { EndsAtMean = c.Bool("denoise", true) };
        var sampler = new PredictorCorrector(predictor, Corrector(c, c.Text("corrector")));
        var draws = Enumerable.Range(0, (int)c["noise"].shape[0]).Select(i => c["noise"][i]).ToArray();
        var x = draws[0].to(ScalarType.Float64) * process.PriorStd;
        c.Check("x_final", sampler.Drive(mixture, x, times.Select(t => (t, t - 1.0 / n)), new ReplayedNoise(draws.Skip(1))));
    }

    [Golden("score_sde", "ode")]
    internal static void Flow(GoldenCase c)
    {
        var process = TabledSde.Of(c);
        using var mixture = c.Mixture(process);
        var times = Doubles(c["t_eval"]);
        foreach (var coordinates in new[] { FlowCoordinates.Time, FlowCoordinates.Ratio, FlowCoordinates.LogRatio, FlowCoordinates.Angle })
        {
            List<Tensor> states = [c["z"]];
            states.AddRange(new DormandPrince(1e-10, 1e-10, coordinates).Steps(mixture, c["z"], new TimeGrid(times)).Select(s => s.X.clone()));
            c.Check("x_t", stack(states), 0, 1e-6);
            c.Check("ref_ode_sample_f32", states[^1], 0, 2e-3);
            // The reference ends with one reverse-diffusion step to its mean.
            double end = times[^1];
            var denoised = Predictor(c, "reverse_diffusion")!.Drive(mixture, states[^1], [(end, end - 1.0 / process.Table.Steps)]);
            c.Check("ref_ode_sample_denoised_f32", denoised, 0, 2e-3);
        }
    }

    [Golden("score_sde", "likelihood")]
    internal static void Likelihoods(GoldenCase c)
    {
        var process = TabledSde.Of(c);
        using var mixture = c.Mixture(process);
        double eps = c.Double("eps");
        var x = c["x0"];
        // The reference's offset of 8 bits is that of 256 values spread over [0, 1].
        using (var exact = new Likelihood(1e-9, 1e-9, DivergenceEstimator.Exact).Evaluate(mixture, x, from: eps))
        {
            c.Check("logp", exact.LogLikelihood, 0, 1e-5);
            c.Check("prior_logp", exact.Prior, 0, 1e-5);
            c.Check("delta_logp", exact.LogLikelihood - exact.Prior, 0, 1e-5);
            c.Check("bpd", exact.BitsPerDimension(256, 1), 0, 1e-5);
            c.Check("z", exact.Latent, 0, 1e-4);
            c.Check("logp_exact_T_at_z", mixture.LogProbability(exact.Latent, 1), 0, 1e-4);
            // With p_T itself in the prior's place the flow gives the exact density.
            c.Check("logp_exact_t_eps", mixture.LogProbability(exact.Latent, 1) + exact.LogLikelihood - exact.Prior, 0, 1e-5);
        }
        c.Check("logp_exact_t_eps", mixture.LogProbability(x, eps), 0, 1e-8);
        using var clean = c.Mixture(new EdmProcess());
        c.Check("logp_exact_data", clean.LogProbability(x, 0), 0, 1e-8);
        using var estimate = new Likelihood(1e-7, 1e-7, DivergenceEstimator.Gaussian).Evaluate(mixture, x, noise: new ReplayedNoise([c["hutchinson_eps"]]), from: eps);
        c.Check("hutchinson_bpd_f32", estimate.BitsPerDimension(256, 1), 0, 2e-3);
        c.Check("hutchinson_z_f32", estimate.Latent, 0, 2e-3 * process.PriorStd);
        c.Check("z", estimate.Latent, 0, 1e-4);
    }

    [Golden("score_sde", "ncsn")]
    internal static void Ncsn(GoldenCase c)
    {
        if (!c.Has("images"))
        {
            Matching(c);
            return;
        }
        var process = DiscreteProcess.FromSigmas(Doubles(c["sigmas"]));
        using var mixture = c.Mixture(process);
        var network = new Recorder(mixture);
        var sampler = new AnnealedLangevin(c.Double("step_lr"), c.Int("n_steps_each"), c.Bool("denoise"));
        int draws = (int)c["noise"].shape[0];
        var final = sampler.Run(network, c["x_init"], TimeGrid.All(process), noise: new ReplayedNoise(Enumerable.Range(0, draws).Select(i => c["noise"][i])));
        c.Check("images", stack([.. network.X.Skip(1).Take(draws - 1), network.X.Count > draws ? network.X[draws] : final]));
        Assert.Equal(c.Bool("denoise") ? draws + 1 : draws, network.X.Count);
        c.Check("sigmas", Vector(network.T.Where((_, i) => i % c.Int("n_steps_each") == 0).Take(c.Int("num_classes")).Select(process.Sigma)));
        if (c.Has("denoised")) c.Check("denoised", final);
    }

    // Denoising score matching: ½ ‖s + z/σ²‖² σ^p, the network being told nothing of the level.
    private static void Matching(GoldenCase c)
    {
        var sigmas = Doubles(c["sigmas"]);
        var process = DiscreteProcess.FromSigmas(sigmas);
        var levels = Times.Each([.. c["labels"].data<long>().Select(i => (double)Array.IndexOf([.. sigmas.Order()], sigmas[i]))]);
        Tensor x0 = c["samples"], noise = c["noise"];
        var x = process.Corrupt(x0, levels, noise);
        var said = new Prediction(PredictionKind.Score, 0.3 * x + 0.1 * (3 * x).sin(), x, process, levels);
        var objective = new DenoisingObjective(new NoisePower(PredictionKind.Score, c.Double("anneal_power")), Reduction.HalfSum);
        c.Check("loss", objective.Loss(said, x0, noise).mean());
    }

    private static Predictor? Predictor(GoldenCase c, string name) => (name, c.Text("sde")) switch
    {
        ("none", _) => null,
        // Sub-VP has no table of its own: its reverse diffusion is an Euler–Maruyama step.
        ("euler_maruyama", _) or ("reverse_diffusion", "subvp") => new EulerMaruyama(),
        ("reverse_diffusion", _) => new ReverseDiffusion(ProbabilityFlow: c.Id.EndsWith("probflow", StringComparison.Ordinal)),
        ("ancestral_sampling", "vp") => new AncestralPredictor(ReverseVariance.Large),
        ("ancestral_sampling", "ve") => new AncestralPredictor(ReverseVariance.Small),
        _ => throw new InvalidDataException($"unknown predictor {name}"),
    };

    private static Corrector? Corrector(GoldenCase c, string name) => name switch
    {
        "none" => null,
        "langevin" => new LangevinCorrector(c.Double("snr"), c.Int("n_steps", 1), BatchNorms: true),
        "ald" => new AnnealedLangevinCorrector(c.Double("snr"), c.Int("n_steps", 1)),
        _ => throw new InvalidDataException($"unknown corrector {name}"),
    };

    private static SamplingRun Run(IDenoiser denoiser, Tensor draw) => new(denoiser, new TimeGrid([1, 0]), Condition.None, new ReplayedNoise([draw]));

    private static Tensor Each(double[] t, Func<int, Tensor> sample) => cat([.. Enumerable.Range(0, t.Length).Select(sample)], 0);

    private static Tensor One(Tensor batch, int i) => batch.narrow(0, i, 1);
}
