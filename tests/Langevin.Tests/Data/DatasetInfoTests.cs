using Langevin.Data;
using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class DatasetInfoTests
{
    [Fact]
    public void Counts_range_and_moments_are_right()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var x = randn([1300, 3, 2, 2], generator: generator) * 0.1 + tensor(new[] { -0.5f, 0.5f, 0f }).view(1, 3, 1, 1);
        var info = DatasetInfo.Of(new ArrayDataset("x", x.clone(), arange(1300, ScalarType.Int64).remainder(4)));
        Assert.Equal((1300, "x", "array"), (info.Count, info.Name, info.Kind));
        Assert.Equal([325L, 325, 325, 325], info.Classes.Select(c => c.Count));
        Assert.Equal(x.min().item<float>(), info.Min);
        Assert.Equal(x.max().item<float>(), info.Max);
        for (int c = 0; c < 3; c++)
        {
            Assert.Equal(x.select(1, c).to(ScalarType.Float64).mean().item<double>(), info.Mean[c], 1e-8);
            Assert.Equal(x.select(1, c).to(ScalarType.Float64).std(unbiased: false).item<double>(), info.Std[c], 1e-7);
        }
        Assert.Empty(info.Warnings);
    }

    [Fact]
    public void Sound_sets_have_no_warnings()
    {
        using var strokes = Strokes.Create(500);
        var info = DatasetInfo.Of(strokes);
        Assert.Empty(info.Warnings);
        Assert.Equal((-1, 10), (info.Min, info.Classes.Count));
    }

    [Fact]
    public void What_may_spoil_training_is_said()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var x = rand([200, 1, 4, 4], generator: generator) * 3;
        x[7] = 0.5f;
        x[8] = 0.25f;
        x[9] = x[10].clone();
        x[11, 0, 0, 0] = float.NaN;
        var labels = cat([zeros(190, ScalarType.Int64), full(10, 2L, ScalarType.Int64)], 0);
        var warnings = DatasetInfo.Of(new ArrayDataset("x", x.clone(), labels.clone(), ["a", "b", "c"])).Warnings;
        Assert.Equal(
        [
            "1 values are NaN or infinite", "2 items are constant (one colour value throughout)", "1 items repeat an earlier one",
            "pixel values lie in ", "1 of 3 classes have no items (b)", "classes are unbalanced: 10 to 190 items",
        ], warnings.Select(w => w.StartsWith("pixel values lie in ", StringComparison.Ordinal) ? w[..20] : w));

        var table = rand([50, 2], generator: generator) * tensor(new[] { 1000f, 0 });
        Assert.Equal(["some components are constant: standardise before training", "only 50 items: a model will memorise them", "no labels: only unconditional models can be trained"],
            DatasetInfo.Of(new ArrayDataset("t", table.clone())).Warnings);
    }
}
