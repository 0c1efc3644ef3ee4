using System.Globalization;
using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>Losses, weightings and time distributions of score_sde, EDM and k-diffusion.</summary>
internal static class LossGoldens
{
    private static Tensor Formula(Tensor x, Tensor label) => 0.3 * x + 0.1 * (3 * x).sin() + 0.05 * (label / 50).cos();

    [Golden("score_sde", "loss")]
    public static void ScoreSde(GoldenCase c)
    {
        double eps = c.Double("eps");
        bool exploding = c.Text("sde") == "ve";
        GaussianProcess process = exploding
            ? new VarianceExploding(c.Double("sigma_min"), c.Double("sigma_max"))
            : new SubVariancePreserving(c.Double("beta_min"), c.Double("beta_max"));
        Preconditioning how = exploding ? new ScoreOf(p => p.Sigma) : new PlainPreconditioning(PredictionKind.Epsilon, 999);
        // The sub-VP score is −F/σ and its loss (σ s + ε)² is F's against ε.
        var denoiser = new NetworkDenoiser(new FunctionNetwork(Formula), process, how);
        Tensor x0 = c["batch"], noise = c["noise"].to(x0.dtype);
        var t = Times.Each([.. c["u"].data<double>().Select(u => u * (1 - eps) + eps)]);
        foreach (var (mean, reduction) in new[] { (0, Reduction.HalfSum), (1, Reduction.Mean) })
        {
            Tensor Loss(Weighting weight) => new DenoisingObjective(weight, reduction).Loss(denoiser, x0, Condition.None, t, noise).mean();
            c.Check($"sde_loss_mean{mean}_lw0", Loss(new NoisePower(PredictionKind.Score, 2)));
            c.Check($"sde_loss_mean{mean}_lw1", Loss(Weighting.Likelihood));
            if (!c.Has($"legacy_loss_mean{mean}")) continue;
            // NCSN's table of levels: the network is told the index of a level, from the largest on.
            int levels = c.Int("N");
            var table = DiscreteProcess.FromSigmas(Betas.GeometricSigmas(levels, c.Double("sigma_max"), c.Double("sigma_min")));
            var ncsn = new NetworkDenoiser(new FunctionNetwork(Formula), table, new ScoreOf(p => n => p.MaxTime - n));
            var steps = GuidedGoldens.Steps(c["labels"]).Select(n => levels - 1 - n);
            c.Check($"legacy_loss_mean{mean}", new DenoisingObjective(new NoisePower(PredictionKind.Score, 2), reduction)
                .Loss(ncsn, x0, Condition.None, steps, noise).mean());
        }
    }

    // A network that gives the score itself, told some function of time.
    private sealed record ScoreOf(Func<GaussianProcess, Func<double, double>> Told) : Preconditioning
    {
        public override PredictionKind Kind => PredictionKind.Score;
        public override bool IsPlain => true;
        public override double Noise(GaussianProcess process, double t) => Told(process)(t);
    }

    [Golden("edm", "loss")]
    public static void Edm(GoldenCase c)
    {
        Assert.Equal("D(y,sigma)=0.5*y/(1+sigma)+0.1*sin(y)", c.Config.GetProperty("net").GetString());
        bool vp = c.Id.EndsWith("_vp", StringComparison.Ordinal);
        double sigmaData = c.Double("sigma_data", 0.5);
        Tensor x0 = c["images"];
        // EDM's own process for all: D is given the noise level. VPLoss weighs 1/σ², the unweighted error of ε.
        GaussianProcess process = new EdmProcess();
        double[] sigmas;
        if (vp)
        {
            // t uniform in [1e-5, 1] of the VP SDE, and σ its noise-to-signal ratio.
            var sde = VariancePreserving.Linear(0.1, 20, minTime: 1e-5);
            // The reference's u runs from noise to data: t = 1 + u (ε − 1).
            double[] u = [.. c["rnd_uniform"].flatten().data<float>().Select(u => 1 - (double)u)];
            sigmas = [.. new UniformTime().Quantiles(sde, u).Select(t => Math.Exp(-sde.Lambda(t)))];
        }
        else
        {
            var normal = new LogNormalTime(c.Double("P_mean", -1.2), c.Double("P_std", 1.2));
            sigmas = [.. c["rnd_normal"].flatten().data<float>().Select(z => normal.OfNormal(process, z))];
        }
        c.Check("sigma", tensor(sigmas).view(-1, 1, 1, 1));
        var t = Times.Each(sigmas);
        Weighting weight = vp ? Weighting.Simple : new EdmWeighting(sigmaData);
        var denoiser = new NetworkDenoiser(new FunctionNetwork((y, sigma) => 0.5 * y / (1 + sigma) + 0.1 * y.sin()), process, new DenoiserItself());
        Tensor Loss(Reduction reduction) => new DenoisingObjective(weight, reduction).Loss(denoiser, x0, Condition.None, t, c["noise"]);
        c.Check("loss_mean", Loss(Reduction.Mean).mean());
        c.Check("loss_sum", Loss(Reduction.Sum).sum());
        c.Check("loss", c["loss"].flatten(1).mean([1]), Loss(Reduction.Mean));
    }

