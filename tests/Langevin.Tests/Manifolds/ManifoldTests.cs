using Langevin.Manifolds;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Manifolds;

public class ManifoldTests
{
    private static readonly Dictionary<string, Manifold> All = new() { ["sphere"] = new Sphere(), ["torus"] = new Torus(2), ["rotations"] = new Rotations() };

    public static TheoryData<string> Names() => [.. All.Keys];

    private static (Tensor X, Tensor V) Some(Manifold m, double length, ulong seed = 1, long count = 200)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        var x = m.Uniform(count, generator);
        var v = m.Tangent(x, randn(x.shape, x.dtype, generator: generator));
        v = v / v.square().sum(1, keepdim: true).sqrt() * length * rand([count, 1], ScalarType.Float64, generator: generator);
        return (x.MoveToOuterDisposeScope(), v.MoveToOuterDisposeScope());
    }

    private static double Largest(Tensor t) => t.abs().max().item<double>();

    [Theory, MemberData(nameof(Names))]
    public void Exp_and_log_undo_each_other_and_lengths_are_distances(string name)
    {
        using var scope = NewDisposeScope();
        var m = All[name];
        var (x, v) = Some(m, 3.1);
        var y = m.Exp(x, v);
        Assert.True(Largest(m.Project(y) - y) < 1e-12, "off the manifold");
        Assert.True(Largest(m.Log(x, y) - v) < 1e-8);
        Assert.True(Largest(m.Distance(x, y) - v.square().sum(1).sqrt()) < 1e-8);
        Assert.True(Largest(m.Distance(x, y) - m.Distance(y, x)) < 1e-8);
        // Along a geodesic distances add, and the way back is the way turned round.
        Assert.True(Largest(m.Exp(y, m.Log(y, x)) - x) < 1e-8);
        Assert.True(Largest(m.Distance(x, m.Exp(x, 0.4 * v)) - 0.4 * v.square().sum(1).sqrt()) < 1e-8);
        // To first order the geodesic is the straight line, in the ambient space itself: the embedding is isometric.
        const double h = 1e-6;
        Assert.True(Largest((m.Exp(x, h * v) - m.Exp(x, -h * v)) / (2 * h) - v) < 1e-8);
    }

    [Theory, MemberData(nameof(Names))]
    public void Tangent_spaces_are_what_the_frame_spans(string name)
    {
        using var scope = NewDisposeScope();
        var m = All[name];
        var (x, _) = Some(m, 1);
        var frame = m.Frame(x);
        Assert.Equal([200L, m.Dimensions, m.Ambient], frame.shape);
        Assert.True(Largest(frame.bmm(frame.transpose(1, 2)) - eye(m.Dimensions, m.Dimensions, ScalarType.Float64)) < 1e-12);
        manual_seed(2);
        var w = randn(x.shape, ScalarType.Float64);
        var spanned = einsum("nid,nie,ne->nd", frame, frame, w);
        Assert.True(Largest(m.Tangent(x, w) - spanned) < 1e-12);
        // Near the manifold the nearest point moves as the tangent part does.
        const double h = 1e-6;
        Assert.True(Largest((m.Project(x + h * w) - m.Project(x - h * w)) / (2 * h) - spanned) < 1e-5);
    }

    [Theory, MemberData(nameof(Names))]
    public void The_heat_kernel_is_a_density_that_spreads_by_its_equation(string name)
    {
        using var scope = NewDisposeScope();
        var m = All[name];
        using var generator = new Generator(3);
        const int count = 40_000;
        var x = m.Uniform(count, generator);
        var y = m.Uniform(1, generator).expand(count, m.Ambient);
        Tensor At(double t, Tensor points) => m.Heat(points, y.narrow(0, 0, points.shape[0]), full([points.shape[0]], t, ScalarType.Float64)).Log;
        foreach (double t in new[] { 0.4, 1.1, 2.5 })
        {
            var p = At(t, x).exp() * m.Volume;
            Assert.Equal(1, p.mean().item<double>(), 4.5 * p.std().item<double>() / Math.Sqrt(count));
            // Semigroup: ∫ p_s(x | z) p_t(z | y) dz = p_{s+t}(x | y), by evenly drawn z.
            var there = x[0..1].expand(count, m.Ambient);
            var product = At(t, x).exp() * m.Heat(there, x, full([count], 0.5, ScalarType.Float64)).Log.exp() * m.Volume;
            Assert.Equal(At(t + 0.5, x[0..1]).exp().item<double>(), product.mean().item<double>(), 4.5 * product.std().item<double>() / Math.Sqrt(count));
        }
        // And ∂p/∂τ = ½ Δp, Δ as the sum of second differences along geodesics.
        var few = x[0..100];
        foreach (double t in new[] { 0.3, 0.9, 1.2, 3 })
        {
            const double h = 1e-3;
            var p = At(t, few).exp();
            var change = (At(t + h, few).exp() - At(t - h, few).exp()) / (2 * h);
            var laplacian = zeros(100, ScalarType.Float64);
            var frame = m.Frame(few);
            for (int i = 0; i < m.Dimensions; i++)
                laplacian += (At(t, m.Exp(few, h * frame[.., i])).exp() + At(t, m.Exp(few, -h * frame[.., i])).exp() - 2 * p) / (h * h);
            Assert.True(Largest(change - 0.5 * laplacian) < 2e-5 * (1 + Largest(change)), $"τ = {t}: {Largest(change - 0.5 * laplacian)}");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void The_score_is_the_gradient_of_the_log_kernel(string name)
    {
        using var scope = NewDisposeScope();
        var m = All[name];
        foreach (double t in new[] { 0.004, 0.02, 0.2, 0.99, 1.01, 4 })
        {
            // Points where the motion comes to: within about three standard deviations.
            var (y, v) = Some(m, Math.Min(2.8, 3 * Math.Sqrt(t)), seed: 5);
            var x = m.Exp(y, v);
            var time = full([200], t, ScalarType.Float64);
            var (_, score) = m.Heat(x, y, time);
            Assert.True(Largest(m.Tangent(x, score) - score) < 1e-8 * (1 + Largest(score)));
            double h = 1e-5 * Math.Sqrt(t);
            var frame = m.Frame(x);
            for (int i = 0; i < m.Dimensions; i++)
            {
                var e = frame[.., i];
                var slope = (m.Heat(m.Exp(x, h * e), y, time).Log - m.Heat(m.Exp(x, -h * e), y, time).Log) / (2 * h);
                Assert.True(Largest(slope - (score * e).sum(1)) < 1e-4 * (1 + Largest(score)), $"τ = {t}: {Largest(slope - (score * e).sum(1))} of {Largest(score)}");
            }
            // For short times it is Varadhan's log_x(y)/τ.
            if (t < 0.01) Assert.True(Largest(score * t - m.Log(x, y)) < t * 0.5);
        }
    }

    [Fact]
    public void Short_times_and_long_ones_meet_on_the_sphere()
    {
        using var scope = NewDisposeScope();
        var m = new Sphere();
        var angle = linspace(0.05, 2.2, 60, ScalarType.Float64);
        var x = stack([angle.sin(), zeros_like(angle), angle.cos()], 1);
        var y = tensor([0.0, 0, 1]).expand(60, 3);
        // The expansion's next term is of τ²: either side of its bounds log p and the score agree to that.
        foreach (double t in new[] { 0.0099999, 0.05, 0.12 })
        {
            var (log, score) = m.Heat(x, y, full([60], t, ScalarType.Float64));
            var step = log[1..] - log[..^1];
            var along = (score * stack([angle.cos(), zeros_like(angle), -angle.sin()], 1)).sum(1);
            var trapezium = (along[1..] + along[..^1]) / 2 * (angle[1] - angle[0]);
            Assert.True(Largest(step - trapezium) < 3e-3, $"τ = {t}: {Largest(step - trapezium)}");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Random_walks_are_distributed_as_the_kernel(string name)
    {
        using var scope = NewDisposeScope();
        var m = All[name];
        using var generator = new Generator(7);
        const int count = 20_000;
        var y = m.Uniform(1, generator).expand(count, m.Ambient);
        var x = GeodesicWalk.Forward(m, y, full([count], 0.3, ScalarType.Float64), 40, generator);
        Assert.True(Largest(m.Project(x) - x) < 1e-10);
        // E⟨x, y⟩/⟨y, y⟩ decays by the eigenvalue that the coordinates have: e^{−λτ/2}.
        double eigenvalue = name == "torus" ? 1 : 2, squared = name == "rotations" ? 1.5 : name == "torus" ? 2 : 1;
        var ratio = (x * y).sum(1) / squared;
        Assert.Equal(Math.Exp(-eigenvalue * 0.15), ratio.mean().item<double>(), 4.5 * ratio.std().item<double>() / Math.Sqrt(count) + 3e-3);
    }

    [Theory, MemberData(nameof(Names))]
    public void The_flow_of_the_exact_score_gives_the_exact_density(string name)
    {
        using var scope = NewDisposeScope();
        var m = All[name];
        using var generator = new Generator(9);
        using var data = new HeatMixture(m, tensor([0.3, 0.7]), m.Uniform(2, generator), tensor([0.1, 0.25]));
        var x = data.Draw(24, 20, generator);
        // On the torus the slowest eigenvalue is 1 and not 2: it takes twice as long to be even.
        double end = name == "torus" ? 16 : 8;
        var found = new ManifoldLikelihood(1e-3, end, 1e-6).Evaluate(data, x);
        var exact = data.LogProbability(x, full([24], 1e-3, ScalarType.Float64));
        Assert.True(Largest(found - exact) < 4e-3, $"{Largest(found - exact)}");
    }

    [Theory, MemberData(nameof(Names))]
    public void The_reverse_walk_of_the_exact_score_draws_the_data(string name)
    {
        using var scope = NewDisposeScope();
        var m = All[name];
        using var generator = new Generator(11);
        const int count = 4000;
        using var data = new HeatMixture(m, tensor([0.3, 0.7]), m.Uniform(2, generator), tensor([0.1, 0.2]));
        var drawn = GeodesicWalk.Reverse(data, m.Uniform(count, generator), GeodesicWalk.Times(name == "torus" ? 10 : 5, 1e-3, 100), new SeededNoise(3));
        var truth = data.Draw(count, 40, generator);
        // Mean coordinates, each of standard deviation below 1, and the log density of both.
        Assert.True(Largest(drawn.mean([0L]) - truth.mean([0L])) < 4.5 * Math.Sqrt(2.0 / count) + 0.02);
        var zero = zeros(count, ScalarType.Float64);
        double apart = (data.LogProbability(drawn, zero) - data.LogProbability(truth, zero)).mean().item<double>();
        Assert.Equal(0, apart, 0.1);
    }

    [Fact]
    public void Each_loss_is_least_at_the_score()
    {
        using var scope = NewDisposeScope();
        var m = new Sphere();
        using var generator = new Generator(13);
        using var data = new HeatMixture(m, tensor([0.3, 0.7]), m.Uniform(2, generator), tensor([0.2, 0.4]));
        var x0 = data.Draw(20_000, 40, generator);
        // A score scaled by c has E τ‖c s − target‖² = c² A − 2 c B + C: denoising has B = A, and so has implicit matching.
        double Loss(ScoreTarget target, double scale)
        {
            var loss = new ScoreMatching(target, Steps: 40, Start: 0.3, End: 0.6).Loss(new Scaled(data, scale), x0, new Generator(17));
            return loss.mean().item<double>();
        }
        foreach (var target in new[] { ScoreTarget.HeatKernel, ScoreTarget.Implicit })
        {
            double half = Loss(target, 0.5), whole = Loss(target, 1), over = Loss(target, 1.5);
            // The vertex of the parabola through the three.
            double vertex = 1 + 0.25 * (half - over) / (half - 2 * whole + over);
            Assert.True(whole < half && whole < over, $"{target}: {half}, {whole}, {over}");
            Assert.Equal(1, vertex, 0.06);
        }
    }

    private sealed class Scaled(IScoreField inner, double scale) : IScoreField
    {
        public Manifold Manifold => inner.Manifold;
        public Tensor Score(Tensor x, Tensor time) => WrappedTensorDisposeScope(() => scale * inner.Score(x, time));
    }
}
