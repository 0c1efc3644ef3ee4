using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Processes;
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
}
