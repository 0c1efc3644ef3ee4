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

    private static readonly (string Name, Func<IDenoiser, Measurement, (IDenoiser, Sampler)> Create)[] Solvers =
    [
        ("ddnm", (d, m) => (d, new Ddnm(m))),
        ("ddrm", (d, m) => (d, new Ddrm(m))),
        ("diffpir", (d, m) => (d, new DiffPir(m))),
        ("ΠGDM", (d, m) => (d.Guided(m, 0.7), new Ddim(1))),
        ("dps", (d, m) => (d, new Dps(m, 0.15))),
        ("mcg", (d, m) => (d, new Mcg(m, 0.15))),
        ("red-diff", (d, m) => (d, new RedDiff(m, 0.25, 0.05))),
    ];

    private static readonly (string Name, Func<SpectralOperator> Create)[] Operators =
    [
        ("half the pixels", () => new Inpainting(tensor(new double[,] { { 1, 0, 1, 0 }, { 0, 1, 0, 1 }, { 1, 0, 0, 1 }, { 0, 1, 1, 0 } }))),
        ("blur", () => new Blur(Blur.Gaussian(0.7, 3), 4, 4)),
        ("2 × 2 averages", () => Separable.Average(4, 4, 2)),
    ];

    public static Table Run(bool quick)
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var prior = Pictures(process);
        double spread = Math.Sqrt(prior.Covariance().trace().item<double>());
        long count = quick ? 200 : 500;
        var table = new Table("solver", "measured", "noise", "mean off by", "variance over true", "sliced Wasserstein", "floor")
        {
            Note = $"Pictures of 4 × 4 pixels, three clusters of smooth Gaussians; the posterior of one measurement is a mixture again, in closed form. {count} samples, {(quick ? 40 : 100)} steps. Distances over the prior's spread; the floor is that of two exact sets.",
        };
        foreach (var (what, create) in Operators)
            foreach (double sigma in new[] { 0.0, 0.1 })
            {
                using var operation = create();
                using var generator = new Generator(12);
                var measurement = new Measurement(operation, operation.Measure(prior.Draw(1, generator), sigma), sigma);
                using var posterior = prior.Posterior(measurement);
                Tensor Exact() => posterior.Draw(count, generator).flatten(1);
                var exact = Exact();
                double floor = TwoSample.SlicedWasserstein1(Exact(), exact, 64, 1) / spread;
                double variance = posterior.Covariance().trace().item<double>();
                foreach (var (name, make) in Solvers)
                {
                    using var inner = NewDisposeScope();
                    var (denoiser, sampler) = make(prior, measurement);
                    var grid = TimeGrid.Karras(process, quick ? 40 : 100, rho: 3, sigmaMin: 0.01, sigmaMax: 20);
                    var noise = new OneNoise(3);
                    var x = Sampler.Prior(process, [count, 1, 4, 4], noise, time: grid[0], dtype: Double);
                    try
                    {
                        var got = sampler.Run(denoiser, x, grid, noise: noise).flatten(1);
                        table.Add(name, what, $"{sigma}", $"{(got.mean([0L]) - posterior.Mean().flatten()).norm().item<double>() / spread:f3}",
                            $"{got.t().cov().trace().item<double>() / variance:f2}", $"{TwoSample.SlicedWasserstein1(got, exact, 64, 1) / spread:f3}", $"{floor:f3}");
                    }
                    catch (ArgumentException) // not for this noise
                    {
                        table.Add(name, what, $"{sigma}", "–", "–", "–", $"{floor:f3}");
                    }
                }
            }
        return table;
    }

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
