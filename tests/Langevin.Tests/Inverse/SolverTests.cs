using Langevin.Denoisers;
using Langevin.Inverse;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Inverse;

/// <summary>Solvers against the exact posterior of a mixture, in double.</summary>
public class SolverTests
{
    private const ScalarType Double = ScalarType.Float64;

    private static readonly GaussianProcess[] Processes = [VariancePreserving.Linear(), new EdmProcess(), new RectifiedFlow(), new VarianceExploding(0.01, 50), DiscreteProcess.FromBetas(Betas.Linear())];

    public static TheoryData<string> Names() => [.. Lab.Solvers.Keys];

    public static TheoryData<string, string, double> Problems()
    {
        var data = new TheoryData<string, string, double>();
        foreach (string solver in Lab.Solvers.Keys)
            foreach (string op in Lab.Operators.Keys)
                foreach (double sigma in new[] { 0, 0.1 })
                    data.Add(solver, op, sigma);
        return data;
    }

    [Fact]
    public void Guided_denoisers_are_the_posterior_s_own_where_the_data_are_one_isotropic_Gaussian()
    {
        using var scope = NewDisposeScope();
        foreach (var process in Processes)
        {
            using var prior = Lab.Isotropic(process, 0.6);
            foreach (var (name, create) in Lab.Operators)
            {
                using var a = create();
                var truth = Lab.Draw(prior, 1, 3);
                foreach (double sigma in new[] { 0, 0.3 })
                {
                    var measurement = new Measurement(a, a.Measure(truth, sigma), sigma);
                    using var posterior = prior.Posterior(measurement);
                    foreach (double ratio in new[] { 0.05, 0.7, 6 })
                    {
                        double t = process.TimeOfLambda(-Math.Log(ratio));
                        var x = process.Corrupt(Lab.Draw(prior, 4, 4), t, OperatorTests.Random(5, 4, 1, 4, 4));
                        var want = posterior.Denoise(x, t, Condition.None).X0;
                        void Same(IDenoiser guided, string what) => Assert.True(OperatorTests.Near(guided.Denoise(x, t, Condition.None).X0, want, 1e-7), $"{what} on {process.GetType().Name}, {name}, {sigma}, {ratio}");
                        Same(prior.Guided(measurement, dataStd: 0.6), "ΠGDM");
                        if (sigma == 0) Same(prior.Consistent(measurement), "DDNM");
                    }
                }
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void A_solver_is_the_same_on_every_process(string name)
    {
        // Steps from noise-to-signal ratio to ratio, with the same noise: states differ by the processes' scale, results not at all.
        using var scope = NewDisposeScope();
        using var blur = Lab.Operators["blur"]();
        Tensor? first = null;
        foreach (var process in Processes)
        {
            using var prior = Lab.Mixture(process);
            var truth = Lab.Draw(prior, 6, 3);
            var measurement = new Measurement(blur, blur.Measure(truth, 0.1), name == "mcg" ? 0 : 0.1);
            var got = Lab.Solve(name, prior, measurement, 6, 20);
            first ??= got;
            Assert.True(OperatorTests.Near(got, first, 1e-5), $"{name} on {process.GetType().Name}: {OperatorTests.Norm(got - first):g3}");
        }
    }

    [Theory, MemberData(nameof(Problems))]
    public void A_solver_beats_the_pseudo_inverse(string solver, string op, double sigma)
    {
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(VariancePreserving.Linear());
        using var a = Lab.Operators[op]();
        var truth = Lab.Draw(prior, 200, 11);
        var measurement = new Measurement(a, a.Measure(truth, sigma), sigma);
        double Error(Tensor x) => (x - truth).square().mean().item<double>();
        var got = Lab.Solve(solver, prior, measurement, 200);
        double error = Error(got), classical = Error(a.PseudoInverse(measurement.Y)), ratio = error / classical;
        TestContext.Current.TestOutputHelper?.WriteLine($"{solver} {op} {sigma}: {error:g3} against {classical:g3}, misfit {measurement.Misfit(got).mean().item<double>():g3}");
        Assert.True(ratio < 0.7 || classical < 1e-6 && error < 1e-2, $"{solver} {op} {sigma}: {error:g3} against {classical:g3}");
        if (sigma == 0 && solver is "ddnm" or "ddrm" or "mcg" or "diffpir") Assert.True(sigma > 0 || OperatorTests.Near(a.Forward(got), measurement.Y, 1e-8), "A x = y");
    }

    [Theory, MemberData(nameof(Problems))]
    public void Samples_come_near_the_posterior(string solver, string op, double sigma)
    {
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(VariancePreserving.Linear());
        using var a = Lab.Operators[op]();
        var measurement = new Measurement(a, a.Measure(Lab.Draw(prior, 1, 12), sigma), sigma);
        using var posterior = prior.Posterior(measurement);
        var got = Lab.Solve(solver, prior, measurement, 400, 100).flatten(1);
        double spread = Math.Sqrt(prior.Covariance().trace().item<double>());
        double bias = OperatorTests.Norm(got.mean([0L]) - posterior.Mean().flatten()) / spread;
        double variance = got.t().cov().trace().item<double>() / Math.Max(1e-9, posterior.Covariance().trace().item<double>());
        TestContext.Current.TestOutputHelper?.WriteLine($"{solver} {op} {sigma}: bias {bias:g3} of the prior's spread, variance {variance:g3} of the posterior's");
    }
}
