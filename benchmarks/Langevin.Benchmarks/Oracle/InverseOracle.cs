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

    /// <summary>A way to restore: what it makes of the model, a measurement and the exact denoiser of that one's posterior; null where it is not for that.</summary>
    private delegate (IDenoiser Denoiser, Sampler Sampler)? Method(World world, IDenoiser model, Measurement measurement, IDenoiser posterior);

    private static readonly (string Name, Method Of)[] Methods =
    [
        ("the posterior's own denoiser, heun", (_, _, _, p) => (p, new ProbabilityFlow(2))),
        ("the prior: no measurement", (_, d, _, _) => (d, new ProbabilityFlow(2))),
        ("DDNM, DDNM+", (_, d, m, _) => (d, new Ddnm(m))),
        ("DDNM's projection in heun", (_, d, m, _) => m.Sigma == 0 ? (d.Consistent(m), new ProbabilityFlow(2)) : null),
        ("DDRM", (_, d, m, _) => (d, new Ddrm(m))),
        ("DiffPIR", (_, d, m, _) => (d, new DiffPir(m))),
        ("DiffPIR, ζ = 1", (_, d, m, _) => (d, new DiffPir(m, Zeta: 1))),
        ("ΠGDM, ancestral", (w, d, m, _) => (d.Guided(m, w.PixelStd), new Ddim(1))),
        ("ΠGDM in heun", (w, d, m, _) => (d.Guided(m, w.PixelStd), new ProbabilityFlow(2))),
        ("DPS, ζ = 0.15", (_, d, m, _) => (d, new Dps(m, 0.15))),
        ("DPS, ζ = 0.5", (_, d, m, _) => (d, new Dps(m, 0.5))),
        ("MCG, ζ = 0.15", (_, d, m, _) => m.Sigma == 0 ? (d, new Mcg(m, 0.15)) : null),
        ("ILVR (replacement by A⁺A)", (_, d, m, _) => m.Sigma == 0 ? (d, new Ilvr(m.Operator.PseudoInverse(m.Y), (LinearOperator)m.Operator)) : null),
        ("RePaint, r = 1", (_, d, m, _) => m is { Operator: Inpainting, Sigma: 0 } ? (d, new RePaint(m, 5, 1)) : null),
        ("RePaint, j = 5, r = 10", (_, d, m, _) => m is { Operator: Inpainting, Sigma: 0 } ? (d, new RePaint(m, 5, 10)) : null),
        ("CCDF: half of DDNM's way", (_, d, m, _) => (d, new SdEdit(m.Operator.PseudoInverse(m.Y), 0.5, new Ddnm(m)))),
        ("blind deblurring", (_, d, m, _) => m is { Operator: Blur, Sigma: > 0 } ? (d, new BlindDeblurring(m.Y, 3, m.Sigma)) : null),
        ("RED-diff (an optimiser)", (_, d, m, _) => (d, new RedDiff(m, 0.25, 0.05))),
    ];

    public static string Small(Sheet sheet)
    {
        using var scope = NewDisposeScope();
        using var world = World.Small(VariancePreserving.Linear());
        return Run(sheet, world, sheet.Quick ? 200 : 1000, sheet.Quick ? 1 : 4);
    }

    public static string Pictures(Sheet sheet)
    {
        using var scope = NewDisposeScope();
        using var world = World.Pictures(VariancePreserving.Linear());
        return Run(sheet, world, sheet.Quick ? 60 : 150, 1);
    }

    private static string Run(Sheet sheet, World world, long count, int measurements)
    {
        int steps = sheet.Quick ? 40 : 100;
        var problems = (from a in world.Operators from sigma in world.Noises select (a.Name, a.Create, Sigma: sigma)).ToArray();
        string Head(string name, double sigma) => world.Noises.Count > 1 ? $"{name} {sigma}" : name;
        var overview = new Table(["method", .. problems.Select(p => Head(p.Name, p.Sigma))])
        {
            Note = $"Sliced Wasserstein distance of {count} samples in {steps} steps from the exact posterior, over the prior's spread, by operator"
                + (world.Noises.Count > 1 ? " and σ_y" : $", σ_y = {world.Noises[0]}") + $"; mean of {measurements} measurements. {world.About} First row: as many exact draws. A dash: the method is not for that.",
        };
        var tables = world.Operators.ToDictionary(a => a.Name, a => new Table(["method", .. world.Noises.SelectMany(s => new[] { $"mean, σ_y = {s}", "covariance", "variance ratio", "sliced Wasserstein" })]));
        var scores = new Dictionary<(string Method, string Problem, double Sigma), Score[]>();
        foreach (var (name, create, sigma) in problems)
        {
            using var operation = create();
            for (int i = 0; i < measurements; i++)
            {
                using var inner = NewDisposeScope();
                using var generator = new Generator((ulong)(12 + i));
                var measurement = new Measurement(operation, operation.Measure(world.Draw(1, generator), sigma, new SeededNoise(i)), sigma);
                var posterior = world.Posterior(measurement);
                var own = world.Whole(posterior);
                using var owner = (IDisposable)own;
                var exact = posterior.Draw(4 * count, generator).flatten(1);
                Put("exact draws", posterior.Draw(count, generator).flatten(1));
                foreach (var (method, of) in Methods)
                {
                    using var each = NewDisposeScope();
                    if (of(world, world.Model, measurement, own) is not var (denoiser, sampler)) continue;
                    var grid = TimeGrid.Karras(world.Model.Process, steps, rho: 3, sigmaMin: 0.01, sigmaMax: world.SigmaMax);
                    var noise = new OneNoise(3);
                    var start = Sampler.Prior(world.Model.Process, [count, .. world.ItemShape], noise, time: grid[0], dtype: Double);
                    Put(method, world.View(sampler.Run(denoiser, start, grid, noise: noise)));
                }

                void Put(string method, Tensor samples)
                {
                    if (!scores.TryGetValue((method, name, sigma), out var all)) scores[(method, name, sigma)] = all = new Score[measurements];
                    all[i] = Score.Of(samples, exact, posterior, world.Prior);
                }
            }
            sheet.Say($"{name}, σ_y = {sigma}");
        }
        foreach (string method in Methods.Select(m => m.Name).Prepend("exact draws"))
        {
            Score? At(string problem, double sigma) => scores.TryGetValue((method, problem, sigma), out var all) ? Score.Mean(all) : null;
            if (!problems.Any(p => At(p.Name, p.Sigma) is not null)) continue;
            overview.Add([method, .. problems.Select(p => At(p.Name, p.Sigma) is { } s ? $"{s.Distance:f3}" : "–")]);
            foreach (var (name, _) in world.Operators)
                if (world.Noises.Any(s => At(name, s) is not null))
                    tables[name].Add([method, .. world.Noises.SelectMany(s => At(name, s)?.Cells ?? ["–", "–", "–", "–"])]);
        }
        return $"{overview}\n" + string.Join('\n', world.Operators.Select(a => $"### {char.ToUpperInvariant(a.Name[0])}{a.Name[1..]}\n\n{tables[a.Name]}"))
            + "\nMean: its distance from the posterior's, over the prior's spread. Covariance: Frobenius norm of the error over that of the posterior's covariance. Variance ratio: the trace over the posterior's. Where nothing is left unknown there is no covariance to compare.\n";
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
}
