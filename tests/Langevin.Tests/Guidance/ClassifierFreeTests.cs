using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Samplers;
using static Langevin.Tests.Guidance.ClassMixtures;
using static TorchSharp.torch;

namespace Langevin.Tests.Guidance;

/// <summary>Classifier-free guidance and its kin, against closed forms of mixtures with classes.</summary>
public class ClassifierFreeTests
{
    private static readonly VariancePreserving Vp = VariancePreserving.Linear();
    private static readonly RectifiedFlow Flow = new();

    public static TheoryData<string> Names() => Kit.Names();

    [Theory, MemberData(nameof(Names))]
    public void Guidance_is_the_score_of_the_tilted_density(string name)
    {
        using var scope = NewDisposeScope();
        var process = Kit.Processes[name];
        using var mixture = Of(process);
        double t = process.TimeOfLambda(0.2);
        var (x, labels) = (Points(process, t), InTurn(12));
        foreach (double w in new[] { 0, 1, 3.5 })
        {
            // ∇ [(1 − w) log p(x) + w log p(x | y)], by differentiating the densities.
            var want = Gradient(y => (1 - w) * mixture.LogProbability(y, t) + w * LogConditional(mixture, y, t, labels.Label!), x);
            var got = new ClassifierFreeGuidance(mixture, w).Denoise(x, t, labels).Score;
            Assert.True(Kit.MaxAbs(got - want) < 1e-8 * (1 + Kit.MaxAbs(want)), $"{name} w = {w}: {Kit.MaxAbs(got - want):g3}");
        }
    }

    [Fact]
    public void Projected_guidance_without_its_parts_is_plain_guidance()
    {
        using var scope = NewDisposeScope();
        using var mixture = Of(Vp);
        var (x, labels) = (Points(Vp, 0.4), InTurn(12));
        var plain = mixture.Guided(4).Denoise(x, 0.4, labels).X0;
        Assert.True(Kit.MaxAbs(mixture.GuidedProjected(4, eta: 1).Denoise(x, 0.4, labels).X0 - plain) < 1e-10);
        Assert.True(Kit.MaxAbs(mixture.GuidedProjected(4, eta: 0).Denoise(x, 0.4, labels).X0 - plain) > 1e-2);
        Assert.True(Kit.MaxAbs(mixture.GuidedProjected(1).Denoise(x, 0.4, labels).X0 - mixture.Denoise(x, 0.4, labels).X0) < 1e-12);
    }

    [Fact]
    public void Projected_guidance_stays_perpendicular_and_short()
    {
        using var scope = NewDisposeScope();
        using var mixture = Of(Vp);
        var (x, labels) = (Points(Vp, 0.4), InTurn(12));
        var (c, u) = (mixture.Denoise(x, 0.4, labels).X0, mixture.Denoise(x, 0.4, labels.Null()).X0);
        var update = (mixture.GuidedProjected(4, eta: 0).Denoise(x, 0.4, labels).X0 - c) / 3;
        Assert.True(Kit.MaxAbs((update * c).sum(1)) < 1e-10);
        // What was removed lies along c.
        var removed = c - u - update;
        Assert.True(Kit.MaxAbs(removed - (removed * c).sum(1, keepdim: true) / c.square().sum(1, keepdim: true) * c) < 1e-10);
        var cut = (mixture.GuidedProjected(4, eta: 1, normThreshold: 0.1).Denoise(x, 0.4, labels).X0 - c) / 3;
        Assert.True(Kit.MaxAbs(cut.norm(1) - (c - u).norm(1).clamp_max(0.1)) < 1e-10);
    }

    [Fact]
    public void Momentum_belongs_to_the_run()
    {
        using var scope = NewDisposeScope();
        using var mixture = Of(Vp);
        var (labels, grid) = (InTurn(6), TimeGrid.Uniform(Vp, 6));
        var x = Points(Vp, 1, 6);
        var guided = mixture.GuidedProjected(3, eta: 1, momentum: -0.5).Clamped(4);
        Assert.Throws<InvalidOperationException>(() => guided.Denoise(x, 0.4, labels));
        long before = Tensor.TotalCount;
        var once = new Ddim().Run(guided, x, grid, labels);
        Assert.Equal(before + 1, Tensor.TotalCount);
        Assert.Equal(0, Kit.MaxAbs(new Ddim().Run(guided, x, grid, labels) - once));

        // The same by hand: d ← (c − u) − d/2.
        Tensor? sum = null;
        var state = x;
        for (int i = 0; i < grid.Steps; i++)
        {
            var (c, u) = (mixture.Denoise(state, grid[i], labels), mixture.Denoise(state, grid[i], labels.Null()));
            sum = sum is null ? c.X0 - u.X0 : c.X0 - u.X0 - 0.5 * sum;
            var x0 = (c.X0 + 2 * sum).clamp(-4, 4);
            state = Vp.Alpha(grid[i + 1]) * x0 + Vp.Sigma(grid[i + 1]) / Vp.Sigma(grid[i]) * (state - Vp.Alpha(grid[i]) * x0);
        }
        Assert.True(Kit.MaxAbs(once - state) < 1e-9);
        Assert.Throws<ArgumentOutOfRangeException>(() => mixture.GuidedProjected(3, momentum: 1));
    }

