using Langevin.Denoisers;
using Langevin.Inverse;
using Langevin.Processes;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks.Oracle;

/// <summary>Data whose posterior under a linear measurement with Gaussian noise is known, with the measurements to make of it.</summary>
internal sealed class World : IDisposable
{
    private const ScalarType Double = ScalarType.Float64;
    private readonly IDisposable[] owned;
    private readonly Tensor? basis;

    private World(IDenoiser model, GaussianMixture prior, Tensor? basis, params IDisposable[] owned) => (Model, Prior, this.basis, this.owned) = (model, prior, basis, owned);

    /// <summary>The exact denoiser of the data.</summary>
    public IDenoiser Model { get; }

    /// <summary>The data's distribution, in the coordinates in which samples are compared.</summary>
    public GaussianMixture Prior { get; }

    public required long[] ItemShape { get; init; }

    public required string About { get; init; }

    public required IReadOnlyList<double> Noises { get; init; }

    public required IReadOnlyList<(string Name, Func<LinearOperator> Create)> Operators { get; init; }

    /// <summary>Standard deviation of a pixel.</summary>
    public required double PixelStd { get; init; }

    /// <summary>σ/α where sampling starts: well above the data.</summary>
    public required double SigmaMax { get; init; }

    /// <summary>Pictures in the coordinates of <see cref="Prior"/>.</summary>
    public Tensor View(Tensor x) => Model is SubspaceMixture inside ? inside.Coordinates(x) : x.flatten(1);

    /// <summary>Draws of the data, as pictures.</summary>
    public Tensor Draw(long count, Generator generator) => Model is SubspaceMixture inside ? inside.Draw(count, generator) : Prior.Draw(count, generator);

    /// <summary>p(x | y) in the same coordinates.</summary>
    public GaussianMixture Posterior(Measurement measurement)
    {
        if (basis is null) return Prior.Posterior(measurement);
        // y = A U z + σ_y n: the operator on coordinates is that on the patterns.
        using var scope = NewDisposeScope();
        using var inside = new DenseOperator(((LinearOperator)measurement.Operator).Forward(basis).flatten(1).t(), basis.shape[0]);
        return Prior.Posterior(new Measurement(inside, measurement.Y.flatten(1), measurement.Sigma));
    }

    /// <summary>The denoiser of pictures whose coordinates have a posterior; it owns the posterior.</summary>
    public IDenoiser Whole(GaussianMixture posterior) => basis is null ? posterior : new SubspaceMixture(posterior, basis, 0);

    public void Dispose()
    {
        foreach (var each in owned) each.Dispose();
    }

    /// <summary>Pictures of 4 × 4 pixels: three clusters of smooth Gaussians.</summary>
    public static World Small(GaussianProcess process)
    {
        using var scope = NewDisposeScope();
        var at = arange(16, Double);
        Tensor row = (at / 4).floor(), column = at.remainder(4);
        var smooth = (((row.unsqueeze(1) - row).square() + (column.unsqueeze(1) - column).square()).sqrt() / -3).exp();
        var means = stack([0.8 * (row / 1.5 - 1), 0.8 * (1 - column / 1.5), full(16, -0.3, Double)]).view(3, 1, 4, 4);
        var mixture = GaussianMixture.WithCovariances(process, tensor(new[] { 0.5, 0.3, 0.2 }), means, stack([0.09 * smooth, 0.04 * smooth, 0.16 * smooth]));
        return new(mixture, mixture, null, mixture)
        {
            ItemShape = [1, 4, 4],
            About = "Pictures of 4 × 4 pixels, three clusters of smooth Gaussians: half the pixels, a Gaussian blur (invertible), 2 × 2 averages, half of the Walsh–Hadamard coefficients, half of the columns of frequencies.",
            Noises = [0, 0.1],
            PixelStd = Math.Sqrt(mixture.Covariance().trace().item<double>() / 16),
            SigmaMax = 20,
            Operators =
            [
                ("mask", () => new Inpainting(tensor(new double[,] { { 1, 0, 1, 0 }, { 0, 1, 0, 1 }, { 1, 0, 0, 1 }, { 0, 1, 1, 0 } }))),
                ("blur", () => new Blur(Blur.Gaussian(0.7, 3), 4, 4)),
                ("down-sampling", () => Separable.Average(4, 4, 2)),
                ("sensing", () => new CompressedSensing(4, 4, 0.5)),
                ("Fourier", () => new MaskedFourier(FourierMask.Cartesian(4, 4, 2, seed: 1), real: true)),
            ],
        };
    }

    /// <summary>Pictures of 3 × 32 × 32 pixels in a subspace of 24 patterns: those of the solvers' problem, with nothing across the subspace.</summary>
    public static World Pictures(GaussianProcess process)
    {
        using var scope = NewDisposeScope();
        var (inside, patterns) = Problem.Coordinates(process);
        var basis = patterns.DetachFromDisposeScope();
        var model = new SubspaceMixture(inside, basis, 0);
        using var generator = new Generator(5);
        var seen = rand([32, 32], Double, generator: generator).lt(0.25).to(Double).DetachFromDisposeScope();
        return new(model, inside, basis, model, basis, seen)
        {
            ItemShape = [3, 32, 32],
            About = "Pictures of 3 × 32 × 32 pixels, six clusters in a subspace of 24 smooth patterns, compared there: a quarter of the pixels, a Gaussian blur of 2 pixels, 8 × 8 averages, grey for colour, a motion blur of 9 pixels.",
            Noises = [0.3],
            PixelStd = Math.Sqrt(inside.Covariance().trace().item<double>() / (3 * 32 * 32)),
            SigmaMax = 80,
            Operators =
            [
                ("mask", () => new Inpainting(seen)),
                ("blur", () => new Blur(Blur.Gaussian(2, 13), 32, 32)),
                ("down-sampling", () => Separable.Average(32, 32, 8)),
                ("grey", () => new Greyscale()),
                ("motion blur", () => new Blur(Blur.Motion(9, 30), 32, 32)),
            ],
        };
    }
}
