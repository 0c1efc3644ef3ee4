using System.Diagnostics;
using Langevin.Data;
using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class StrokesTests
{
    [Fact]
    public void Item_i_depends_on_the_seed_and_i_alone()
    {
        using var scope = NewDisposeScope();
        var all = Strokes.Create(300, seed: 5);
        var part = Strokes.Create(40, seed: 5, first: 130);
        Assert.True(all.Items.narrow(0, 130, 40).eq(part.Items).all().item<bool>());
        Assert.True(all.Labels!.narrow(0, 130, 40).eq(part.Labels!).all().item<bool>());
        var other = Strokes.Create(300, seed: 6);
        Assert.True(all.Items.ne(other.Items).view(300, -1).any(1).all().item<bool>());
        // No two items are alike.
        Assert.Equal(300, all.Items.view(300, -1).unique(dim: 0).output.shape[0]);
    }

    [Fact]
    public void Digits_are_balanced_centred_and_inside_the_frame()
    {
        using var scope = NewDisposeScope();
        var set = Strokes.Create(2000);
        Assert.Equal([1L, 28, 28], set.ItemShape);
        Assert.Equal(Enumerable.Repeat(200L, 10), set.Labels!.bincount(null).data<long>().ToArray());
        var x = set.Items.to(ScalarType.Float32) / 255;
        Assert.True(x.amax([2, 3]).ge(0.8).all().item<bool>());
        var border = x.clone();
        border.narrow(2, 1, 26).narrow(3, 1, 26).zero_();
        Assert.InRange(border.gt(0.5).any(3).any(2).to(ScalarType.Float32).mean().item<float>(), 0, 0.01f);
        // Ink covers about as much of the frame as handwriting does (MNIST: mean 0.13).
        Assert.InRange(x.mean().item<float>(), 0.09f, 0.19f);
        var mean = x.mean([0, 1]);
        Assert.InRange((mean.sum([0L]) * arange(28, ScalarType.Float32)).sum().item<float>() / mean.sum().item<float>(), 12.5f, 14.5f);
    }

    [Fact]
    public void Twelve_thousand_are_drawn_in_seconds()
    {
        var clock = Stopwatch.StartNew();
        using var set = Strokes.Create(12_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"{clock.Elapsed.TotalSeconds:f2} s");
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 15); // about 1 s on 2 idle cores
    }

    [Fact]
    public void A_small_classifier_tells_the_digits_apart()
    {
        using var train = Strokes.Create(8000, seed: 1);
        using var test = Strokes.Create(1000, seed: 1, first: 1_000_000);
        double accuracy = TinyClassifier.Accuracy(train, test, steps: 400);
        TestContext.Current.TestOutputHelper?.WriteLine($"accuracy {accuracy:p1}");
        Assert.InRange(accuracy, 0.99, 1);
    }
}
