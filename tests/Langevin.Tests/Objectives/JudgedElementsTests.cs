using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Tests.Objectives;

/// <summary>Losses over a part of each sample, and which part self-masking takes.</summary>
public class JudgedElementsTests
{
    private static readonly EdmProcess Process = new();

    private static NetworkDenoiser Denoiser => new(new FunctionNetwork((x, _) => 0.5 * x + 0.1), Process, new EdmPreconditioning());

    private static (Tensor X0, Tensor Noise, Tensor Judged) Batch()
    {
        using var generator = new Generator(2);
        return (randn([4, 2, 3], ScalarType.Float64, generator: generator), randn([4, 2, 3], ScalarType.Float64, generator: generator),
            tensor(new float[] { 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1 }).view(4, 2, 3));
    }

    [Theory, InlineData(Reduction.Mean), InlineData(Reduction.Sum), InlineData(Reduction.HalfSum)]
    public void The_loss_is_that_of_the_judged_elements(Reduction reduction)
    {
        using var scope = NewDisposeScope();
        var (x0, noise, judged) = Batch();
        var objective = new DenoisingObjective(new EdmWeighting(), reduction) { JudgedSlot = "judged" };
        var plain = objective with { JudgedSlot = null };
        var times = Times.Each([0.1, 0.5, 2, 9]);
        Tensor Loss(DenoisingObjective o, Tensor x, Tensor mask) => o.Loss(Denoiser, x, Condition.None.With("judged", mask), times, noise);
        var losses = Loss(objective, x0, judged);
        // The denoiser acts on each element by itself, so a sample of its judged elements alone has the same loss.
        for (int i = 0; i < 4; i++)
        {
            var there = judged[i].flatten().nonzero().view(-1);
            if (there.shape[0] == 0) { Assert.Equal(0, losses[i].item<double>()); continue; }
            Tensor Chosen(Tensor t) => t[i].flatten().index_select(0, there).unsqueeze(0);
            double alone = plain.Loss(Denoiser, Chosen(x0), Condition.None, Times.Each([times[i]]), Chosen(noise)).item<double>();
            Assert.Equal(alone, losses[i].item<double>(), 1e-12);
        }
        Assert.True(Loss(objective, x0 + 100 * (1 - judged), judged).allclose(losses, 1e-12));
        Assert.True(Loss(objective, x0, ones_like(judged)).allclose(Loss(plain, x0, judged), 1e-12));
        Assert.Contains("'judged'", Assert.Throws<ArgumentException>(() => objective.Loss(Denoiser, x0, Condition.None, times, noise)).Message);
        Assert.Contains("shaped as the data", Assert.Throws<ArgumentException>(() => Loss(objective, x0, judged[..2])).Message);
    }

    [Fact]
    public void A_random_share_of_what_is_known_is_held_back()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        const int n = 20_000;
        var known = rand(n, 2, 6).lt(0.7).to(ScalarType.Float32);
        known[0] = 0;
        var given = SelfMasking.Random(known);
        Assert.True((given * (1 - known)).eq(0).all().item<bool>());
        Assert.True(given.eq(0).logical_or(given.eq(1)).all().item<bool>());
        // The share is even on [0, 1]: mean ½; and every place is as likely (standard error 0.0035 of n draws of deviation ½).
        var place = (given.sum([0L]) / known.sum([0L])).to(ScalarType.Float64);
        Assert.True((place - 0.5).abs().max().item<double>() < 0.018, $"{place.min().item<double>()}..{place.max().item<double>()}");
        // Of ten known values the number held back is a rounded uniform: 0 and 10 with 1/20 each, the others with 1/10.
        var held = 10 - SelfMasking.Random(ones(n, 10)).sum(1);
        var share = held.to(ScalarType.Int64).bincount(null, 11).to(ScalarType.Float64) / n;
        var expected = tensor(new[] { 0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05 });
        Assert.True((share - expected).abs().max().item<double>() < 0.01); // 4.7 standard errors
    }

    [Fact]
    public void Historical_gaps_are_those_of_the_sample_before()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var known = rand(5, 3, 4).lt(0.6).to(ScalarType.Float32);
        var given = SelfMasking.Historical(known);
        for (int i = 0; i < 5; i++) Assert.True(given[i].SameAs(known[i] * known[(i + 4) % 5]));
        var mixed = SelfMasking.Mixed(rand(2000, 3, 4).lt(0.6).to(ScalarType.Float32));
        Assert.True(mixed.eq(0).logical_or(mixed.eq(1)).all().item<bool>());
    }
}
