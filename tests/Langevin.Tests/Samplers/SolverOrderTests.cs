using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Goldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

/// <summary>The k-diffusion family and its kin: orders of convergence, identities between them, the same on every process.</summary>
public class SolverOrderTests
{
    private static readonly Func<double, double> Flow = r => r, Reverse = r => r * r;

    public static TheoryData<string> Names() => Kit.Names();

    [Theory, InlineData("vp-linear"), InlineData("edm"), InlineData("flow")]
    public void Fixed_steps_have_their_order(string name)
    {
        using var scope = NewDisposeScope();
        var process = Kit.Processes[name];
        using var mixture = Kit.Mixture(process);
        var x = Kit.Draw(mixture, process.TimeOfLambda(-Math.Log(3)), 8, 1);
        var exact = new DormandPrince(1e-11, 1e-11).Run(mixture, x, Kit.Ladder(process, 1, 3, 0.3));
        foreach (var (solver, order) in new (Sampler, double)[]
        {
            (new Dpm2(), 2), (new DpmPlusPlus2S(), 2), (new DpmPlusPlusSde(0), 2), (new DpmPlusPlusSde(0, R: 0.8), 2), (new LinearMultistep(1), 1), (new LinearMultistep(2), 2),
            (new ErSde(1, Flow), 1), (new ErSde(2, Flow), 2), (new Restart([new(1, 2, 1, 0)]), 2),
        })
            Check(solver, order, n => Kit.Ladder(process, n, 3, 0.3));
        // With a start that is fine enough for the orders below theirs.
        foreach (var (solver, order) in new (Sampler, double)[] { (new LinearMultistep(3), 3), (new LinearMultistep(4), 4), (new ErSde(3, Flow), 3) })
            Check(solver, order, n => Graded(process, n, 3, 0.3));

        void Check(Sampler solver, double order, Func<int, TimeGrid> grid)
        {
            double Miss(int n) => Kit.MaxAbs(solver.Run(mixture, x, grid(n)) - exact);
            double coarse = Miss(32), fine = Miss(64), measured = Math.Log2(coarse / fine);
            Assert.True(measured > order - 0.35 && measured < order + 0.9 && fine < 0.1, $"{name} {solver}: order {measured:0.00} ({coarse:g3} to {fine:g3})");
        }
    }