    private sealed record DenoiserItself : Preconditioning
    {
        public override PredictionKind Kind => PredictionKind.X0;
        public override bool IsPlain => true;
        public override double Noise(GaussianProcess process, double t) => process.Sigma(t);
    }

    [Golden("extras", "k_density")]
    public static void Densities(GoldenCase c)
    {
        double loc = c.Double("loc"), scale = c.Double("scale");
        string function = c.Id[(c.Id.IndexOf("k_density_", StringComparison.Ordinal) + 10)..];
        double[] u = c["u"].data<double>().ToArray();
        TimeDistribution distribution;
        if (c.Config.TryGetProperty("image_d", out _))
        {
            distribution = new InterpolatedCosineTime(c.Double("image_d"), c.Double("noise_d_low"), c.Double("noise_d_high"), c.Double("sigma_data"),
                c.Double("min_value"), c.Double("max_value"));
            u = Array.ConvertAll(u, u => 1 - u); // the reference runs from noise to data
        }
        else if (function.StartsWith("log_logistic", StringComparison.Ordinal))
        {
            distribution = new LogLogisticTime(loc, scale, c.Double("min_value", 0), c.Double("max_value", double.PositiveInfinity));
        }
        else
        {
            distribution = new LogNormalTime((float)loc, (float)scale); // the reference's distribution holds them in single precision
            u = Array.ConvertAll(u, u => u * (1 - 2e-7) + 1e-7); // as the reference keeps away from the ends
        }
        c.Check("sigma", tensor(distribution.Quantiles(new EdmProcess(), u)));
    }

    // k-diffusion wraps every network as a denoiser of x_0 + σ ε: here the network's own process, used under EDM's.
    [Golden("extras", "k_denoiser")]
    public static void KDenoisers(GoldenCase c)
    {
        string wrapper = c.Text("wrapper");
        var network = new FunctionNetwork(Formula);
        var edm = new EdmProcess();
        double sigmaData = wrapper.EndsWith("sd1", StringComparison.Ordinal) ? 1 : 0.5;
        var how = new Told(new EdmPreconditioning(sigmaData), (_, sigma) => sigma);
        IDenoiser denoiser = wrapper switch
        {
            // α = cos(π t/2)
            "v" => new NetworkDenoiser(network, new VariancePreserving(t => Math.Log(Math.Cos(0.5 * Math.PI * t)), t => -0.5 * Math.PI * Math.Tan(0.5 * Math.PI * t),
                l => Math.Acos(Math.Exp(l)) * 2 / Math.PI), new PlainPreconditioning(PredictionKind.V)).On(edm),
            "eps_ddpm" => new NetworkDenoiser(network, DiscreteProcess.FromAlphasCumprod([.. c["alphas_cumprod"].data<float>().Select(a => (double)a)]),
                new PlainPreconditioning()).On(edm),
            _ => new NetworkDenoiser(network, edm, how),
        };
        Weighting? weight = wrapper switch
        {
            "eps_ddpm" or "simple_loss" => Weighting.Simple,
            // the unweighted error of v as the network's own process has it
            "v" => new EdmWeighting(1),
            _ when wrapper.Contains("soft-min-snr", StringComparison.Ordinal) => new SoftMinSnr(1 / (sigmaData * sigmaData)),
            _ when wrapper.Contains("karras_snr", StringComparison.Ordinal) => Weighting.Simple,
            _ => new EdmWeighting(sigmaData),
        };
        Tensor x0 = c["input"], noise = c["noise"];
        var t = Times.Each([.. c["sigma"].data<float>().Select(s => (double)s)]);
        c.Check("noised", edm.Corrupt(x0, t, noise));
        c.Check("denoised", denoiser.Denoise(c["noised"], t, Condition.None).X0);
        c.Check("loss", new DenoisingObjective(weight).Loss(denoiser, x0, Condition.None, t, noise));
    }

