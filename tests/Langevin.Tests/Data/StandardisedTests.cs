using Langevin.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public sealed class StandardisedTests
{
    [Fact]
    public void A_set_gets_mean_0_and_deviation_1_and_a_constant_column_stays_finite()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var raw = new ArrayDataset("raw", cat([randn(500, 1) * 40 + 1000, randn(500, 1) * 1e-3, ones(500, 1) * 7], 1)) { ColumnNames = ["a", "b", "c"] };
        var (mean, std) = Standardised.Measure(raw);
        Assert.Equal(7, mean[2]);
        Assert.Equal(1, std[2]);
        var set = new Standardised(raw, mean, std);
        Assert.Equal(["a", "b", "c"], set.ColumnNames);
        using var all = set.Get([.. Enumerable.Range(0, 500).Select(i => (long)i)], 0);
        // float32 around 1000/40: a relative 6e-8 of 25 a number.
        Assert.True(all.Samples.mean([0L]).abs().max().ToSingle() < 1e-5);
        Assert.True((all.Samples.std(0, unbiased: false) - tensor(new[] { 1f, 1, 0 })).abs().max().ToSingle() < 1e-4);
        using var source = raw.Get([17L], 0);
        using var one = set.Get([17L], 0);
        Assert.True((one.Samples.to(ScalarType.Float64) * tensor(std) + tensor(mean) - source.Samples).abs().max().ToDouble() < 1e-3);
    }

    [Fact]
    public void Pictures_and_wrong_lengths_are_refused()
    {
        using var pictures = new ArrayDataset("pictures", zeros(2, 1, 4, 4));
        using var vectors = new ArrayDataset("vectors", zeros(2, 3));
        Assert.Throws<ArgumentException>(() => new Standardised(pictures, [0], [1]));
        Assert.Throws<ArgumentException>(() => new Standardised(vectors, [0, 0], [1, 1]));
        Assert.Throws<ArgumentException>(() => new Standardised(vectors, [0, 0, 0], [1, 0, 1]));
    }
}
