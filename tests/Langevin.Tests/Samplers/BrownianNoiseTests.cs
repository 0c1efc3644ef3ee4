using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

/// <summary>Noise that is one Brownian path: its law, its independence of how it is asked, and what solvers gain by it.</summary>
public class BrownianNoiseTests
{
    private static double Clock(double lambda) => Math.Exp(2 * lambda);

    [Fact]
    public void Increments_add_up()
    {
        using var scope = NewDisposeScope();
        using var noise = new BrownianNoise(5);
        var like = empty([3, 4], ScalarType.Float64);
        double[] at = [double.NegativeInfinity, -3.3, -1, 0.2, 0.7, 2.5];
        Tensor Increment(double a, double b) => noise.Over(like, a, b) * Math.Sqrt(Clock(b) - Clock(a));
        var whole = Increment(at[0], at[^1]);
        var parts = Enumerable.Range(0, at.Length - 1).Select(i => Increment(at[i], at[i + 1])).Aggregate((a, b) => a + b);
        Assert.True(Kit.MaxAbs(whole - parts) < 1e-12);
        Assert.True(Kit.MaxAbs(noise.At(like, at[^1]) - whole) < 1e-12); // W is 0 at pure noise
    }

    [Fact]
    public void The_path_is_the_same_whatever_is_asked_and_in_whatever_batch()
    {
        using var scope = NewDisposeScope();
        double[] at = [-4, -2, -0.5, 0.1, 1.9, 3];
        var like = empty([4, 3], ScalarType.Float64);
        using var once = new BrownianNoise(8);
        var forward = at.Select(l => once.At(like, l)).ToArray();
        using var again = new BrownianNoise(8);
        foreach (int i in new[] { 3, 0, 5, 1, 4, 2 }) Assert.Equal(0, Kit.MaxAbs(again.At(like, at[i]) - forward[i]));
        using var alone = new BrownianNoise(8, first: 2);
        Assert.Equal(0, Kit.MaxAbs(alone.At(empty([1, 3], ScalarType.Float64), at[2])[0] - forward[2][2]));
        using var other = new BrownianNoise(9);
        Assert.True(Kit.MaxAbs(other.At(like, at[2]) - forward[2]) > 0.1);
        Assert.True(Kit.MaxAbs(forward[2][0] - forward[2][1]) > 0.01);
    }

    [Fact]
    public void Increments_are_independent_standard_normals()
    {
        using var scope = NewDisposeScope();
        const int Count = 40000;
        var like = empty([1, Count], ScalarType.Float64);
        using var noise = new BrownianNoise(1);
        double[] at = [double.NegativeInfinity, -5, -0.3, -0.2999, 0.4, 6];
        var z = stack(at.Zip(at.Skip(1)).Select(p => noise.Over(like, p.First, p.Second)[0]));
        var mean = z.mean([1]);
        var covariance = einsum("in,jn->ij", z, z) / Count;
        // Five standard deviations of a mean, 1/√n, and of a (co)variance, at most √(2/n).
        Assert.True(Kit.MaxAbs(mean) < 5 / Math.Sqrt(Count), $"{Kit.MaxAbs(mean):g3}");
        Assert.True(Kit.MaxAbs(covariance - eye(5, dtype: ScalarType.Float64)) < 5 * Math.Sqrt(2.0 / Count), $"{Kit.MaxAbs(covariance - eye(5, dtype: ScalarType.Float64)):g3}");
        // Normal: the fourth moment is 3, with variance 96/n.
        Assert.True(Kit.MaxAbs(z.pow(4).mean([1]) - 3) < 5 * Math.Sqrt(96.0 / Count));
    }

    [Fact]
    public void Fresh_draws_are_not_the_path_and_bad_times_are_refused()
    {
        using var scope = NewDisposeScope();
        using var noise = new BrownianNoise(1);
        var like = empty([2, 3], ScalarType.Float64);
        Assert.True(Kit.MaxAbs(noise.Next(like) - noise.Next(like)) > 0.1);
        Assert.Throws<ArgumentOutOfRangeException>(() => noise.Over(like, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => noise.Over(like, 20, double.PositiveInfinity));
        Assert.Throws<ArgumentOutOfRangeException>(() => noise.At(like, 20));
        Assert.True(noise.Over(like, 1, double.PositiveInfinity).isfinite().all().item<bool>());
    }

    [Fact]
    public void A_constant_answer_is_reached_exactly_by_any_steps()
    {
        // With one x̂_0 for all, the ancestral step solves the reverse SDE along the path, however long it is.
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        var denoiser = new Goldens.FunctionDenoiser(process, (x, t) => new(Langevin.Denoisers.PredictionKind.X0, full_like(x, 0.7), x, process, t));
        var start = randn(2, 3, ScalarType.Float64, generator: new Generator(1));
        Tensor Run(Sampler sampler, int n)
        {
            using var noise = new BrownianNoise(4);
            return sampler.Run(denoiser, start, Kit.Ladder(process, n, 5, 0.2), noise: noise);
        }
        foreach (var sampler in new Sampler[] { new Ddim(1), new DdpmAncestral(), new DpmPlusPlusSde(), new ErSde(3, r => r * r) })
            Assert.True(Kit.MaxAbs(Run(sampler, 1) - Run(sampler, 50)) < 1e-10, $"{sampler}: {Kit.MaxAbs(Run(sampler, 1) - Run(sampler, 50)):g3}");
    }

    [Fact]
    public void Solvers_converge_on_one_path()
    {
        using var scope = NewDisposeScope();
        var process = new EdmProcess();
        using var gaussian = new Langevin.Denoisers.GaussianMixture(process, ones(1, ScalarType.Float64), tensor(new[,] { { 0.7, -0.2 } }), tensor(new[] { 1.0 }));
        var x = Kit.Draw(gaussian, 5, 32, 1);
        Tensor Run(Sampler sampler, int n, INoise noise) => sampler.Run(gaussian, x, Kit.Ladder(process, n, 5, 0.2), noise: noise);
        Tensor Along(Sampler sampler, int n)
        {
            using var noise = new BrownianNoise(6);
            return Run(sampler, n, noise);
        }
        static double Distance(Tensor a, Tensor b) => (a - b).square().mean().sqrt().item<double>();
        var exact = Along(new DpmPlusPlusSde(), 160);
        foreach (var (sampler, order) in new (Sampler, double)[] { (new Ddim(1), 1), (new DpmPlusPlusSde(), 1), (new ErSde(2, r => r * r), 1) })
        {
            double coarse = Distance(Along(sampler, 10), exact), fine = Distance(Along(sampler, 40), exact), measured = Math.Log2(coarse / fine) / 2;
            Assert.True(measured > order - 0.3 && fine < 0.1, $"{sampler}: strong order {measured:0.00} ({coarse:g3} to {fine:g3})");
        }
        // Noise drawn step by step is another path at each step count.
        Assert.True(Distance(Run(new DpmPlusPlusSde(), 40, new BatchNoise(6)), exact) > 0.3);
    }
}
