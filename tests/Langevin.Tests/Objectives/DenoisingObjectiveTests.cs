using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Processes;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Objectives;

public class DenoisingObjectiveTests
{
    private const double DataStd = 0.6;

    private static readonly Dictionary<string, GaussianProcess> Processes = new()
    {
        ["vp"] = VariancePreserving.Linear(),
        ["ve"] = new VarianceExploding(),
        ["subvp"] = new SubVariancePreserving(),
        ["edm"] = new EdmProcess(),
        ["flow"] = new RectifiedFlow(),
        ["ddpm"] = DiscreteProcess.FromBetas(Betas.Linear(100)),
    };

    private static GaussianMixture OneGaussian(GaussianProcess process) =>
        new(process, ones(1, ScalarType.Float64), tensor([0.3, -0.2, 0.1], ScalarType.Float64).view(1, 3), tensor([DataStd], ScalarType.Float64));

    /// <summary>Says what another denoiser says, as a prediction of another kind.</summary>
    private sealed class Says(IDenoiser inner, PredictionKind kind, double factor = 1) : IDenoiser
    {
        public GaussianProcess Process => inner.Process;
        public Prediction Denoise(Tensor x, Times t, Condition condition) =>
            new(kind, factor * inner.Denoise(x, t, condition).View(kind), x, Process, t);
    }

    public static TheoryData<string, PredictionKind> Cases =>
        [.. Processes.Keys.SelectMany(p => Enum.GetValues<PredictionKind>().Select(k => (p, k)))];

    // E‖x_0 − E[x_0|x_t]‖² of Gaussian data is the posterior's variance, and every other kind's minimum follows from it.
    [Theory, MemberData(nameof(Cases))]
    public void The_exact_denoisers_loss_is_the_known_minimum(string name, PredictionKind kind)
    {
        using var scope = NewDisposeScope();
        var process = Processes[name];
        using var data = OneGaussian(process);
        using var generator = new Generator(7);
        var x0 = data.Draw(20_000, generator);
        var noise = randn(x0.shape, ScalarType.Float64, generator: generator);
        foreach (double share in new[] { 0.15, 0.5, 0.85 })
        {
            double t = process.MinTime + share * (process.MaxTime - process.MinTime);
            double a = process.Alpha(t), s = process.Sigma(t), variance = DataStd * DataStd * s * s / (a * a * DataStd * DataStd + s * s);
            double ratio = kind switch
            {
                PredictionKind.X0 => 1,
                PredictionKind.Epsilon => a / s,
                PredictionKind.V => (a * a + s * s) / s,
                PredictionKind.Score => a / (s * s),
                _ => process.AlphaDot(t) - process.SigmaDot(t) * a / s,
            };
            var loss = new DenoisingObjective().Loss(new Says(data, kind), x0, Condition.None, t, noise);
            double expected = ratio * ratio * variance, error = loss.std().item<double>() / Math.Sqrt(loss.shape[0]);
            Assert.True(error < 0.01 * expected, $"standard error {error} of {expected}");
            Assert.InRange(loss.mean().item<double>(), expected - 5 * error, expected + 5 * error);
        }
    }

    // The survey prints equation 7 with the target ε/σ. The score of x_t given x_0 is −ε/σ: against it the exact score has the
    // smallest loss there is, and with the other sign the loss is E‖ε + E[ε|x]‖², more than the loss of saying nothing.
    [Fact]
    public void The_target_of_score_matching_is_minus_the_noise()
    {
        using var scope = NewDisposeScope();
        using var data = OneGaussian(new EdmProcess());
        using var generator = new Generator(8);
        var x0 = data.Draw(20_000, generator);
        var noise = randn(x0.shape, ScalarType.Float64, generator: generator);
        double Loss(double factor) => new DenoisingObjective(new NoisePower(PredictionKind.Score, 2))
            .Loss(new Says(data, PredictionKind.Score, factor), x0, Condition.None, 1.0, noise).mean().item<double>();
        double least = DataStd * DataStd / (DataStd * DataStd + 1); // posterior variance of ε at σ = 1
        Assert.Equal(least, Loss(1), 0.01);
        Assert.Equal(1 + 3 * (1 - least), Loss(-1), 0.05);
        Assert.True(Loss(1) < Loss(0.9) && Loss(1) < Loss(1.1));
        Assert.True(Loss(-1) > Loss(0));
    }

