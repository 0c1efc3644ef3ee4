using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Docs;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

/// <summary>Orders of convergence of the deterministic solvers, in double, on a mixture whose denoiser is exact.</summary>
public class ConvergenceTests
{
    public static TheoryData<string> Names() => Kit.Names();

    private static readonly FlowCoordinates[] All = [FlowCoordinates.Time, FlowCoordinates.Ratio, FlowCoordinates.LogRatio, FlowCoordinates.Angle];

    [Theory, MemberData(nameof(Names))]
    public void Fixed_steps_have_their_order(string name)
    {
        using var scope = NewDisposeScope();
        var process = Kit.Processes[name];
        using var mixture = Kit.Mixture(process);
        double high = 3, low = 0.3;
        // A table is smooth in its own time only between its steps.
        var coordinates = process is DiscreteProcess ? All[1..] : All;
        var x = Kit.Draw(mixture, process.TimeOfLambda(-Math.Log(high)), 8, 1);
        var exact = new DormandPrince(1e-9, 1e-9).Run(mixture, x, Kit.Ladder(process, 1, high, low));
        foreach (var path in coordinates)
            foreach (var (solver, order) in new (Sampler, double)[]
            {
                (new ProbabilityFlow(1, Coordinates: path), 1), (new ProbabilityFlow(2, Coordinates: path), 2), (new ProbabilityFlow(2, 0.5, Coordinates: path), 2),
            })
                Check(solver, order);
        Check(new AdamsBashforth(), 2);

        void Check(Sampler solver, double order)
        {
            double Miss(int n) => Kit.MaxAbs(solver.Run(mixture, x, Kit.Ladder(process, n, high, low)) - exact);
            double coarse = Miss(32), fine = Miss(64), measured = Math.Log2(coarse / fine);
            Assert.True(measured > order - 0.25 && measured < order + 0.75 && fine < 0.1, $"{name} {solver}: order {measured:0.00} ({coarse:g3} to {fine:g3})");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Ddim_is_the_first_order_step_in_the_ratio(string name)
    {
        using var scope = NewDisposeScope();
        var process = Kit.Processes[name];
        using var mixture = Kit.Mixture(process);
        var grid = Kit.Ladder(process, 12, 3, 0.3);
        var x = Kit.Draw(mixture, grid[0], 8, 2);
        Assert.True(Kit.MaxAbs(new Ddim().Run(mixture, x, grid) - new ProbabilityFlow(1).Run(mixture, x, grid)) < 1e-12);
    }

    [Theory, MemberData(nameof(Names))]
    public void The_adaptive_solver_has_at_least_order_four_in_all_coordinates(string name)
    {
        using var scope = NewDisposeScope();
        var process = Kit.Processes[name];
        using var mixture = Kit.Mixture(process);
        var grid = Kit.Ladder(process, 1, 3, 0.1);
        var x = Kit.Draw(mixture, grid[0], 8, 3);
        var exact = new DormandPrince(1e-11, 1e-11, FlowCoordinates.Ratio).Run(mixture, x, grid);
        foreach (var path in process is DiscreteProcess ? All[1..] : All)
        {
            (double Miss, int Evaluations) At(double tolerance)
            {
                var last = new DormandPrince(tolerance, tolerance, path).Steps(mixture, x, grid).Last();
                return (Kit.MaxAbs(last.X - exact), last.Evaluations);
            }
            var (rough, fine) = (At(1e-4), At(1e-8));
            double order = Math.Log(rough.Miss / fine.Miss) / Math.Log((double)fine.Evaluations / rough.Evaluations);
            Assert.True(fine.Miss < 1e-6 && rough.Miss < 1e-2 && order > 4, $"{name} {path}: order {order:0.0}, {rough} then {fine}");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void A_single_gaussian_flows_exactly(string name)
    {
        // x_s − α_s m = √((α_s² v + σ_s²)/(α_t² v + σ_t²)) (x_t − α_t m)
        using var scope = NewDisposeScope();
        var process = Kit.Processes[name];
        using var gaussian = new Langevin.Denoisers.GaussianMixture(process, ones(1, ScalarType.Float64), tensor(new[,] { { 0.7, -0.2 } }), tensor(new[] { 0.4 }));
        double t = process.TimeOfLambda(-1), s = process.DataTime;
        var x = Kit.Draw(gaussian, t, 8, 4);
        double Std(double u) => Math.Sqrt(Math.Pow(process.Alpha(u) * 0.4, 2) + Math.Pow(process.Sigma(u), 2));
        var mean = tensor(new[] { 0.7, -0.2 });
        var want = mean + Std(s) / Std(t) * (x - process.Alpha(t) * mean);
        Assert.True(Kit.MaxAbs(new DormandPrince(1e-10, 1e-10).Run(gaussian, x, new TimeGrid([t, s])) - want) < 1e-7);
        Assert.True(Kit.MaxAbs(new ProbabilityFlow(2).Run(gaussian, x, TimeGrid.FromSigmas(process, Kit.Ladder(process, 300, Math.E, 1e-3).Sigmas(process).Append(0))) - want) < 1e-3);
    }

    // EDM's preconditioning with F = 0 is the denoiser of data N(0, σ_d²); told ln 0, and with ε = 0/0, it is not finite at data itself.
    [Fact]
    public void A_network_is_carried_to_data()
    {
        using var scope = NewDisposeScope();
        var process = new EdmProcess();
        var denoiser = new Langevin.Denoisers.NetworkDenoiser(new FunctionNetwork((x, c) => 0 * c * x), process, new Langevin.Denoisers.EdmPreconditioning(0.5));
        using var generator = new Generator(4);
        var x = 80 * randn([16, 3], ScalarType.Float64, generator: generator);
        var end = new DormandPrince(1e-6, 1e-6).Run(denoiser, x, new TimeGrid([80, 0]));
        Assert.True(Kit.MaxAbs(end - x * 0.5 / Math.Sqrt(80 * 80 + 0.25)) < 1e-5);
    }

    [Fact]
    public void The_adaptive_solver_goes_both_ways()
    {
        using var scope = NewDisposeScope();
        var solver = new RungeKutta45((y, u) => y * Math.Cos(u), 1e-11, 1e-11);
        var start = tensor(new[,] { { 1.0, -2.0 } });
        var there = solver.Integrate(start, 0, 2);
        Assert.True(Kit.MaxAbs(there - start * Math.Exp(Math.Sin(2))) < 1e-8);
        Assert.True(Kit.MaxAbs(solver.Integrate(there, 2, 0) - start) < 1e-8);
    }

    [Fact]
    public void Data_of_unit_variance_hardly_move_at_first()
    {
        // In the angle the flow of N(0, 1) stands still: a first step by the slope's size would be endless.
        using var scope = NewDisposeScope();
        var process = new EdmProcess();
        using var gaussian = new Langevin.Denoisers.GaussianMixture(process, ones(1, ScalarType.Float64), zeros(1, 2, ScalarType.Float64), ones(1, ScalarType.Float64));
        var x = Kit.Draw(gaussian, 10, 8, 4);
        Assert.True(Kit.MaxAbs(new DormandPrince(1e-8, 1e-8).Run(gaussian, x, new TimeGrid([10, 0.1])) - x * Math.Sqrt(1.01 / 101)) < 1e-6);
        Assert.Throws<InvalidOperationException>(() => new RungeKutta45((y, u) => y * (u > 0.5 ? double.NaN : 1), 1e-6, 1e-6).Integrate(ones(1, 2, ScalarType.Float64), 0, 1));
    }

    [Fact]
    public void A_flow_that_is_not_finite_is_an_error_and_not_a_hang()
    {
        using var scope = NewDisposeScope();
        var solver = new RungeKutta45((y, _) => y.square(), 1e-6, 1e-6);
        Assert.Throws<InvalidOperationException>(() => solver.Integrate(ones(1, 2, ScalarType.Float64), 0, 2));
    }

    [Fact]
    public void Flow_matching_starts_from_pure_noise()
    {
        using var scope = NewDisposeScope();
        var process = new RectifiedFlow();
        using var mixture = Kit.Mixture(process);
        var x = Kit.Draw(mixture, 1, 8, 5);
        var exact = new DormandPrince(1e-10, 1e-10).Run(mixture, x, new TimeGrid([1, 0]));
        double Miss(Sampler sampler, int n) => Kit.MaxAbs(sampler.Run(mixture, x, new TimeGrid(Betas.Spaced(n + 1, 1, 0))) - exact);
        foreach (var sampler in new Sampler[] { new Ddim(), new ProbabilityFlow(2), new ProbabilityFlow(2, Coordinates: FlowCoordinates.Time), new ProbabilityFlow(2, Coordinates: FlowCoordinates.Angle) })
            Assert.True(Miss(sampler, 400) < 0.05, $"{sampler}: {Miss(sampler, 400):g3}");
    }
}
