using Langevin.Denoisers;
using Langevin.Guidance;
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
                    foreach (double ratio in new[] { 0.05, 0.7, 6, 30 }) // the last beyond where gradients are trusted
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
        if (solver == "mcg" && sigma > 0) Assert.Skip("MCG ends at A x = y: where y is noisy, so is its answer.");
        var got = Lab.Solve(solver, prior, measurement, 200);
        double error = Error(got), classical = Error(a.PseudoInverse(measurement.Y));
        // A blur without noise is inverted exactly: nothing is left to win there, and gradient steps only come near.
        double limit = classical > 1e-6 ? 0.7 * classical : solver is "dps" or "reddiff" ? 0.1 : 1e-6;
        Assert.True(error < limit, $"{solver} {op} {sigma}: {error:g3} against {classical:g3}");
        if (sigma == 0 && solver is "ddnm" or "ddrm" or "mcg" or "diffpir") Assert.True(sigma > 0 || OperatorTests.Near(a.Forward(got), measurement.Y, 1e-8), "A x = y");
    }

    // What each method is off by at most on these problems, a third above what was seen: the bias of the mean as a share of the prior's
    // spread, and its variance as a share of the posterior's. None is exact here: pixels are correlated, and the prior has three clusters.
    private static readonly Dictionary<string, (double Bias, double Least, double Most)> Limits = new()
    {
        ["ddnm"] = (0.6, 0, 2.3),         // DDNM+ leaves no spread where a blur is inverted throughout
        ["ddrm"] = (0.32, 0.15, 1.1),
        ["diffpir"] = (0.3, 0.6, 2),
        ["pigdm"] = (0.28, 0.65, 1.9),
        ["dps"] = (0.47, 0.2, 1.3),       // by its scale only
        ["mcg"] = (0.12, 0.6, 1.2),
        ["reddiff"] = (0.28, 0, 0.6),     // one estimate, not samples
    };

    [Theory(Explicit = true), MemberData(nameof(Problems)), Trait("Category", "Slow")]
    public void Samples_come_near_the_posterior(string solver, string op, double sigma)
    {
        if (solver == "mcg" && sigma > 0) Assert.Skip("MCG ends at A x = y: where y is noisy, so is its answer.");
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(VariancePreserving.Linear());
        using var a = Lab.Operators[op]();
        var measurement = new Measurement(a, a.Measure(Lab.Draw(prior, 1, 12), sigma), sigma);
        using var posterior = prior.Posterior(measurement);
        var got = Lab.Solve(solver, prior, measurement, 400, 100).flatten(1);
        double spread = Math.Sqrt(prior.Covariance().trace().item<double>());
        double bias = OperatorTests.Norm(got.mean([0L]) - posterior.Mean().flatten()) / spread;
        double left = posterior.Covariance().trace().item<double>(), variance = got.t().cov().trace().item<double>() / Math.Max(left, 1e-9);
        var (most, low, high) = Limits[solver];
        // Where nothing is left unknown, only the mean can be compared.
        Assert.True(bias < most && (left < 1e-6 || variance >= low && variance < high), $"{solver} {op} {sigma}: bias {bias:g3}, variance {variance:g3}");
    }

    [Fact]
    public void Projecting_methods_sample_one_isotropic_Gaussian_s_posterior()
    {
        // Without noise and with independent pixels what is measured says nothing of the rest: the rest is the prior's.
        using var scope = NewDisposeScope();
        using var prior = Lab.Isotropic(VariancePreserving.Linear(), 0.6);
        foreach (string op in new[] { "mask", "average" })
        {
            using var a = Lab.Operators[op]();
            var measurement = new Measurement(a, a.Forward(Lab.Draw(prior, 1, 3)));
            using var posterior = prior.Posterior(measurement);
            foreach (string solver in new[] { "ddnm", "ddrm", "diffpir", "mcg" })
            {
                var got = Lab.Solve(solver, prior, measurement, 2000, 100).flatten(1);
                // Means to 4.5 standard errors of 0.6/√2000; the variance to that of 100 steps and of 2000 draws in 8 directions or more. Methods that
                // draw a fixed share of a level's noise afresh at each step are too certain, however many the steps.
                double mean = Kit.MaxAbs(got.mean([0L]) - posterior.Mean().flatten()), variance = got.t().cov().trace().item<double>() / posterior.Covariance().trace().item<double>();
                Assert.True(mean < 0.06 && variance < 1.08 && variance > (solver switch { "ddrm" or "diffpir" => 0.5, "mcg" => 0.85, _ => 0.92 }), $"{solver} {op}: {mean:g3}, {variance:g3}");
            }
        }
    }

    [Fact]
    public void Pseudo_inverse_guidance_samples_one_Gaussian_s_posterior_with_noise()
    {
        using var scope = NewDisposeScope();
        using var prior = Lab.Isotropic(new EdmProcess(), 0.6);
        using var blur = Lab.Operators["blur"]();
        var measurement = new Measurement(blur, blur.Measure(Lab.Draw(prior, 1, 3), 0.3), 0.3);
        using var posterior = prior.Posterior(measurement);
        // The flow is exact: each sample is where the posterior's own flow takes the same noise.
        var x = 20 * OperatorTests.Random(1, 200, 1, 4, 4);
        var grid = Lab.Grid(prior.Process, 40);
        Tensor got = new ProbabilityFlow().Run(prior.Guided(measurement, 0.6), x, grid), want = new ProbabilityFlow().Run(posterior, x, grid);
        Assert.True(OperatorTests.Near(got, want, 1e-6), $"{OperatorTests.Norm(got - want):g3}");
        var wrong = new ProbabilityFlow().Run(prior.Guided(measurement, 1.2), x, grid);
        Assert.False(OperatorTests.Near(wrong, want, 1e-2));
    }

    [Fact]
    public void Operators_without_a_decomposition_and_without_linearity_are_solved_too()
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var prior = Lab.Mixture(process);
        using var scan = new Radon(4, 4, [0]);
        using var clip = new Clipping(4);
        var truth = Lab.Draw(prior, 200, 11);
        void Beats(string solver, ForwardOperator a, double sigma)
        {
            var measurement = new Measurement(a, a.Measure(truth, sigma), sigma);
            double error = (Lab.Solve(solver, prior, measurement, 200, 40) - truth).square().mean().item<double>(), classical = (a.PseudoInverse(measurement.Y) - truth).square().mean().item<double>();
            Assert.True(error < 0.95 * classical, $"{solver} on {a.GetType().Name}: {error:g3} against {classical:g3}");
        }
        Beats("ddnm", scan, 0);
        foreach (string solver in new[] { "pigdm", "diffpir", "dps", "reddiff" }) Beats(solver, scan, 0.1);
        foreach (string solver in new[] { "ddnm", "dps", "pigdm" }) Beats(solver, clip, 0);
        Assert.Throws<NotSupportedException>(() => Lab.Solve("ddrm", prior, new(scan, scan.Forward(truth)), 200, 2));
        Assert.Throws<NotSupportedException>(() => Lab.Solve("ddnm", prior, new(scan, scan.Forward(truth), 0.1), 200, 2));
        Assert.Throws<NotSupportedException>(() => Lab.Solve("diffpir", prior, new(clip, clip.Forward(truth)), 200, 2));
    }

    [Fact]
    public void A_run_begins_what_is_inside_too()
    {
        // Guidance with momentum remembers its run: around a measurement or within it, it must be told when one begins.
        using var scope = NewDisposeScope();
        var process = new EdmProcess();
        using var mixture = new ClassMixture([0.5, 0.5], Lab.Isotropic(process, 0.6), Lab.Isotropic(process, 0.3));
        using var mask = new Inpainting(Lab.Mask());
        var measurement = new Measurement(mask, mask.Forward(ones([1, 1, 4, 4], Double)));
        var labels = Condition.OfLabel(zeros(3, ScalarType.Int64));
        var (x, grid) = (20 * OperatorTests.Random(1, 3, 1, 4, 4), Lab.Grid(mixture.Process, 6));
        IDenoiser Guided(double momentum) => mixture.GuidedProjected(3, eta: 1, momentum: momentum);
        foreach (Func<IDenoiser, IDenoiser> around in (Func<IDenoiser, IDenoiser>[])[d => d.Consistent(measurement), d => d.Guided(measurement, 0.6)])
        {
            Tensor with = new Ddim().Run(around(Guided(-0.5)), x, grid, labels), again = new Ddim().Run(around(Guided(-0.5)), x, grid, labels), without = new Ddim().Run(around(Guided(0)), x, grid, labels);
            Assert.Equal(0, Kit.MaxAbs(with - again));
            Assert.True(Kit.MaxAbs(with - without) > 1e-3);
        }
    }

    [Fact]
    public void Gradients_are_refused_where_there_are_none()
    {
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(new EdmProcess());
        using var mask = new Inpainting(Lab.Mask());
        var measurement = new Measurement(mask, zeros([1, 1, 4, 4], Double));
        Assert.Throws<InvalidOperationException>(() => new Constant(prior).Guided(measurement).Denoise(ones([1, 1, 4, 4], Double), 1, Condition.None));
        // The guided prediction itself holds no graph.
        Assert.False(prior.Guided(measurement).Denoise(ones([1, 1, 4, 4], Double), 1, Condition.None).X0.requires_grad);
    }

    // A denoiser that is cut off from its input.
    private sealed class Constant(IDenoiser inner) : IDenoiser
    {
        public GaussianProcess Process => inner.Process;

        public Prediction Denoise(Tensor x, Times t, Condition condition) => inner.Denoise(x.detach(), t, condition).Detached();
    }
}
