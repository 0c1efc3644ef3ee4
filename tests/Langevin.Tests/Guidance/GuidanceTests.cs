using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Tests.Goldens;
using Langevin.Tests.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Guidance;

public class GuidanceTests
{
    private static readonly EdmProcess Process = new();

    // Answers label + 1 times x, so that no class (−1) is 0; counts its evaluations, and learns the label as its variance.
    private sealed class Labelled(PredictionKind kind = PredictionKind.Epsilon) : IDenoiser
    {
        public List<long> Batches { get; } = [];
        public GaussianProcess Process => GuidanceTests.Process;

        public Prediction Denoise(Tensor x, Times t, Condition condition)
        {
            Batches.Add(x.shape[0]);
            var label = condition.Label!.to(x.dtype).view(-1, 1, 1);
            return new(kind, (label + 1) * x + 0.1 * x.square(), x, Process, t, label.expand_as(x));
        }
    }

    private static Condition Labels => Condition.OfLabel(tensor(new long[] { 0, 1, 4 }));

    private static Tensor Input() => arange(1, 13, ScalarType.Float64).view(3, 2, 2) / 10;

    [Theory]
    [InlineData(PredictionKind.Epsilon)]
    [InlineData(PredictionKind.X0)]
    [InlineData(PredictionKind.V)]
    [InlineData(PredictionKind.Score)]
    [InlineData(PredictionKind.Velocity)]
    public void Guidance_extrapolates_every_kind_in_one_batch(PredictionKind kind)
    {
        using var scope = NewDisposeScope();
        var inner = new Labelled(kind);
        var x = Input();
        var said = inner.Guided(3).Denoise(x, 0.7, Labels);
        Assert.Equal([6L], inner.Batches);
        var (conditional, none) = (inner.Denoise(x, 0.7, Labels), inner.Denoise(x, 0.7, Labels.Null()));
        foreach (var view in Enum.GetValues<PredictionKind>())
            Assert.True(Kit.MaxAbs(said.View(view) - (none.View(view) + 3 * (conditional.View(view) - none.View(view)))) < 1e-10);
        Assert.Equal(0, Kit.MaxAbs(said.Variance! - conditional.Variance!));
        Assert.True(said.X.shape.SequenceEqual(x.shape));
    }

    [Fact]
    public void Scales_one_and_zero_ask_once()
    {
        using var scope = NewDisposeScope();
        var inner = new Labelled();
        Assert.Same(inner, inner.Guided(1));
        var none = new ClassifierFreeGuidance(inner, 0).Denoise(Input(), 0.7, Labels);
        Assert.Equal([3L], inner.Batches);
        Assert.Equal(0, Kit.MaxAbs(none.Value - 0.1 * Input().square()));
    }

    [Fact]
    public void An_interval_switches_guidance_off_outside_it()
    {
        using var scope = NewDisposeScope();
        var inner = new Labelled();
        var guided = inner.Guided(3, interval: Interval.OfNoise(0.5, 2));
        guided.Denoise(Input(), 5, Labels);
        guided.Denoise(Input(), 1, Labels);
        Assert.Equal([3L, 6L], inner.Batches);
        // Samples with times of their own are guided one by one.
        var mixed = guided.Denoise(Input(), Times.Each([5, 1, 0.1]), Labels);
        var (plain, full) = (inner.Denoise(Input(), 1, Labels), inner.Guided(3).Denoise(Input(), 1, Labels));
        Assert.Equal(0, Kit.MaxAbs(mixed.Value[0] - plain.Value[0]));
        Assert.True(Kit.MaxAbs(mixed.Value[1] - full.Value[1]) < 1e-12);
        Assert.Equal(0, Kit.MaxAbs(mixed.Value[2] - plain.Value[2]));
        Assert.True(Interval.OfTime(0.2, 0.4).Contains(new RectifiedFlow(), 0.3));
        Assert.Throws<ArgumentException>(() => Interval.OfTime(2, 1));
    }

    [Fact]
    public void Rescaling_restores_the_conditional_spread()
    {
        using var scope = NewDisposeScope();
        var inner = new Labelled();
        var (conditional, plain) = (inner.Denoise(Input(), 1, Labels).Value, inner.Guided(5).Denoise(Input(), 1, Labels).Value);
        var whole = inner.Guided(5, rescale: 1).Denoise(Input(), 1, Labels).Value;
        Assert.True(Kit.MaxAbs(whole.flatten(1).std(1) - conditional.flatten(1).std(1)) < 1e-12);
        var part = inner.Guided(5, rescale: 0.7).Denoise(Input(), 1, Labels).Value;
        Assert.True(Kit.MaxAbs(part - (0.7 * whole + 0.3 * plain)) < 1e-12);
    }