    [Fact]
    public void Dpm_fast_is_of_third_order()
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var mixture = Kit.Mixture(process);
        var x = Kit.Draw(mixture, process.TimeOfLambda(-Math.Log(3)), 8, 1);
        var exact = new DormandPrince(1e-11, 1e-11).Run(mixture, x, Kit.Ladder(process, 1, 3, 0.3));
        double Miss(int evaluations)
        {
            var sampler = new DpmFast(evaluations);
            var last = sampler.Steps(mixture, x, sampler.Grid(process, 0.3, 3)).Last();
            Assert.Equal(evaluations, last.Evaluations);
            return Kit.MaxAbs(last.X - exact);
        }
        // 3k + 2 evaluations end with a step of order 2, whose one local error is of order 3.
        double order = Math.Log(Miss(32) / Miss(62)) / Math.Log(21.0 / 11);
        Assert.True(order > 2.5 && order < 4, $"{order:0.00}");
        foreach (int n in new[] { 1, 2, 3, 4, 5, 6, 7 }) Assert.True(Miss(n) < 3);
    }

    [Theory, InlineData("dpm", 2), InlineData("dpm", 3), InlineData("heun", 2)]
    public void An_adaptive_solver_keeps_its_tolerance_and_streams_its_steps(string solver, int order)
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var mixture = Kit.Mixture(process);
        var grid = Kit.Ladder(process, 2, 3, 0.3);
        var x = Kit.Draw(mixture, grid[0], 8, 1);
        var exact = new DormandPrince(1e-11, 1e-11).Run(mixture, x, Kit.Ladder(process, 1, 3, 0.3));
        (double Miss, int Evaluations) At(double tolerance)
        {
            List<SamplingStep> seen = [];
            Sampler sampler = solver == "heun" ? new AdaptiveHeun(tolerance, tolerance) : new DpmAdaptive(tolerance, tolerance, order);
            foreach (var step in sampler.Steps(mixture, x, grid)) seen.Add(step);
            Assert.True(seen.Count > 4);
            Assert.True(seen.Zip(seen.Skip(1)).All(p => p.Second.Time < p.First.Time && p.Second.Evaluations > p.First.Evaluations));
            Assert.Contains(seen, s => s.Time == grid[1]); // the grid's own times are met
            Assert.Equal((grid[2], 1, 2), (seen[^1].Time, seen[^1].Index, seen[^1].Count));
            return (Kit.MaxAbs(seen[^1].X - exact), seen[^1].Evaluations);
        }
        // The tolerance is held to the lower order's error; the higher is taken. h ~ tol^(1/order), so the error ~ tol^(1 + ...).
        var (rough, fine) = (At(1e-2), At(1e-4));
        double measured = Math.Log(rough.Miss / fine.Miss) / Math.Log((double)fine.Evaluations / rough.Evaluations);
        Assert.True(fine.Miss < 2e-3 && fine.Miss < rough.Miss && measured > order - 0.6, $"order {measured:0.00}: {rough}, {fine}");
    }

    [Fact]
    public void Linear_multistep_is_exact_for_polynomial_slopes()
    {
        using var scope = NewDisposeScope();
        var process = new EdmProcess();
        double[] start = [9, 7.5, 6.2, 5]; // four slopes are known after these
        for (int degree = 0; degree < 4; degree++)
        {
            int d = degree;
            double Slope(double r) => 1 - 0.3 * Math.Pow(r, d);
            double Whole(double r) => r - 0.3 * Math.Pow(r, d + 1) / (d + 1);
            var denoiser = new FunctionDenoiser(process, (x, t) => new(PredictionKind.Epsilon, full_like(x, Slope(t.Value)), x, process, t));
            var states = new List<(double Time, double X)>();
            foreach (var step in new LinearMultistep(4).Steps(denoiser, zeros(1, 1, ScalarType.Float64), new TimeGrid([.. start, 3, 1.7, 0.4, 0]))) states.Add((step.Time, step.X.item<double>()));
            var (from, at) = states[2];
            foreach (var (time, x) in states.Skip(3)) Assert.Equal(Whole(time) - Whole(from), x - at, 1e-11 * Math.Pow(9, d + 1));
        }
        // The check sees an order too low.
        Assert.NotEqual(Math.Pow(5, 3) / 3, LinearMultistep.Weight([6.0, 7], 0, 5) * 36 + LinearMultistep.Weight([6.0, 7], 1, 5) * 49, 1e-3);
    }

    [Theory, MemberData(nameof(Names))]
    public void Samplers_do_the_same_on_every_process(string name)
    {
        // In y = x/α and σ/α all processes are one.
        using var scope = NewDisposeScope();
        var (process, edm) = (Kit.Processes[name], new EdmProcess());
        using var mixture = Kit.Mixture(process);
        using var plain = Kit.Mixture(edm);
        var (grid, other) = (Kit.Ladder(process, 6, 3, 0.3), Kit.Ladder(edm, 6, 3, 0.3));
        var y = Kit.Draw(plain, 3, 4, 1);
        foreach (var sampler in new Sampler[]
        {
            new Ddim(0.6, 0.9), new Dpm2(0.5, new Churn(1), 0.9), new DpmPlusPlus2S(0.5), new DpmPlusPlusSde(), new LinearMultistep(3), new ErSde(), new ConsistencySampling(0.1),
            new Restart([new(0.5, 2, 2)]),
        })
        {
            using var first = new BrownianNoise(3);
            using var second = new BrownianNoise(3);
            var a = sampler.Run(mixture, process.Alpha(grid[0]) * y, grid, noise: first) / process.Alpha(grid[6]);
            var b = sampler.Run(plain, y, other, noise: second);
            Assert.True(Kit.MaxAbs(a - b) < 1e-6, $"{name} {sampler}: {Kit.MaxAbs(a - b):g3}");
        }
    }

    [Fact]
    public void Samplers_that_are_the_same_agree()
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var mixture = Kit.Mixture(process);
        var grid = TimeGrid.Karras(process, 8, sigmaMin: 0.05, sigmaMax: 10); // to data
        var x = Kit.Draw(mixture, grid[0], 4, 1);
        void Same(Sampler a, Sampler b) => Assert.True(Kit.MaxAbs(Run(a) - Run(b)) < 1e-11, $"{a} is not {b}");
        Tensor Run(Sampler sampler) => sampler.Run(mixture, x, grid, noise: new BatchNoise(5));
        Same(new LinearMultistep(1), new Ddim());
        Same(new ErSde(1, Flow), new Ddim());
        Same(new ErSde(1, Reverse), new Ddim(1));
        Same(new DpmPlusPlusSde(0), new DpmPlusPlus2S());
        Same(new Restart([]), new ProbabilityFlow(2));
        Same(new Restart([new(1, 3, 2, 0)], new Dpm2()), new Dpm2());
        // One step to data is the denoiser's own answer.
        using var data = mixture.Denoise(x, grid[0], Condition.None).X0;
        foreach (var sampler in new Sampler[] { new ConsistencySampling(), new Dpm2(1), new DpmPlusPlus2S(1), new DpmPlusPlusSde(), new LinearMultistep(), new ErSde(), new DpmAdaptive(), new Restart([]) })
            Assert.True(Kit.MaxAbs(sampler.Run(mixture, x, new TimeGrid([grid[0], process.DataTime])) - data) < 1e-10, $"{sampler}");
    }

    [Fact]
    public void Pure_noise_is_a_start()
    {
        using var scope = NewDisposeScope();
        var process = new RectifiedFlow();
        using var mixture = Kit.Mixture(process);
        var x = Kit.Draw(mixture, 1, 8, 5);
        var exact = new DormandPrince(1e-10, 1e-10).Run(mixture, x, new TimeGrid([1, 0]));
        foreach (var sampler in new Sampler[] { new Dpm2(), new DpmPlusPlus2S(), new DpmPlusPlusSde(0), new LinearMultistep(), new ErSde(3, Flow) })
        {
            double miss = Kit.MaxAbs(sampler.Run(mixture, x, new TimeGrid(Betas.Spaced(401, 1, 0))) - exact);
            Assert.True(miss < 0.05, $"{sampler}: {miss:g3}");
        }
        double adaptive = Kit.MaxAbs(new DpmAdaptive(1e-4, 1e-4).Run(mixture, x, new TimeGrid([1, 1e-3, 0])) - exact);
        Assert.True(adaptive < 0.01, $"{adaptive:g3}");
    }

    [Fact]
    public void Restart_raises_the_noise_and_comes_down_again()
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var mixture = Kit.Mixture(process);
        var grid = Kit.Ladder(process, 4, 4, 0.5);
        var x = Kit.Draw(mixture, grid[0], 3, 1);
        var interval = new RestartInterval(grid.Sigmas(process)[2] * 1.01, 3, 3, 2);
        var got = new Restart([interval]).Steps(mixture, x, grid, noise: new BatchNoise(7)).Last();
        // By hand: down to the low end, twice up and down, and on.
        var (heun, noise) = (new ProbabilityFlow(2), new BatchNoise(7));
        var y = heun.Run(mixture, x, new TimeGrid(grid.Times.Take(3)));
        double high = process.TimeOfLambda(-Math.Log(3));
        var (scale, variance) = process.Transition(grid[2], high);
        var down = TimeGrid.Karras(process, 4, sigmaMin: grid.Sigmas(process)[2], sigmaMax: 3);
        for (int k = 0; k < 2; k++) y = heun.Run(mixture, scale * y + Math.Sqrt(variance) * noise.Next(y), new TimeGrid(down.Times.Take(4)));
        y = heun.Run(mixture, y, new TimeGrid(grid.Times.Skip(2)));
        Assert.True(Kit.MaxAbs(got.X - y) < 1e-10);
        Assert.Equal(2 * (4 + 2 * 3), got.Evaluations);
        Assert.Throws<ArgumentException>(() => new Restart([new(1, 0.5, 3)]).Run(mixture, x, grid));
    }

    [Fact]
    public void Bad_options_are_refused()
    {
        using var mixture = Kit.Mixture(new EdmProcess());
        using var x = Kit.Draw(mixture, 1, 2, 1);
        var grid = new TimeGrid([3, 2, 1]);
        foreach (var sampler in new Sampler[] { new LinearMultistep(0), new ErSde(4), new DpmPlusPlusSde(R: 0), new DpmAdaptive(Order: 1), new DpmAdaptive(0), new AdaptiveHeun(0), new AdaptiveHeun(Eta: -1), new DpmFast(0) })
            Assert.Throws<ArgumentOutOfRangeException>(() => sampler.Run(mixture, x, grid));
        Assert.Throws<ArgumentException>(() => new DpmFast(20).Run(mixture, x, grid));
    }

    // Uniform in λ, with first steps of widths h² and h^(4/3) after which a multistep method has its memory.
    private static TimeGrid Graded(GaussianProcess process, int n, double high, double low)
    {
        double h = Math.Log(high / low) / n;
        double[] lambdas = [0, h * h, h * h + Math.Pow(h, 4.0 / 3) / 2, .. Enumerable.Range(1, n).Select(k => k * h)];
        return TimeGrid.FromSigmas(process, lambdas.Order().Select(l => high * Math.Exp(-l)));
    }
}