    [Fact]
    public void Cfg_plus_plus_by_ddim_is_guidance_of_an_equivalent_scale()
    {
        using var scope = NewDisposeScope();
        using var mixture = Of(Vp);
        var (labels, grid) = (InTurn(6), TimeGrid.Uniform(Vp, 8));
        var x = Points(Vp, 1, 6);
        double Ratio(double t) => Vp.Sigma(t) / Vp.Alpha(t);
        var state = x;
        for (int i = 0; i < grid.Steps; i++)
        {
            double w = 0.6 * Ratio(grid[i]) / (Ratio(grid[i]) - Ratio(grid[i + 1]));
            state = new Ddim().Run(mixture.Guided(w), state, new TimeGrid([grid[i], grid[i + 1]]), labels);
        }
        var got = new Ddim().Run(mixture.GuidedPlusPlus(0.6), x, grid, labels);
        Assert.True(Kit.MaxAbs(got - state) < 1e-9, $"{Kit.MaxAbs(got - state):g3}");
        Assert.Throws<ArgumentOutOfRangeException>(() => mixture.GuidedPlusPlus(7.5));
    }

    [Fact]
    public void Zero_star_scales_by_least_squares()
    {
        using var scope = NewDisposeScope();
        using var mixture = Of(Flow);
        var (x, labels) = (Points(Flow, 0.5), InTurn(12));
        var (c, u) = (mixture.Denoise(x, 0.5, labels).Velocity, mixture.Denoise(x, 0.5, labels.Null()).Velocity);
        // w = 0 leaves s u, whose error c − s u is perpendicular to u: no other s does better.
        var closest = mixture.GuidedZeroStar(0, zeroSteps: 0).Denoise(x, 0.5, labels).Velocity;
        Assert.True(Kit.MaxAbs(((c - closest) * u).sum(1)) < 1e-10);
        Assert.True(Kit.MaxAbs(closest / u - (closest / u).narrow(1, 0, 1)) < 1e-9);
        var guided = mixture.GuidedZeroStar(4, zeroSteps: 0).Denoise(x, 0.5, labels).Velocity;
        Assert.True(Kit.MaxAbs(guided - (closest + 4 * (c - closest))) < 1e-10);
    }

    [Fact]
    public void Zero_star_stands_still_in_the_first_steps()
    {
        using var scope = NewDisposeScope();
        using var mixture = Of(Flow);
        var grid = TimeGrid.Uniform(Flow, 10, toData: true);
        var x = Points(Flow, 1, 6);
        var states = new List<Tensor>();
        foreach (var step in new ProbabilityFlow(1).Steps(mixture.GuidedZeroStar(3, zeroSteps: 2), x, grid, InTurn(6))) states.Add(step.X.clone());
        Assert.True(Kit.MaxAbs(states[1] - x) < 1e-12);
        Assert.True(Kit.MaxAbs(states[2] - x) > 1e-3);
        Assert.Throws<InvalidOperationException>(() => mixture.GuidedZeroStar(3).Denoise(x, 0.5, InTurn(6)));
        // Under another process the grid's times are the same moments.
        var elsewhere = mixture.GuidedZeroStar(3, zeroSteps: 2).On(Vp);
        foreach (var step in new Ddim().Steps(elsewhere, x, TimeGrid.Uniform(Vp, 10), InTurn(6)))
        {
            // Zero velocity of the flow keeps its own x, which is this one's over α + σ.
            double scale = (Vp.Alpha(step.Time) + Vp.Sigma(step.Time)) / (Vp.Alpha(1) + Vp.Sigma(1));
            if (step.Index < 2) Assert.True(Kit.MaxAbs(step.X - scale * x) < 1e-9);
            else break;
        }
    }

    [Fact]
    public void A_perpendicular_negative_leaves_what_is_shared()
    {
        using var scope = NewDisposeScope();
        using var mixture = Of(Vp);
        var (x, labels) = (Points(Vp, 0.4), InTurn(12));
        var plain = mixture.Guided(3).Denoise(x, 0.4, labels).X0;
        // The condition itself, or no condition, as the negative: nothing is left to push away.
        foreach (var negative in new[] { labels, labels.Null(), Labels(-1) })
            Assert.True(Kit.MaxAbs(mixture.GuidedWithout(negative, 3).Denoise(x, 0.4, labels).X0 - plain) < 1e-9);
        var (c, n, u) = (mixture.Denoise(x, 0.4, labels).X0, mixture.Denoise(x, 0.4, Labels(2).Rows(12)).X0, mixture.Denoise(x, 0.4, labels.Null()).X0);
        var push = plain - mixture.GuidedWithout(Labels(2), 3, 0.5).Denoise(x, 0.4, labels).X0; // w v d⊥
        Assert.True(Kit.MaxAbs((push * (c - u)).sum(1)) < 1e-9);
        Assert.True(Kit.MaxAbs((push * (n - u)).sum(1) - push.square().sum(1) / 1.5) < 1e-9); // its length is the perpendicular part's
        Assert.True(Kit.MaxAbs(push) > 1e-3);
    }