    /// <summary>A preconditioning whose network is told something else of the noise.</summary>
    private sealed record Told(Preconditioning Inner, Func<GaussianProcess, double, double> What) : Preconditioning
    {
        public override PredictionKind Kind => Inner.Kind;
        public override bool HasSkip => Inner.HasSkip;
        public override bool IsPlain => Inner.IsPlain;
        public override double Skip(GaussianProcess process, double t) => Inner.Skip(process, t);
        public override double Out(GaussianProcess process, double t) => Inner.Out(process, t);
        public override double In(GaussianProcess process, double t) => Inner.In(process, t);
        public override double Noise(GaussianProcess process, double t) => What(process, t);
    }

    [Golden("extras", "lucidrains")]
    public static void Lucidrains(GoldenCase c)
    {
        if (c.Id.Contains("elucidated", StringComparison.Ordinal)) Elucidated(c);
        else Gaussian(c);
    }

    private static void Gaussian(GoldenCase c)
    {
        int steps = c.Int("timesteps");
        var process = DiscreteProcess.FromBetas(c.Text("beta_schedule") switch
        {
            "linear" => Betas.GuidedLinear(steps),
            "cosine" => Betas.Cosine(steps),
            _ => Betas.SigmoidAlphaBar(steps),
        });
        var kind = c.Text("objective") switch { "pred_noise" => PredictionKind.Epsilon, "pred_x0" => PredictionKind.X0, _ => PredictionKind.V };
        Weighting weight = c.Bool("min_snr_loss_weight") ? new MinSnr(c.Double("min_snr_gamma")) : Weighting.Simple;
        Tensor Row(Func<int, double> of) => tensor(Enumerable.Range(0, steps).Select(of).ToArray());
        c.Check("betas", Row(process.Beta), absolute: 1e-6);
        c.Check("alphas_cumprod", Row(process.AlphaCumprod));
        c.Check("posterior_variance", Row(n => process.Posterior(n - 1, n).Variance));
        c.Check("posterior_log_variance_clipped", Row(n => Math.Log(Math.Max(1e-20, process.Posterior(n - 1, n).Variance))));
        c.Check("posterior_mean_coef1", Row(n => process.Posterior(n - 1, n).OfX0));
        c.Check("posterior_mean_coef2", Row(n => process.Posterior(n - 1, n).OfX));
        c.Check("loss_weight", Row(n => weight.Of(process, n, kind)));

        Tensor x0 = c["x_start"], noise = c["noise"];
        var t = GuidedGoldens.Steps(c["t"]);
        var x = process.Corrupt(x0, t, noise);
        c.Check("q_sample", x);
        c.Check("v", new Prediction(PredictionKind.X0, x0, x, process, t).V);
        var denoiser = new NetworkDenoiser(new FunctionNetwork(Formula), process, new PlainPreconditioning(kind));
        c.Check("p_losses", new DenoisingObjective(weight).Loss(denoiser, x0, Condition.None, t, noise));

        var grid = new TimeGrid(Enumerable.Range(0, 11).Select(k => steps - 1 - k * (steps / 10.0)));
        foreach (var (name, eta) in new[] { ("ddim10", 0), ("ddim10_eta05", 0.5) })
        {
            if (!c.Has($"noise_{name}")) continue;
            var draws = c[$"noise_{name}"];
            var replay = new ReplayedNoise(Enumerable.Range(1, (int)draws.shape[0] - 1).Select(k => draws[k]));
            c.Check($"sample_{name}", (new Ddim(eta).Run(denoiser.Clamped(), draws[0], grid, noise: replay) + 1) / 2);
        }
    }

    private static void Elucidated(GoldenCase c)
    {
        var process = new EdmProcess(c.Double("sigma_min", 0.002), c.Double("sigma_max", 80));
        var denoiser = new NetworkDenoiser(new FunctionNetwork((x, level) => 0.3 * x + 0.1 * (3 * x).sin() + 0.05 * level), process, new EdmPreconditioning());
        var normal = new LogNormalTime();
        var t = Times.Each([.. c["loss_sigma_normals"].data<float>().Select(z => normal.OfNormal(process, z))]);
        var loss = new DenoisingObjective(new EdmWeighting()).Loss(denoiser, 2 * c["images"] - 1, Condition.None, t, c["loss_noise"]);
        c.Check("loss", loss.mean());
        var grid = TimeGrid.Karras(process, c.Int("num_sample_steps"), c.Double("rho", 7));
        c.Check("sigmas", tensor(grid.Times.ToArray()));
        // Heun's method with its default churn; the first draw is the start, and one follows at each step.
        var churn = new Churn(c.Double("S_churn", 80), 0.05, 50, c.Double("S_noise", 1.003));
        var draws = c["noise"].unbind();
        var noise = new ReplayedNoise(draws.Skip(1).Where((_, i) => grid[i] >= churn.Min && grid[i] <= churn.Max));
        var sample = new ProbabilityFlow(2, Churn: churn).Run(denoiser.Clamped(), draws[0] * grid[0], grid, noise: noise);
        c.Check("sample", (sample.clamp(-1, 1) + 1) / 2);
        // DPM-Solver++(2M), without a clamp inside.
        var multistep = new DpmMultistep(2).Run(denoiser, c["dpmpp_noise"][0] * grid[0], grid);
        c.Check("dpmpp_sample", (multistep.clamp(-1, 1) + 1) / 2);
    }