    [Fact]
    public void Guidance_towards_nothing_is_an_error()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => new Labelled().Guided(3).Denoise(Input(), 1, Condition.None));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Labelled().Guided(double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Labelled().Guided(3, rescale: 2));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.9)]
    [InlineData(0.995)]
    [InlineData(1)]
    public void The_quantile_interpolates_like_a_sorted_list(double quantile)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var rows = randn([4, 57], ScalarType.Float64, generator: generator).abs();
        var got = DynamicThresholding.Quantile(rows, quantile).data<double>().ToArray();
        for (int i = 0; i < 4; i++)
        {
            double[] sorted = [.. rows[i].data<double>().ToArray().Order()];
            double at = quantile * 56;
            int low = (int)Math.Floor(at);
            Assert.Equal(sorted[low] + (at - low) * (sorted[Math.Min(low + 1, 56)] - sorted[low]), got[i], 12);
        }
    }

    [Fact]
    public void Dynamic_thresholding_scales_what_exceeds_one_and_leaves_the_rest()
    {
        using var scope = NewDisposeScope();
        var loud = tensor(new[,] { { 0.5, -4, 2, 1 }, { 0.5, -0.4, 0.2, 0.1 } });
        var inner = new FunctionDenoiser(Process, (x, t) => new(PredictionKind.X0, loud, x, Process, t));
        var x = ones(2, 4, ScalarType.Float64);
        var said = inner.Thresholded(1).Denoise(x, 1, Condition.None);
        Assert.True(Kit.MaxAbs(said.X0 - tensor(new[,] { { 0.125, -1, 0.5, 0.25 }, { 0.5, -0.4, 0.2, 0.1 } })) < 1e-12);
        // ε follows, so that α x_0 + σ ε is still x ...
        Assert.True(Kit.MaxAbs(said.X0 + said.Epsilon - x) < 1e-12);
        // ... unless it is kept.
        var kept = new StaticThresholding(inner, 1, keepEpsilon: true).Denoise(x, 1, Condition.None);
        Assert.Equal(1, Kit.MaxAbs(kept.X0));
        Assert.True(Kit.MaxAbs(kept.Epsilon - (x - loud)) < 1e-12);
        Assert.Throws<ArgumentOutOfRangeException>(() => inner.Thresholded(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => inner.Clamped(0));
    }

    [Fact]
    public void Guidance_of_a_mixture_leans_to_its_class()
    {
        using var scope = NewDisposeScope();
        // Class k is the cluster at ±1; no class is both. Scale 1 samples the class, more leans away from the other.
        var process = VariancePreserving.Linear();
        GaussianMixture Cluster(params double[] means) => new(process, ones(means.Length, ScalarType.Float64), tensor(means).view(-1, 1), full(means.Length, 0.3, ScalarType.Float64));
        var (left, right, both) = (Cluster(-1), Cluster(1), Cluster(-1, 1));
        var model = new Classes(left, right, both);
        double Mean(double scale, long label)
        {
            var condition = Condition.OfLabel(full(500, label, ScalarType.Int64));
            var x = randn([500, 1], ScalarType.Float64, generator: new Generator(1));
            return new Langevin.Samplers.Ddim().Run(model.Guided(scale), x, Langevin.Samplers.TimeGrid.Uniform(process, 50), condition).mean().item<double>();
        }
        Assert.InRange(Mean(1, 1), 0.9, 1.1);
        Assert.InRange(Mean(1, 0), -1.1, -0.9);
        Assert.True(Mean(3, 1) > Mean(1, 1) + 0.01);
    }

    private sealed class Classes(GaussianMixture zero, GaussianMixture one, GaussianMixture none) : IDenoiser
    {
        public GaussianProcess Process => none.Process;

        public Prediction Denoise(Tensor x, Times t, Condition condition)
        {
            var label = condition.Label!.view(-1, 1);
            Tensor Of(GaussianMixture mixture) => mixture.Denoise(x, t, Condition.None).X0;
            return new(PredictionKind.X0, where(label.eq(0), Of(zero), where(label.eq(1), Of(one), Of(none))), x, Process, t);
        }
    }
}