    [Theory, MemberData(nameof(Cases))]
    public void A_weighted_loss_is_the_same_whatever_the_network_predicts(string name, PredictionKind kind)
    {
        using var scope = NewDisposeScope();
        var process = Processes[name];
        using var generator = new Generator(3);
        using var other = new GaussianMixture(process, ones(1, ScalarType.Float64), zeros([1, 3], ScalarType.Float64), ones(1, ScalarType.Float64));
        Tensor x0 = randn([5, 3], ScalarType.Float64, generator: generator), noise = randn([5, 3], ScalarType.Float64, generator: generator);
        var t = Times.Each([.. new[] { 0.1, 0.3, 0.5, 0.7, 0.9 }.Select(u => process.MinTime + u * (process.MaxTime - process.MinTime))]);
        foreach (var weighting in new Weighting[] { Weighting.Simple, Weighting.V, Weighting.FlowMatching, Weighting.Likelihood, new EdmWeighting(), new MinSnr(), new SoftMinSnr(), new P2(), new TruncatedSnr() })
        {
            var expected = new DenoisingObjective(weighting).Loss(new Says(other, PredictionKind.X0), x0, Condition.None, t, noise);
            var actual = new DenoisingObjective(weighting).Loss(new Says(other, kind), x0, Condition.None, t, noise);
            Assert.Equal([5L], actual.shape);
            Assert.True(actual.allclose(expected, 1e-7), $"{weighting}");
            // and it is what its definition says
            var x = process.Corrupt(x0, t, noise);
            var error = (other.Denoise(x, t, Condition.None).X0 - x0).square().mean([1]);
            Assert.True(actual.allclose(t.Vector(s => weighting.Of(process, s, PredictionKind.X0)) * error, 1e-7), $"{weighting}");
        }
    }

    public static TheoryData<string> Preconditionings => ["edm", "vp", "ve", "iddpm", "posterior"];

    [Theory, MemberData(nameof(Preconditionings))]
    public void Comparing_the_raw_output_with_its_own_target_changes_nothing(string name)
    {
        using var scope = NewDisposeScope();
        GaussianProcess process = name == "posterior" ? Processes["ddpm"] : Processes["edm"];
        Preconditioning how = name switch
        {
            "edm" => new EdmPreconditioning(),
            "vp" => new VpPreconditioning(),
            "ve" => new VePreconditioning(),
            "iddpm" => new IddpmPreconditioning(),
            _ => new PosteriorMeanPreconditioning(),
        };
        var denoiser = new NetworkDenoiser(new FunctionNetwork((x, c) => (2 * x).sin() + 0.1 * c), process, how);
        using var generator = new Generator(4);
        Tensor x0 = randn([4, 3], ScalarType.Float64, generator: generator), noise = randn([4, 3], ScalarType.Float64, generator: generator);
        var t = Times.Each(name == "posterior" ? [0, 3, 40, 99] : [0.01, 0.3, 2, 50]);
        var x = process.Corrupt(x0, t, noise);
        var error = (denoiser.Denoise(x, t, Condition.None).X0 - x0).square().mean([1]);
        var loss = new DenoisingObjective(new MinSnr()).Loss(denoiser, x0, Condition.None, t, noise);
        Assert.True(loss.allclose(t.Vector(s => new MinSnr().Of(process, s, PredictionKind.X0)) * error, 1e-7));
    }

    // Song & Ermon 2020, technique 3: one unconditional network, divided by σ.
    [Fact]
    public void A_network_that_is_not_told_the_noise_gives_the_score_divided_by_it()
    {
        using var scope = NewDisposeScope();
        var network = new FunctionNetwork((x, c) => x.sin() + c);
        var denoiser = new NetworkDenoiser(network, Processes["edm"], new VePreconditioning(Told: false));
        using var generator = new Generator(4);
        Tensor x = randn([3, 2], ScalarType.Float64, generator: generator), sigma = tensor(new[] { 0.5, 2, 8.0 }).view(3, 1);
        Assert.True(denoiser.Denoise(x, Times.Each([0.5, 2, 8]), Condition.None).Score.allclose(x.sin() / sigma, 1e-12));
    }

    [Fact]
    public void Reductions_differ_by_the_number_of_elements()
    {
        using var scope = NewDisposeScope();
        using var data = OneGaussian(Processes["vp"]);
        Tensor x0 = randn([2, 3], ScalarType.Float64), noise = randn([2, 3], ScalarType.Float64);
        Tensor Loss(Reduction r) => new DenoisingObjective(Weighting.Simple, r).Loss(data, x0, Condition.None, 0.4, noise);
        Assert.True(Loss(Reduction.Sum).allclose(3 * Loss(Reduction.Mean)));
        Assert.True(Loss(Reduction.HalfSum).allclose(1.5 * Loss(Reduction.Mean)));
    }

