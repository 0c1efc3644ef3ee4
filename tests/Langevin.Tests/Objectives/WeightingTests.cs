using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Processes;

namespace Langevin.Tests.Objectives;

public class WeightingTests
{
    public static TheoryData<string> Names => [.. Processes.Keys];

    private static readonly Dictionary<string, GaussianProcess> Processes = new()
    {
        ["vp"] = VariancePreserving.Linear(),
        ["cosine"] = VariancePreserving.Cosine(),
        ["ve"] = new VarianceExploding(),
        ["subvp"] = new SubVariancePreserving(),
        ["edm"] = new EdmProcess(),
        ["flow"] = new RectifiedFlow(),
        ["ddpm"] = DiscreteProcess.FromBetas(Betas.Linear(100)),
        ["ncsn"] = DiscreteProcess.FromSigmas(Betas.GeometricSigmas(50, 20, 0.01)),
    };

    private static IEnumerable<double> TimesOf(GaussianProcess p) => Enumerable.Range(1, 9).Select(i => p.MinTime + i / 10.0 * (p.MaxTime - p.MinTime));

    [Theory, MemberData(nameof(Names))]
    public void Every_weighting_is_the_formula_of_its_paper(string name)
    {
        var p = Processes[name];
        foreach (double t in TimesOf(p))
        {
            double alpha = p.Alpha(t), sigma = p.Sigma(t), snr = alpha * alpha / (sigma * sigma), g2 = p.DiffusionSquared(t);
            void Equal(double expected, Weighting weighting, PredictionKind kind) => Assert.Equal(1, weighting.Of(p, t, kind) / expected, 1e-9);
            Equal(1, Weighting.Simple, PredictionKind.Epsilon);
            Equal(snr, Weighting.Simple, PredictionKind.X0);
            Equal(sigma * sigma, Weighting.Simple, PredictionKind.Score);
            Equal(sigma * sigma, new NoisePower(PredictionKind.Score, 2), PredictionKind.Score);
            Equal(1, new NoisePower(PredictionKind.Score, 2), PredictionKind.Epsilon);
            Equal(g2, Weighting.Likelihood, PredictionKind.Score);
            Equal(g2 / (sigma * sigma), Weighting.Likelihood, PredictionKind.Epsilon);
            double ratio = sigma / alpha;
            Equal((ratio * ratio + 0.25) / Math.Pow(ratio * 0.5, 2), new EdmWeighting(0.5), PredictionKind.X0);
            Equal(Math.Min(snr, 5), new MinSnr(5), PredictionKind.X0);
            Equal(Math.Min(snr, 5) / snr, new MinSnr(5), PredictionKind.Epsilon);
            Equal(snr * 4 / (snr + 4), new SoftMinSnr(4), PredictionKind.X0);
            Equal(Math.Max(snr, 1), new TruncatedSnr(), PredictionKind.X0);
            Equal(1 / Math.Pow(1 + snr, 0.5), new P2(0.5), PredictionKind.Epsilon);
        }
    }

    [Theory, InlineData("vp"), InlineData("cosine"), InlineData("ddpm")]
    public void On_unit_variance_v_weighs_snr_plus_one(string name)
    {
        var p = Processes[name];
        foreach (double t in TimesOf(p))
        {
            Assert.Equal(1, Weighting.V.Of(p, t, PredictionKind.X0) / (p.Snr(t) + 1), 1e-9);
            Assert.Equal(1, new MinSnr(5).Of(p, t, PredictionKind.V) / (Math.Min(p.Snr(t), 5) / (p.Snr(t) + 1)), 1e-9);
        }
    }

    [Fact]
    public void On_the_straight_path_the_velocity_weighs_one_over_sigma_squared()
    {
        var p = new RectifiedFlow();
        foreach (double t in TimesOf(p)) Assert.Equal(1, Weighting.FlowMatching.Of(p, t, PredictionKind.X0) * t * t, 1e-12);
    }

    [Fact]
    public void Edm_weighs_one_on_its_networks_output()
    {
        var how = new EdmPreconditioning(0.7);
        foreach (double t in TimesOf(Processes["edm"]))
            Assert.Equal(1, new EdmWeighting(0.7).Of(Processes["edm"], t, PredictionKind.X0) * Math.Pow(how.Out(Processes["edm"], t), 2), 1e-12);
    }

    [Fact]
    public void Where_no_signal_is_left_the_weights_of_v_are_finite()
    {
        var p = DiscreteProcess.FromBetas(Betas.RescaleZeroTerminalSnr(Betas.Linear(100)));
        foreach (var weighting in new Weighting[] { Weighting.Simple, Weighting.V, new MinSnr(), new SoftMinSnr(), new TruncatedSnr(), new P2(), new EdmWeighting() })
            Assert.True(double.IsFinite(weighting.Of(p, p.MaxTime, PredictionKind.V)), $"{weighting}");
        Assert.Equal(1, new MinSnr().Of(p, p.MaxTime, PredictionKind.Epsilon));
    }

    [Fact]
    public void The_logit_normal_weight_is_a_density()
    {
        var p = new RectifiedFlow();
        double sum = Enumerable.Range(0, 100_000).Average(i => new LogitNormalWeighting(0.3, 1.2).Of(p, (i + 0.5) / 100_000, PredictionKind.Velocity));
        Assert.Equal(1, sum, 1e-4);
    }
}
