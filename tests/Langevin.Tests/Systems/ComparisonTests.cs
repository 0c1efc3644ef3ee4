using Langevin.Systems;

namespace Langevin.Tests.Systems;

public class ComparisonTests
{
    private static readonly Arm Baseline = Arm.Baseline("b", _ => new Score(0)), Ablation = Arm.Ablation("a", _ => new Score(0));

    private static Score Items(Random random, double mean, double[] shared) =>
        Of([.. shared.Select(s => s + mean + 0.1 * random.NextDouble())]);

    private static Score Of(double[] items) => new(items.Average()) { Items = items };

    [Fact]
    public void Pairs_by_item_see_what_spread_between_items_hides()
    {
        var random = new Random(1);
        // Items differ by tens, the arms by 0.05 on each: unpaired, nothing could be told.
        double[] shared = [.. Enumerable.Range(0, 200).Select(_ => 100 * random.NextDouble())];
        Score[] a = [.. Enumerable.Range(0, 3).Select(_ => Items(random, 0.05, shared))], b = [.. Enumerable.Range(0, 3).Select(_ => Items(random, 0, shared))];
        var paired = Comparison.Of(Baseline, Direction.Higher, a, b);
        Assert.Equal(Verdict.Beats, paired.Verdict);
        Assert.True(paired.Interval.Contains(0.05));
        Assert.Equal(Verdict.Loses, Comparison.Of(Baseline, Direction.Lower, a, b).Verdict);
        var other = b.Select(s => Of([.. s.Items!.Take(150)])).ToArray();
        Assert.Equal(Verdict.Ties, Comparison.Of(Baseline, Direction.Higher, [.. a.Select(s => Of([.. s.Items!.Skip(60)]))], other).Verdict);
    }

    [Fact]
    public void The_interval_of_a_mean_has_the_normal_width()
    {
        // One seed, n items of standard deviation s against a constant: the bootstrap's half width is 1.96 s/√n.
        var random = new Random(2);
        double[] items = [.. Enumerable.Range(0, 400).Select(_ => random.NextDouble())];
        double mean = items.Average(), std = Math.Sqrt(items.Sum(i => (i - mean) * (i - mean)) / items.Length);
        var c = Comparison.Of(Baseline, Direction.Higher, [Of(items)], [Of(new double[400])]);
        Assert.Equal(mean, c.Difference, 12);
        Assert.Equal(1.96 * std / 20, (c.Interval.High - c.Interval.Low) / 2, 0.07 * 1.96 * std / 20);
    }

    [Fact]
    public void Draws_of_both_arms_widen_the_interval()
    {
        var random = new Random(3);
        Score Drawn(double mean, double width) => new(mean) { Draws = [.. Enumerable.Range(0, 500).Select(_ => mean + width * (2 * random.NextDouble() - 1))] };
        Assert.Equal(Verdict.Beats, Comparison.Of(Baseline, Direction.Lower, [Drawn(1, 0.1)], [Drawn(2, 0.1)]).Verdict);
        Assert.Equal(Verdict.Ties, Comparison.Of(Baseline, Direction.Lower, [Drawn(1, 1)], [Drawn(2, 1)]).Verdict);
    }

    [Theory]
    [InlineData(Effect.Worse, 1.0, 2.0, true)]
    [InlineData(Effect.Worse, 2.0, 1.0, false)]
    [InlineData(Effect.Better, 2.0, 1.0, true)]
    [InlineData(Effect.None, 1.0, 1.0, true)]
    [InlineData(Effect.None, 1.0, 2.0, false)]
    public void An_ablation_is_held_to_its_claim(Effect claim, double method, double ablated, bool holds)
    {
        var c = Comparison.Of(Ablation with { Claim = claim }, Direction.Lower, [new(method), new(method)], [new(ablated), new(ablated)]);
        Assert.Equal(holds, c.AsClaimed);
        Assert.Null(Comparison.Of(Baseline, Direction.Lower, [new(method)], [new(ablated)]).AsClaimed);
    }

    [Fact]
    public void Unequal_seeds_are_refused() =>
        Assert.Throws<ArgumentException>(() => Comparison.Of(Baseline, Direction.Lower, [new(1)], [new(1), new(2)]));
}
