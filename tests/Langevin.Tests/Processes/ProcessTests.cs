using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Tests.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Processes;

public class ProcessTests
{
    public static TheoryData<string> Names() => Kit.Names();

    private static readonly double[] Shares = [0.0313, 0.2141, 0.5007, 0.7773, 0.9619];

    [Theory, MemberData(nameof(Names))]
    public void Derivatives_are_those_of_the_functions(string name)
    {
        var p = Kit.Processes[name];
        foreach (double t in Kit.Inside(p, Shares))
        {
            double h = 1e-6 * (p.MaxTime - p.MinTime);
            Close((p.Alpha(t + h) - p.Alpha(t - h)) / (2 * h), p.AlphaDot(t), 1e-5, 1e-6 / (p.MaxTime - p.MinTime));
            Close((p.Sigma(t + h) - p.Sigma(t - h)) / (2 * h), p.SigmaDot(t), 1e-5, 1e-6 / (p.MaxTime - p.MinTime));
            Close((p.LogAlpha(t + h) - p.LogAlpha(t - h)) / (2 * h), p.Drift(t), 1e-5, 1e-6 / (p.MaxTime - p.MinTime));
            double square(double u) => p.Sigma(u) * p.Sigma(u);
            Close((square(t + h) - square(t - h)) / (2 * h) - 2 * p.Drift(t) * square(t), p.DiffusionSquared(t), 1e-4, 1e-6 / (p.MaxTime - p.MinTime));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Half_log_snr_falls_and_its_inverse_returns(string name)
    {
        var p = Kit.Processes[name];
        double before = double.PositiveInfinity;
        foreach (double t in Kit.Inside(p, Shares))
        {
            double lambda = p.Lambda(t);
            Assert.True(lambda < before);
            before = lambda;
            Close(t, p.TimeOfLambda(lambda), 1e-9, 1e-12);
            Close(lambda, Math.Log(p.Alpha(t) / p.Sigma(t)), 1e-9, 1e-12);
            Close(Math.Exp(2 * lambda), p.Snr(t), 1e-9);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Data_are_clean_at_the_data_time(string name)
    {
        var p = Kit.Processes[name];
        Assert.Equal(1, p.Alpha(p.DataTime), 12);
        Assert.Equal(0, p.Sigma(p.DataTime), 12);
    }

    [Theory, MemberData(nameof(Names))]
    public void Transitions_compose(string name)
    {
        var p = Kit.Processes[name];
        double[] t = Kit.Inside(p, 0.11, 0.43, 0.87);
        var (first, second, both) = (p.Transition(t[0], t[1]), p.Transition(t[1], t[2]), p.Transition(t[0], t[2]));
        Close(both.Scale, first.Scale * second.Scale, 1e-9);
        Close(both.Variance, second.Scale * second.Scale * first.Variance + second.Variance, 1e-9);
        // From clean data it is the marginal.
        var marginal = p.Transition(p.DataTime, t[1]);
        Close(p.Alpha(t[1]), marginal.Scale, 1e-9);
        Close(p.Sigma(t[1]) * p.Sigma(t[1]), marginal.Variance, 1e-9);
    }

    [Theory, MemberData(nameof(Names))]
    public void Posteriors_restore_the_marginal_and_compose(string name)
    {
        var p = Kit.Processes[name];
        double[] t = Kit.Inside(p, 0.11, 0.43, 0.87);
        var far = p.Posterior(t[0], t[2]);
        var (near, late) = (p.Posterior(t[0], t[1]), p.Posterior(t[1], t[2]));
        // Over q(x_t | x_0) the posterior's draw is q(x_s | x_0).
        Close(p.Alpha(t[0]), far.OfX * p.Alpha(t[2]) + far.OfX0, 1e-9);
        Close(p.Sigma(t[0]), Math.Sqrt(Math.Pow(far.OfX * p.Sigma(t[2]), 2) + far.Variance), 1e-9);
        // q(x_r | x_t, x_0) = ∫ q(x_r | x_s, x_0) q(x_s | x_t, x_0) dx_s
        Close(far.OfX, near.OfX * late.OfX, 1e-9);
        Close(far.OfX0, near.OfX * late.OfX0 + near.OfX0, 1e-9);
        Close(far.Variance, near.OfX * near.OfX * late.Variance + near.Variance, 1e-9);
        // To clean data it is x_0 itself.
        var clean = p.Posterior(p.DataTime, t[1]);
        Close(0, clean.OfX, 0, 1e-12);
        Close(1, clean.OfX0, 1e-9);
        Close(0, clean.Variance, 0, 1e-12);
    }

    [Theory, MemberData(nameof(Names))]
    public void Predictions_convert_exactly_between_all_kinds(string name)
    {
        using var scope = NewDisposeScope();
        var p = Kit.Processes[name];
        using var generator = new Generator(7);
        var x0 = randn([5, 3, 2], ScalarType.Float64, generator: generator);
        var noise = randn([5, 3, 2], ScalarType.Float64, generator: generator);
        foreach (var t in Kit.Inside(p, Shares).Select(t => (Times)t).Append(Times.Each(Kit.Inside(p, Shares))))
        {
            var x = p.Corrupt(x0, t, noise);
            var truth = new Prediction(x0, noise, x, p, t);
            foreach (var from in Enum.GetValues<PredictionKind>())
                foreach (var to in Enum.GetValues<PredictionKind>())
                {
                    var given = new Prediction(from, truth.View(from), x, p, t);
                    var (want, got) = (truth.View(to), given.View(to));
                    // x_0 out of x_t − σ ε loses σ/α digits, ε out of x_t − α x_0 loses α/σ.
                    double loss = Enumerable.Range(0, 5).Max(i => Math.Max(Math.Exp(p.Lambda(t[i])), Math.Exp(-p.Lambda(t[i]))));
                    double slack = 1e-13 * loss * loss * (1 + Kit.MaxAbs(want));
                    Assert.True(Kit.MaxAbs(got - want) < Math.Max(1e-11, slack), $"{name} {from} to {to} at {(t.IsUniform ? t.Value : double.NaN)}: {Kit.MaxAbs(got - want):g3}");
                }
        }
    }

    [Fact]
    public void A_table_without_signal_at_its_end_stays_finite()
    {
        var p = DiscreteProcess.FromBetas(Betas.RescaleZeroTerminalSnr(Betas.ScaledLinear()));
        Assert.Equal(0, p.Alpha(999));
        Assert.Equal(1, p.Sigma(999));
        Assert.Equal((0.0, 1.0), p.Transition(500, 999));
        var (ofX, ofX0, variance) = p.Posterior(500, 999);
        Assert.Equal(0, ofX);
        Close(p.Alpha(500), ofX0, 1e-12);
        Close(Math.Pow(p.Sigma(500), 2), variance, 1e-12);
        Assert.True(p.TimeOfLambda(-20) <= 999);
    }

    [Fact]
    public void A_linear_table_is_close_to_its_sde()
    {
        // T steps of β/T are the VP SDE's 1/T steps.
        var sde = VariancePreserving.Linear(0.1, 20);
        foreach (int steps in new[] { 1000, 8000 })
        {
            var table = DiscreteProcess.FromBetas(Betas.Linear(steps, 0.1 / steps, 20.0 / steps));
            foreach (double t in new[] { 0.25, 0.5, 0.9 })
                Close(sde.Lambda(t), table.Lambda(t * steps - 1), 12.0 / steps, 12.0 / steps);
        }
    }

    [Fact]
    public void The_rescaled_process_keeps_the_ratio()
    {
        foreach (var p in Kit.Processes.Values)
            foreach (double t in Kit.Inside(p, Shares))
            {
                var (plain, unit) = (p.Unscaled(), p.UnitVariance());
                Assert.Equal(1, plain.Alpha(t));
                Close(p.Sigma(t) / p.Alpha(t), plain.Sigma(t), 1e-12);
                Close(1, Math.Pow(unit.Alpha(t), 2) + Math.Pow(unit.Sigma(t), 2), 1e-12);
                Close(p.Sigma(t) / p.Alpha(t), unit.Sigma(t) / unit.Alpha(t), 1e-9);
            }
    }

    [Fact]
    public void Bad_tables_are_refused()
    {
        Assert.Throws<ArgumentException>(() => DiscreteProcess.FromBetas([]));
        Assert.Throws<ArgumentException>(() => DiscreteProcess.FromBetas([0.1, 1.5]));
        Assert.Throws<ArgumentException>(() => DiscreteProcess.FromBetas([0.1, double.NaN]));
        Assert.Throws<ArgumentException>(() => DiscreteProcess.FromSigmas([1, 0]));
        Assert.Throws<ArgumentException>(() => new VarianceExploding(2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Betas.Linear(0));
    }

    private static void Close(double want, double got, double relative, double absolute = 0) =>
        Assert.True(Math.Abs(got - want) <= absolute + relative * Math.Abs(want), $"got {got:R}, expected {want:R}");
}