    [Fact]
    public void Autoguidance_extrapolates_from_the_weaker_model()
    {
        using var scope = NewDisposeScope();
        using var mixture = Of(Vp);
        using var weaker = Kit.Mixture(Vp);
        var (x, labels) = (Points(Vp, 0.4), InTurn(12));
        var (good, bad) = (mixture.Denoise(x, 0.4, labels), weaker.Denoise(x, 0.4, labels));
        Assert.Equal(0, Kit.MaxAbs(mixture.GuidedBy(weaker, 1).Denoise(x, 0.4, labels).X0 - good.X0));
        Assert.True(Kit.MaxAbs(mixture.GuidedBy(weaker, 2).Denoise(x, 0.4, labels).Score - (2 * good.Score - bad.Score)) < 1e-9);
        Assert.True(Kit.MaxAbs(mixture.GuidedBy(mixture, 2).Denoise(x, 0.4, labels).Score - good.Score) < 1e-10);
        var inside = mixture.GuidedBy(weaker, 2, Interval.OfTime(0.5, 1)).Denoise(x, 0.4, labels);
        Assert.Equal(0, Kit.MaxAbs(inside.X0 - good.X0));
    }

    [Fact]
    public void Between_two_labels_the_scores_mix()
    {
        using var scope = NewDisposeScope();
        using var mixture = Of(Vp);
        var x = Points(Vp, 0.4);
        Tensor Score(params long[] label) => mixture.Denoise(x, 0.4, Labels(label).Rows(12)).Score;
        var got = mixture.Between(Labels(2), 0.3).Denoise(x, 0.4, Labels(0).Rows(12)).Score;
        Assert.True(Kit.MaxAbs(got - (0.7 * Score(0) + 0.3 * Score(2))) < 1e-9);
    }

    [Fact]
    public void Conditions_mix_slot_by_slot()
    {
        using var scope = NewDisposeScope();
        var a = Labels(1, 2).With("vector", tensor(new[,] { { 0.0, 2 }, { 4, 6 } }));
        var b = Labels(1, 2).With("vector", tensor(new[,] { { 1.0, 0 }, { 4, 10 } }));
        Assert.True(Kit.MaxAbs(Condition.Lerp(a, b, 0.25)["vector"]! - tensor(new[,] { { 0.25, 1.5 }, { 4, 7 } })) < 1e-12);
        Assert.Contains("Between", Assert.Throws<ArgumentException>(() => Condition.Lerp(Labels(1), Labels(2), 0.5)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Condition.Lerp(a, Labels(1, 2), 0.5));
    }

    [Fact]
    public void Initial_noise_moves_along_the_sphere()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var (a, b) = (randn([3, 400], ScalarType.Float64, generator: generator), randn([3, 400], ScalarType.Float64, generator: generator));
        Assert.True(Kit.MaxAbs(InitialNoise.Slerp(a, b, 0) - a) < 1e-12);
        Assert.True(Kit.MaxAbs(InitialNoise.Slerp(a, b, 1) - b) < 1e-12);
        // Between two of one length the length stays, and the angles add up.
        var (one, two) = (a / a.norm(1, keepdim: true), b / b.norm(1, keepdim: true));
        var between = InitialNoise.Slerp(one, two, 0.3);
        Assert.True(Kit.MaxAbs(between.norm(1) - 1) < 1e-12);
        Assert.True(Kit.MaxAbs((one * between).sum(1).acos() - 0.3 * (one * two).sum(1).acos()) < 1e-9);
        Assert.True(Kit.MaxAbs(InitialNoise.Slerp(one, one, 0.3) - one) < 1e-9);
        // The straight mean of two noises is too quiet, the arc is not.
        Assert.InRange(InitialNoise.Slerp(a, b, 0.5).std().item<double>(), 0.93, 1.07);
        Assert.InRange(InitialNoise.Vary(a, b, 0.5).std().item<double>(), 0.93, 1.07);
        Assert.InRange((0.5 * (a + b)).std().item<double>(), 0.6, 0.8);
    }

    [Fact]
    public void Neighbours_are_retrieved_into_the_condition()
    {
        using var scope = NewDisposeScope();
        using var index = new RetrievalIndex(tensor(new[,] { { 1f, 0 }, { 0, 2 }, { 3, 3 }, { -1, 0 } }));
        var query = tensor(new[,] { { 10f, 1 }, { 0.1f, 1 } });
        Assert.Equal([0, 2, 1, 2], index.Nearest(query, 2).data<long>().ToArray());
        var condition = index.Retrieve(Labels(3, 4), query, 2);
        Assert.Equal([2, 2, 2], condition["neighbours"]!.shape);
        Assert.Equal(3f, condition["neighbours"]![0, 1, 0].item<float>());
        Assert.Equal(0f, condition.Null()["neighbours"]!.abs().sum().item<float>());
        Assert.Throws<ArgumentOutOfRangeException>(() => index.Nearest(query, 5));
        Assert.Throws<ArgumentException>(() => index.Nearest(zeros(2, 3), 1));
    }
}
