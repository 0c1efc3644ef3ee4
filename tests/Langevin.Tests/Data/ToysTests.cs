using Langevin.Data;
using Langevin.Data.Procedural;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class ToysTests
{
    public static TheoryData<string, int> Sets() => new() { { "moons", 2 }, { "swiss-roll", 0 }, { "checkerboard", 0 }, { "pinwheel", 5 }, { "eight-gaussians", 8 } };

    private static ArrayDataset Make(string name, int count, long seed, long first = 0) => name switch
    {
        "moons" => Toys.Moons(count, seed, first),
        "swiss-roll" => Toys.SwissRoll(count, seed, first),
        "checkerboard" => Toys.Checkerboard(count, seed, first),
        "pinwheel" => Toys.Pinwheel(count, seed, first),
        _ => Toys.EightGaussians(count, seed, first),
    };

    [Theory, MemberData(nameof(Sets))]
    public void Points_are_about_standard_and_reproducible(string name, int classes)
    {
        using var scope = NewDisposeScope();
        var set = Make(name, 20_000, seed: 3);
        Assert.Equal((name, classes), (set.Name, set.ClassCount));
        Assert.Equal([2L], set.ItemShape);
        foreach (float s in set.Items.std(0).data<float>().ToArray()) Assert.InRange(s, 0.65f, 1.3f);
        foreach (float m in set.Items.mean([0L]).data<float>().ToArray()) Assert.InRange(m, -0.2f, 0.2f);
        Assert.True(set.Items.narrow(0, 500, 100).eq(Make(name, 100, seed: 3, first: 500).Items).all().item<bool>());
        Assert.False(set.Items.narrow(0, 0, 100).eq(Make(name, 100, seed: 4).Items).any().item<bool>());
    }

    [Fact]
    public void Eight_gaussians_have_the_moments_they_state()
    {
        using var scope = NewDisposeScope();
        var set = Toys.EightGaussians(80_000, seed: 1);
        for (int k = 0; k < 8; k++)
        {
            var own = set.Items[set.Labels!.eq(k)];
            Assert.Equal(10_000, own.shape[0]);
            var (x, y) = Toys.EightGaussiansMeans[k];
            // Five standard errors of a mean of 10,000 and of a standard deviation.
            Assert.Equal(x, own.mean([0L])[0].item<float>(), 0.005);
            Assert.Equal(y, own.mean([0L])[1].item<float>(), 0.005);
            Assert.Equal(Toys.EightGaussiansStd, own.std(0)[0].item<float>(), 0.0036);
        }
        Assert.Equal(1, Toys.EightGaussiansMeans.Average(m => m.X * m.X) + Toys.EightGaussiansStd * Toys.EightGaussiansStd, 12);
    }

    [Fact]
    public void Two_gaussians_have_the_weights_and_moments_of_their_mixture()
    {
        using var scope = NewDisposeScope();
        var set = Toys.TwoGaussians(80_000, seed: 1);
        var mixture = Toys.TwoGaussiansMixture(new VarianceExploding());
        // Five standard errors: √(0.16 / 80,000) of the weight, 0.2/√16,000 of a mean, 0.2/√32,000 of a standard deviation.
        var upper = set.Items.sum(1).gt(0);
        Assert.Equal(mixture.Weights[0].item<double>(), upper.to(ScalarType.Float64).mean().item<double>(), 0.0071);
        foreach (var (own, mean) in new[] { (set.Items[upper], 1.0), (set.Items[upper.logical_not()], -1.0) })
        {
            Assert.Equal(mean, own.mean().item<float>(), 0.0079);
            Assert.Equal(0.2, own.std(0)[0].item<float>(), 0.0057);
        }
        Assert.Equal(0.6, mixture.Mean()[1].item<double>(), 12);
    }

    [Fact]
    public void Checkerboard_fields_alternate()
    {
        using var scope = NewDisposeScope();
        var set = Toys.Checkerboard(8000, seed: 2);
        double side = Math.Sqrt(12) / 4;
        var field = set.Items.div(side).add(2).floor().to(ScalarType.Int64);
        Assert.InRange(field.min().item<long>(), 0, 0);
        Assert.InRange(field.max().item<long>(), 3, 3);
        Assert.True(field.sum(1).remainder(2).eq(0).all().item<bool>());
    }
}