    [Golden("extras", "cm")]
    public static void ConsistencyModels(GoldenCase c)
    {
        if (!c.Has("denoised"))
        {
            Consistency(c);
            return;
        }
        double sigmaData = c.Double("sigma_data");
        var process = new EdmProcess(c.Double("sigma_min"), c.Double("sigma_max"));
        var how = new Told(new EdmPreconditioning(sigmaData), (_, sigma) => 250 * Math.Log(sigma));
        var denoiser = new NetworkDenoiser(new FunctionNetwork(Formula), process, how);
        Tensor x0 = c["x_start"], noise = c["noise"];
        var t = Times.Each([.. c["sigma"].data<float>().Select(s => (double)s)]);
        c.Check("c_skip", t.Vector(s => how.Skip(process, s)));
        c.Check("c_out", t.Vector(s => how.Out(process, s)));
        c.Check("c_in", t.Vector(s => how.In(process, s)));
        var prediction = denoiser.Denoise(c["x_t"], t, Condition.None);
        c.Check("model_output", prediction.Output);
        c.Check("denoised", prediction.X0);
        foreach (var (name, weight) in new (string, Weighting)[]
        {
            ("snr", Weighting.Simple), ("snr+1", new EdmWeighting(1)), ("karras", new EdmWeighting(sigmaData)),
            ("truncated-snr", new TruncatedSnr()), ("uniform", new ConstantWeighting(PredictionKind.X0)),
        })
        {
            c.Check($"train_loss_{name}", new DenoisingObjective(weight).Loss(denoiser, x0, Condition.None, t, noise));
            c.Check($"train_xs_mse_{name}", new DenoisingObjective(new ConstantWeighting(PredictionKind.X0)).Loss(denoiser, x0, Condition.None, t, noise));
        }
        c.Check("sigmas40", tensor(TimeGrid.Karras(process, 40).Times.ToArray()));
        // The model's answer is taken to lie at σ_min; its times are numbered on the grid of 40.
        var (sampler, levels) = (new ConsistencySampling(process.MinTime), TimeGrid.Karras(process, 40));
        c.Check("onestep", new ConsistencySampling().Run(denoiser.Clamped(), c["x_T"], new TimeGrid([levels[0], 0])));
        foreach (string name in new[] { "0-39", "0-22-39", "0-10-20-39" })
        {
            var draws = c[$"multistep_{name}_noise"];
            var grid = new TimeGrid(name.Split('-').Select(k => levels[int.Parse(k, CultureInfo.InvariantCulture)]));
            c.Check($"multistep_{name}", sampler.Run(denoiser.Clamped(), c["x_T"], grid, noise: new ReplayedNoise(draws.unbind())));
        }
    }

    private static void Consistency(GoldenCase c)
    {
        var process = new EdmProcess();
        var grid = TimeGrid.Karras(process, c.Int("num_scales"));
        NetworkDenoiser Scaled(double by, Preconditioning how) => new(new FunctionNetwork((x, label) => by * Formula(x, label)), process, how);
        var (model, target) = (Scaled(1, new ConsistencyPreconditioning()), Scaled(0.9, new ConsistencyPreconditioning()));
        var teacher = c.Text("teacher_model").Length > 0 ? Scaled(0.8, new Told(new EdmPreconditioning(), (_, sigma) => 250 * Math.Log(sigma))) : null;
        int[] indices = [.. c["indices"].data<long>().Select(i => (int)i)];
        c.Check("t", tensor(indices.Select(i => grid[i]).ToArray()));
        c.Check("t2", tensor(indices.Select(i => grid[i + 1]).ToArray()));
        var objective = new ConsistencyObjective(grid, target, teacher, Absolute: c.Text("loss_norm") == "l1");
        c.Check("loss", objective.Loss(model, c["x_start"], Condition.None, Times.Each([.. indices.Select(i => grid[i])]), c["noise"]));
    }
}