    [Fact]
    public void Gradients_reach_the_network_and_no_tensor_leaks()
    {
        var weight = new TorchSharp.Modules.Parameter(tensor(0.5f));
        var network = new FunctionNetwork((x, t) => weight * x);
        var denoiser = new NetworkDenoiser(network, Processes["ddpm"], new PlainPreconditioning());
        var objective = new DenoisingObjective(new MinSnr());
        using var x0 = randn(4, 2, 3, 3);
        using var noise = randn(4, 2, 3, 3);
        var source = new UniformTime().Begin(Processes["ddpm"], 1);
        long before = 0;
        for (int step = 0; step < 20; step++)
        {
            if (step == 5) before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
            using var scope = NewDisposeScope();
            var (t, _) = source.Draw(4, step);
            objective.Loss(denoiser, x0, Condition.None, t, noise).mean().backward();
            Assert.NotEqual(0, weight.grad!.item<float>());
            weight.grad!.zero_();
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Half_precision_outputs_are_compared_in_the_datas_precision()
    {
        using var scope = NewDisposeScope();
        var denoiser = new NetworkDenoiser(new FunctionNetwork((x, t) => x.to(ScalarType.BFloat16)), Processes["ddpm"], new PlainPreconditioning());
        var loss = new DenoisingObjective(Weighting.Simple).Loss(denoiser, randn(2, 3), Condition.None, 5.0, randn(2, 3));
        Assert.Equal(ScalarType.Float32, loss.dtype);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using var scope = NewDisposeScope();
        using var data = OneGaussian(Processes["vp"]);
        var objective = new DenoisingObjective(Weighting.Simple);
        Tensor x0 = randn([2, 3], ScalarType.Float64);
        Assert.Contains("[2, 4]", Assert.Throws<ArgumentException>(() => objective.Loss(data, x0, Condition.None, 0.4, randn(2, 4))).Message, StringComparison.Ordinal);
        Assert.Contains("3 times for 2", Assert.Throws<ArgumentException>(() => objective.Loss(data, x0, Condition.None, Times.Each([0.1, 0.2, 0.3]), randn(2, 3))).Message, StringComparison.Ordinal);
        // ε says nothing of x_0 where no signal is left
        var zero = DiscreteProcess.FromBetas(Betas.RescaleZeroTerminalSnr(Betas.Linear(100)));
        var epsilon = new NetworkDenoiser(new FunctionNetwork((x, t) => x * 1), zero, new PlainPreconditioning());
        var error = Assert.Throws<InvalidOperationException>(() => new DenoisingObjective(new TruncatedSnr()).Loss(epsilon, x0, Condition.None, 99.0, x0));
        Assert.Contains("Epsilon", error.Message, StringComparison.Ordinal);
    }

    // E|ε − ε̂| of a Gaussian error is √(2/π) of its deviation, and a weighting of kinds balances them as it does squares.
    [Fact]
    public void Absolute_errors_have_their_known_mean_and_the_same_balance_of_kinds()
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var data = OneGaussian(process);
        using var generator = new Generator(8);
        var x0 = data.Draw(20_000, generator);
        var noise = randn(x0.shape, ScalarType.Float64, generator: generator);
        const double t = 0.4;
        double a = process.Alpha(t), s = process.Sigma(t), deviation = a / s * DataStd * s / Math.Sqrt(a * a * DataStd * DataStd + s * s);
        var loss = new DenoisingObjective(Norm: ErrorNorm.Absolute).Loss(new Says(data, PredictionKind.Epsilon), x0, Condition.None, t, noise);
        Assert.Equal(Math.Sqrt(2 / Math.PI) * deviation, loss.mean().item<double>(), 5 * loss.std().item<double>() / Math.Sqrt(20_000));
        // The error of ε under each kind's own head.
        foreach (var kind in Enum.GetValues<PredictionKind>())
        {
            var same = new DenoisingObjective(new ConstantWeighting(PredictionKind.Epsilon), Norm: ErrorNorm.Absolute).Loss(new Says(data, kind), x0, Condition.None, t, noise);
            Assert.True(same.allclose(loss, 1e-9, 1e-9), kind.ToString());
        }
        Assert.Equal(0.9, new LevelPreconditioning().Noise(process, process.TimeOfLambda(Math.Log(0.9 / Math.Sqrt(1 - 0.81)))), 1e-9);
    }
}
