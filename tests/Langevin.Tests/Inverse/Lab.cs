using Langevin.Denoisers;
using Langevin.Inverse;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Inverse;

/// <summary>Pictures of 4 × 4 pixels from a mixture of three smooth Gaussians, operators for them, and every solver.</summary>
internal static class Lab
{
    public const ScalarType Double = ScalarType.Float64;

    public static readonly Dictionary<string, Func<SpectralOperator>> Operators = new()
    {
        ["mask"] = () => new Inpainting(Mask()),
        ["blur"] = () => new Blur(Blur.Gaussian(0.7, 3), 4, 4),
        ["average"] = () => Separable.Average(4, 4, 2),
        ["sensing"] = () => new CompressedSensing(4, 4, 0.5),
    };

    public static Tensor Mask() => tensor(new double[,] { { 1, 0, 1, 0 }, { 0, 1, 0, 1 }, { 1, 0, 0, 1 }, { 0, 1, 1, 0 } });

    /// <summary>Three clusters whose pixels are correlated over distances as exp(−d/3).</summary>
    public static GaussianMixture Mixture(GaussianProcess process)
    {
        using var scope = NewDisposeScope();
        var at = arange(16, Double);
        Tensor row = (at / 4).floor(), column = at.remainder(4);
        var distance = ((row.unsqueeze(1) - row).square() + (column.unsqueeze(1) - column).square()).sqrt();
        var smooth = (-distance / 3).exp();
        var means = stack([0.8 * (row / 1.5 - 1), 0.8 * (1 - column / 1.5), full(16, -0.3, Double)]).view(3, 1, 4, 4);
        return GaussianMixture.WithCovariances(process, tensor(new[] { 0.5, 0.3, 0.2 }), means, stack([0.09 * smooth, 0.04 * smooth, 0.16 * smooth]));
    }

    /// <summary>One Gaussian of independent pixels.</summary>
    public static GaussianMixture Isotropic(GaussianProcess process, double std = 0.6) =>
        new(process, ones(1, Double), linspace(-1, 1, 16, Double).view(1, 1, 4, 4), full(1, std, Double));

    public static Tensor Draw(GaussianMixture mixture, long count, ulong seed)
    {
        using var generator = new Generator(seed);
        return mixture.Draw(count, generator);
    }

    /// <summary>Every restoring method as a denoiser and a sampler.</summary>
    public static readonly Dictionary<string, Func<IDenoiser, Measurement, (IDenoiser Denoiser, Sampler Sampler)>> Solvers = new()
    {
        ["ddnm"] = (d, m) => (d, new Ddnm(m)),
        ["ddrm"] = (d, m) => (d, new Ddrm(m)),
        ["diffpir"] = (d, m) => (d, new DiffPir(m)),
        ["pigdm"] = (d, m) => (d.Guided(m, 0.7), new Ddim(1)),
        ["dps"] = (d, m) => (d, new Dps(m, 0.5)),
        ["mcg"] = (d, m) => (d, new Mcg(m, 0.2)),
        ["reddiff"] = (d, m) => (d, new RedDiff(m, 0.25, 0.05)),
    };

    /// <summary>Solves a problem on a ladder of noise levels from 20 to data, from exact noise.</summary>
    public static Tensor Solve(string solver, GaussianMixture model, Measurement measurement, long count, int steps = 60, ulong seed = 1)
    {
        var process = model.Process;
        var grid = Grid(process, steps);
        var (denoiser, sampler) = Solvers[solver](model, measurement);
        using var generator = new Generator(seed);
        using var x = randn([count, 1, 4, 4], Double, generator: generator) * process.Sigma(grid[0]);
        return sampler.Run(denoiser, x, grid, noise: new BatchNoise(seed + 1));
    }

    public static TimeGrid Grid(GaussianProcess process, int steps) => TimeGrid.FromSigmas(process, Kit.Ladder(process, steps - 1, 20, 0.01).Sigmas(process).Append(0));
}
