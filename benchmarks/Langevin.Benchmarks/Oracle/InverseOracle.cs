using Langevin.Denoisers;
using Langevin.Inverse;
using Langevin.Metrics.Distributions;
using Langevin.Processes;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks.Oracle;

/// <summary>How far the samples of inverse-problem solvers are from the exact posterior.</summary>
internal static class InverseOracle
{
    private const ScalarType Double = ScalarType.Float64;
    private static readonly double[] Noises = [0, 0.1];

    /// <summary>A way to restore: what it makes of the model, a measurement and that one's exact posterior; null where it is not for that.</summary>
    private delegate (IDenoiser Denoiser, Sampler Sampler)? Method(GaussianMixture model, Measurement measurement, GaussianMixture posterior);

    private static readonly (string Name, Method Of)[] Methods =
    [
        ("the posterior's own denoiser", (_, _, p) => (p, new Ddim(1))),
        ("DDNM, DDNM+", (d, m, _) => (d, new Ddnm(m))),
        ("DDNM's projection in heun", (d, m, _) => m.Sigma == 0 ? (d.Consistent(m), new ProbabilityFlow(2)) : null),
        ("DDRM", (d, m, _) => (d, new Ddrm(m))),
        ("DiffPIR", (d, m, _) => (d, new DiffPir(m))),
        ("DiffPIR, ζ = 1", (d, m, _) => (d, new DiffPir(m, Zeta: 1))),
        ("ΠGDM, ancestral", (d, m, _) => (d.Guided(m, Std(d)), new Ddim(1))),
        ("ΠGDM in heun", (d, m, _) => (d.Guided(m, Std(d)), new ProbabilityFlow(2))),
        ("DPS, ζ = 0.15", (d, m, _) => (d, new Dps(m, 0.15))),
        ("DPS, ζ = 0.5", (d, m, _) => (d, new Dps(m, 0.5))),
        ("MCG, ζ = 0.15", (d, m, _) => m.Sigma == 0 ? (d, new Mcg(m, 0.15)) : null),
        ("ILVR (replacement by A⁺A)", (d, m, _) => m.Sigma == 0 ? (d, new Ilvr(m.Operator.PseudoInverse(m.Y), (LinearOperator)m.Operator)) : null),
        ("RePaint, r = 1", (d, m, _) => m.Operator is Inpainting ? (d, new RePaint(m, 5, 1)) : null),
        ("RePaint, j = 5, r = 10", (d, m, _) => m.Operator is Inpainting ? (d, new RePaint(m, 5, 10)) : null),
        ("CCDF: half of DDNM's way", (d, m, _) => (d, new SdEdit(m.Operator.PseudoInverse(m.Y), 0.5, new Ddnm(m)))),
        ("blind deblurring", (d, m, _) => m is { Operator: Blur, Sigma: > 0 } ? (d, new BlindDeblurring(m.Y, 3, m.Sigma)) : null),
        ("RED-diff (an optimiser)", (d, m, _) => (d, new RedDiff(m, 0.25, 0.05))),
    ];

    private static readonly (string Name, Func<SpectralOperator> Create)[] Operators =
    [
        ("mask", () => new Inpainting(tensor(new double[,] { { 1, 0, 1, 0 }, { 0, 1, 0, 1 }, { 1, 0, 0, 1 }, { 0, 1, 1, 0 } }))),
        ("blur", () => new Blur(Blur.Gaussian(0.7, 3), 4, 4)),
        ("down-sampling", () => Separable.Average(4, 4, 2)),
        ("sensing", () => new CompressedSensing(4, 4, 0.5)),
        ("Fourier", () => new MaskedFourier(FourierMask.Cartesian(4, 4, 2, seed: 1), real: true)),
    ];

