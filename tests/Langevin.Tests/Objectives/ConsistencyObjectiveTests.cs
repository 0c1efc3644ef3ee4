using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Goldens;
using Langevin.Tests.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Objectives;

/// <summary>Consistency on a Gaussian, whose flow and so whose consistency function are closed forms.</summary>
public class ConsistencyObjectiveTests
{
    private const double Centre = 0.7, Spread = 0.4;

    // f(x, t) = m + s_0/s_t (x − α m), and a multiple of it.
    private static FunctionDenoiser Exact(GaussianProcess process, double by = 1) => new(process, (x, t) => new(PredictionKind.X0,
        by * (Centre + Spread * (x - Centre * t.Map(process.Alpha, x)) / t.Map(u => Math.Sqrt(Math.Pow(process.Alpha(u) * Spread, 2) + Math.Pow(process.Sigma(u), 2)), x)), x, process, t));

    [Theory, InlineData("vp-linear"), InlineData("edm"), InlineData("flow")]
    public void The_exact_function_has_no_loss_but_the_step_s(string name)
    {
        using var scope = NewDisposeScope();
        var process = Kit.Processes[name];
        using var gaussian = new GaussianMixture(process, ones(1, ScalarType.Float64), tensor(new[,] { { Centre } }), tensor(new[] { Spread }));
        var (x0, noise) = (Centre + Spread * randn(64, 1, ScalarType.Float64), randn(64, 1, ScalarType.Float64));
        double t = process.TimeOfLambda(0);
        double Loss(double h, IDenoiser model)
        {
            var grid = new TimeGrid([t, process.TimeOfLambda(h)]);
            return new ConsistencyObjective(grid, Exact(process), gaussian).Loss(model, x0, Condition.None, t, noise).mean().item<double>();
        }
        // Heun's local error is of order 3, its square of order 6.
        double coarse = Loss(0.4, Exact(process)), fine = Loss(0.2, Exact(process));
        Assert.True(fine < 1e-5 && Math.Log2(coarse / fine) > 5, $"{coarse:g3} to {fine:g3}");
        Assert.True(Loss(0.2, Exact(process, 1.1)) > 1e-3);
    }

    [Fact]
    public void Training_needs_no_teacher_and_the_target_learns_nothing()
    {
        using var scope = NewDisposeScope();
        var process = new EdmProcess();
        var grid = TimeGrid.Karras(process, 18);
        var scale = tensor(0.9, requires_grad: true);
        FunctionDenoiser model = new(process, (x, t) => new(PredictionKind.X0, scale * x, x, process, t)), target = new(process, (x, t) => new(PredictionKind.X0, scale * x, x, process, t));
        var (x0, noise) = (randn(8, 2, ScalarType.Float64), randn(8, 2, ScalarType.Float64));
        var t = Times.Each([.. grid.Times.Take(8)]);
        var s = Times.Each([.. grid.Times.Skip(1).Take(8)]);
        var loss = new ConsistencyObjective(grid, target).Loss(model, x0, Condition.None, t, noise);
        // 0.9 (t − s) ε, of which only the model's half has a slope: 2 · 0.9 (t − s) ε · x_t.
        var gap = t.Zip(s, (a, b) => a - b).As(x0) * noise;
        Assert.True(Kit.MaxAbs(loss - (0.9 * gap).square().mean([1])) < 1e-9);
        loss.sum().backward();
        Assert.Equal((2 * 0.9 * gap * process.Corrupt(x0, t, noise)).mean([1]).sum().item<double>(), scale.grad!.item<double>(), 1e-6 * Math.Abs(scale.grad!.item<double>()));
        var absolute = new ConsistencyObjective(grid, target, Absolute: true).Loss(model, x0, Condition.None, t, noise);
        Assert.True(Kit.MaxAbs(absolute - (0.9 * gap).abs().mean([1])) < 1e-9);
        Assert.Throws<ArgumentException>(() => new ConsistencyObjective(grid, target).Loss(model, x0, Condition.None, 0.0, noise));
    }
}
