using Langevin.Data.Procedural;
using Langevin.Denoisers;
using Langevin.Metrics.Distributions;
using Langevin.Processes;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks.Oracle;

/// <summary>A distribution whose denoiser is exact, with draws from it and the plane or subspace in which draws are compared.</summary>
internal sealed class Problem(string name, IDenoiser denoiser, long[] itemShape, Func<long, Generator, Tensor> draw, Func<Tensor, Tensor> view, double scale) : IDisposable
{
    public string Name => name;

    public IDenoiser Denoiser => denoiser;

    public GaussianProcess Process => denoiser.Process;

    public long[] ItemShape => itemShape;

    /// <summary>Root mean square of a coordinate of the data.</summary>
    public double Scale => scale;

    public Tensor Draw(long count, ulong seed)
    {
        using var generator = new Generator(seed);
        return draw(count, generator);
    }

    /// <summary>Exact draws of x_t.</summary>
    public Tensor DrawAt(double t, long count, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed + 1000);
        var x0 = Draw(count, seed);
        return Process.Corrupt(x0, t, randn(x0.shape, x0.dtype, generator: generator)).MoveToOuterDisposeScope();
    }

    /// <summary>Sliced Wasserstein distance of samples from exact draws, over the data's scale.</summary>
    public double Distance(Tensor samples, Tensor exact)
    {
        using var scope = NewDisposeScope();
        return TwoSample.SlicedWasserstein1(view(samples), view(exact), 64, 1) / scale;
    }

    public void Dispose() => (denoiser as IDisposable)?.Dispose();

    /// <summary>Eight narrow Gaussians on a circle.</summary>
    public static Problem EightGaussians(GaussianProcess process)
    {
        var mixture = Toys.EightGaussiansMixture(process);
        return new("eight Gaussians, 2", mixture, [2], mixture.Draw, x => x, 1);
    }

    /// <summary>Pictures 3 × 32 × 32 of six clusters in a subspace of 24 smooth patterns whose variances fall off as a power, and a little noise across it.</summary>
    public static Problem Pictures(GaussianProcess process)
    {
        using var scope = NewDisposeScope();
        var (inside, patterns) = Coordinates(process);
        var mixture = new SubspaceMixture(inside, patterns, 0.02);
        double scale = Math.Sqrt(inside.Covariance().trace().item<double>() / patterns.shape[0]);
        return new("pictures, 3 × 32 × 32", mixture, [3, 32, 32], mixture.Draw, mixture.Coordinates, scale);
    }

    /// <summary>The distribution of those pictures' coordinates, and the patterns [24, 3, 32, 32], orthonormal.</summary>
    public static (GaussianMixture Inside, Tensor Patterns) Coordinates(GaussianProcess process)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        const int rank = 24, clusters = 6;
        // Products of cosines in each colour, low frequencies first.
        var at = (arange(32, ScalarType.Float64) + 0.5) * (Math.PI / 32);
        var patterns = new List<Tensor>();
        for (int k = 0; patterns.Count < rank; k++)
            for (int i = 0; i <= k && patterns.Count < rank; i++)
                for (int colour = 0; colour < 3 && patterns.Count < rank; colour++)
                {
                    var pattern = zeros(3, 32, 32, ScalarType.Float64);
                    pattern[colour] = (at * (k - i)).cos().unsqueeze(1) * (at * i).cos().unsqueeze(0);
                    patterns.Add(pattern / pattern.norm());
                }
        // Each pattern's coefficient is as large as pixels of ±0.5 make it.
        var spectrum = 12 * (arange(1, rank + 1, ScalarType.Float64)).pow(-0.7);
        var means = randn([clusters, rank], ScalarType.Float64, generator: generator) * spectrum;
        var variances = (0.3 * spectrum).square().diag();
        return (GaussianMixture.WithCovariances(process, ones(clusters, ScalarType.Float64), means, variances.expand(clusters, rank, rank).contiguous()),
            stack([.. patterns]).MoveToOuterDisposeScope());
    }
}

/// <summary>Noise from one generator for a whole batch: fast, and good enough where distributions are compared.</summary>
internal sealed class OneNoise(ulong seed) : INoise
{
    private readonly Generator generator = new(seed);

    public Tensor Next(Tensor like) => randn(like.shape, like.dtype, generator: generator);
}