    public static string Run(Sheet sheet)
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var prior = Pictures(process);
        long count = sheet.Quick ? 200 : 1000;
        int steps = sheet.Quick ? 40 : 100, measurements = sheet.Quick ? 1 : 4;
        var problems = (from a in Operators from sigma in Noises select (a.Name, a.Create, Sigma: sigma)).ToArray();
        var overview = new Table(["method", .. problems.Select(p => $"{p.Name} {p.Sigma}")])
        {
            Note = $"Sliced Wasserstein distance of {count} samples in {steps} steps from the exact posterior, over the prior's spread, by operator and σ_y; mean of {measurements} measurements. Pictures of 4 × 4 pixels, three clusters of smooth Gaussians: half the pixels, a Gaussian blur (invertible), 2 × 2 averages, half of the Walsh–Hadamard coefficients, half of the columns of frequencies. First row: as many exact draws. A dash: the method is not for that.",
        };
        var tables = Operators.ToDictionary(a => a.Name, a => new Table(["method", .. Noises.SelectMany(s => new[] { $"mean, σ_y = {s}", "covariance", "variance ratio", "sliced Wasserstein" })]));
        var scores = new Dictionary<(string Method, string Problem, double Sigma), Score[]>();
        foreach (var (name, create, sigma) in problems)
        {
            using var operation = create();
            for (int i = 0; i < measurements; i++)
            {
                using var inner = NewDisposeScope();
                using var generator = new Generator((ulong)(12 + i));
                var measurement = new Measurement(operation, operation.Measure(prior.Draw(1, generator), sigma, new SeededNoise(i)), sigma);
                using var posterior = prior.Posterior(measurement);
                var exact = posterior.Draw(4 * count, generator).flatten(1);
                Put("exact draws", posterior.Draw(count, generator).flatten(1));
                foreach (var (method, of) in Methods)
                {
                    using var each = NewDisposeScope();
                    if (of(prior, measurement, posterior) is not var (denoiser, sampler)) continue;
                    var grid = TimeGrid.Karras(process, steps, rho: 3, sigmaMin: 0.01, sigmaMax: 20);
                    var noise = new OneNoise(3);
                    var start = Sampler.Prior(process, [count, 1, 4, 4], noise, time: grid[0], dtype: Double);
                    Put(method, sampler.Run(denoiser, start, grid, noise: noise).flatten(1));
                }

                void Put(string method, Tensor samples)
                {
                    if (!scores.TryGetValue((method, name, sigma), out var all)) scores[(method, name, sigma)] = all = new Score[measurements];
                    all[i] = Score.Of(samples, exact, posterior, prior);
                }
            }
            sheet.Say($"{name}, σ_y = {sigma}");
        }
        foreach (string method in Methods.Select(m => m.Name).Prepend("exact draws"))
        {
            Score? At(string problem, double sigma) => scores.TryGetValue((method, problem, sigma), out var all) ? Score.Mean(all) : null;
            overview.Add([method, .. problems.Select(p => At(p.Name, p.Sigma) is { } s ? $"{s.Distance:f3}" : "–")]);
            foreach (var (name, _) in Operators)
                if (Noises.Any(s => At(name, s) is not null))
                    tables[name].Add([method, .. Noises.SelectMany(s => At(name, s)?.Cells ?? ["–", "–", "–", "–"])]);
        }
        return $"{overview}\n" + string.Join('\n', Operators.Select(a => $"### {char.ToUpperInvariant(a.Name[0])}{a.Name[1..]}\n\n{tables[a.Name]}"))
            + "\nMean: its distance from the posterior's, over the prior's spread. Covariance: Frobenius norm of the error over that of the posterior's covariance. Variance ratio: the trace over the posterior's. Where nothing is left unknown (the blur without noise) there is no covariance to compare.\n";
    }

    /// <summary>How far samples are from the posterior.</summary>
    internal readonly record struct Score(double MeanError, double Covariance, double Variance, double Distance)
    {
        public static Score Of(Tensor samples, Tensor exact, GaussianMixture posterior, GaussianMixture prior)
        {
            using var scope = NewDisposeScope();
            double spread = Math.Sqrt(prior.Covariance().trace().item<double>());
            Tensor wanted = posterior.Covariance(), found = samples.t().cov();
            double trace = wanted.trace().item<double>();
            bool open = trace > 1e-8 * spread * spread;
            return new((samples.mean([0L]) - posterior.Mean().flatten()).norm().item<double>() / spread,
                open ? (found - wanted).norm().item<double>() / wanted.norm().item<double>() : double.NaN,
                open ? found.trace().item<double>() / trace : double.NaN,
                TwoSample.SlicedWasserstein1(samples, exact, 64, 1) / spread);
        }

        public static Score Mean(Score[] all) => new(all.Average(s => s.MeanError), all.Average(s => s.Covariance), all.Average(s => s.Variance), all.Average(s => s.Distance));

        public string[] Cells => [$"{MeanError:f3}", Or(Covariance), Or(Variance), $"{Distance:f3}"];

        private static string Or(double value) => double.IsNaN(value) ? "–" : $"{value:f2}";
    }

    // Standard deviation of a pixel.
    private static double Std(GaussianMixture data) => Math.Sqrt(WrappedTensorDisposeScope(() => data.Covariance().trace() / data.Mean().numel()).item<double>());

    private static GaussianMixture Pictures(GaussianProcess process)
    {
        using var scope = NewDisposeScope();
        var at = arange(16, Double);
        Tensor row = (at / 4).floor(), column = at.remainder(4);
        var smooth = (((row.unsqueeze(1) - row).square() + (column.unsqueeze(1) - column).square()).sqrt() / -3).exp();
        var means = stack([0.8 * (row / 1.5 - 1), 0.8 * (1 - column / 1.5), full(16, -0.3, Double)]).view(3, 1, 4, 4);
        return GaussianMixture.WithCovariances(process, tensor(new[] { 0.5, 0.3, 0.2 }), means, stack([0.09 * smooth, 0.04 * smooth, 0.16 * smooth]));
    }
}
