using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

/// <summary>Every process, a mixture on each, and two-sample statistics.</summary>
internal static class Kit
{
    public static readonly Dictionary<string, GaussianProcess> Processes = new()
    {
        ["vp-linear"] = VariancePreserving.Linear(),
        ["vp-cosine"] = VariancePreserving.Cosine(),
        ["vp-table"] = DiscreteProcess.FromBetas(Betas.Linear()),
        ["vp-cosine-table"] = DiscreteProcess.FromBetas(Betas.Cosine()),
        ["ve"] = new VarianceExploding(0.01, 50),
        ["ve-table"] = DiscreteProcess.FromSigmas(Betas.GeometricSigmas(200, 50, 0.01)),
        ["sub-vp"] = new SubVariancePreserving(),
        ["edm"] = new EdmProcess(),
        ["flow"] = new RectifiedFlow(),
        ["brownian"] = AdditiveNoise.Brownian(),
        ["flow-unscaled"] = new RectifiedFlow().Unscaled(),
        ["log-snr"] = new LogSnrProcess(t => -9 + 12 * t + 3 * t * t, t => 12 + 6 * t),
        ["ve-unit"] = new VarianceExploding(0.01, 50).UnitVariance(),
    };

    public static TheoryData<string> Names() => [.. Processes.Keys];

    /// <summary>Three clusters in the plane, in double.</summary>
    public static GaussianMixture Mixture(GaussianProcess process) => new(process,
        tensor(new[] { 0.5, 0.3, 0.2 }), tensor(new[,] { { -1.5, 0.5 }, { 1.0, -1.0 }, { 0.5, 1.2 } }), tensor(new[] { 0.3, 0.5, 0.2 }));

    /// <summary>Exact draws of x_t.</summary>
    public static Tensor Draw(GaussianMixture mixture, double t, long count, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        var x0 = mixture.Draw(count, generator);
        return mixture.Process.Corrupt(x0, t, randn(x0.shape, x0.dtype, generator: generator)).MoveToOuterDisposeScope();
    }

    /// <summary>Times inside the domain, both ends out, that no table's step falls on.</summary>
    public static double[] Inside(GaussianProcess p, params double[] shares) => Array.ConvertAll(shares, u => p.MinTime + u * (p.MaxTime - p.MinTime));

    /// <summary>Ratios σ/α from high to low in n steps, as Karras spaces them, without the step to data.</summary>
    public static TimeGrid Ladder(GaussianProcess process, int n, double high, double low) =>
        TimeGrid.FromSigmas(process, Betas.Spaced(n + 1, Math.Pow(high, 1 / 3.0), Math.Pow(low, 1 / 3.0)).Select(r => r * r * r));

    /// <summary>Kolmogorov and Smirnov's distance of two samples of one number, over √(1/n + 1/m): above 2.2 once in ten thousand.</summary>
    public static double KolmogorovSmirnov(double[] a, double[] b)
    {
        Array.Sort(a);
        Array.Sort(b);
        double worst = 0;
        for (int i = 0, j = 0; i < a.Length && j < b.Length;)
        {
            double at = Math.Min(a[i], b[j]);
            while (i < a.Length && a[i] <= at) i++;
            while (j < b.Length && b[j] <= at) j++;
            worst = Math.Max(worst, Math.Abs((double)i / a.Length - (double)j / b.Length));
        }
        return worst / Math.Sqrt(1.0 / a.Length + 1.0 / b.Length);
    }

    /// <summary>The largest such distance over eight directions of the plane.</summary>
    public static double Sliced(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return Enumerable.Range(0, 8).Max(k =>
        {
            var direction = tensor(new[] { Math.Cos(k * Math.PI / 8), Math.Sin(k * Math.PI / 8) });
            return KolmogorovSmirnov((a.to(ScalarType.Float64) * direction).sum(1).data<double>().ToArray(), (b.to(ScalarType.Float64) * direction).sum(1).data<double>().ToArray());
        });
    }

    public static double MaxAbs(Tensor difference)
    {
        using var scope = NewDisposeScope();
        return difference.abs().max().to(ScalarType.Float64).item<double>();
    }
}

/// <summary>Noise from one generator for the whole batch: fast, for tests of distributions.</summary>
internal sealed class BatchNoise(ulong seed) : INoise
{
    private readonly Generator generator = new(seed);

    public Tensor Next(Tensor like) => randn(like.shape, like.dtype, generator: generator);
}
