using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Goldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

/// <summary>Orders, identities and limits of the solvers in λ, in double, on a mixture whose denoiser is exact.</summary>
public class ExponentialSolverTests
{
    private static readonly GaussianProcess Vp = VariancePreserving.Linear();

    // Solver and the order its error must fall with, where all starting values are exact enough.
    public static readonly Dictionary<string, (Sampler Sampler, double Order)> Solvers = new()
    {
        ["1"] = (new DpmMultistep(1), 1),
        ["2m"] = (new DpmMultistep(2), 2),
        ["2m-exact"] = (new DpmMultistep(2, Slope: SlopeWeight.Exact), 2),
        ["2m-noise"] = (new DpmMultistep(2, PredictsNoise: true), 2),
        ["3m-published"] = (new DpmMultistep(3), 2),
        ["3m"] = (new DpmMultistep(3, Curvature: CurvatureWeight.Exact), 3),
        ["3m-noise"] = (new DpmMultistep(3, PredictsNoise: true, Curvature: CurvatureWeight.Exact), 3),
        ["deis-2"] = (DpmMultistep.Deis(2), 2),
        ["deis-3"] = (DpmMultistep.Deis(3), 3),
        ["2s"] = (new DpmSingleStep(2), 2),
        ["2s-noise"] = (new DpmSingleStep(2, PredictsNoise: true, Slope: SlopeWeight.Exact), 2),
        ["3s"] = (new DpmSingleStep(3, Slope: SlopeWeight.Exact), 3),
        ["3s-noise"] = (new DpmSingleStep(3, PredictsNoise: true) { InnerSlope = SlopeWeight.Exact }, 3),
        ["unip-1"] = (new UniPc(1) { Corrects = false, LowersOrderAtEnd = false }, 1),
        ["unip-2"] = (new UniPc(2) { Corrects = false, LowersOrderAtEnd = false }, 2),
        ["unip-3"] = (new UniPc(3) { Corrects = false, LowersOrderAtEnd = false }, 3),
        ["unipc-1"] = (new UniPc(1) { LowersOrderAtEnd = false }, 1),
        ["unipc-2"] = (new UniPc(2) { LowersOrderAtEnd = false }, 2),
        ["unipc-3"] = (new UniPc(3) { LowersOrderAtEnd = false }, 3),
        ["unipc-bh1"] = (new UniPc(3, PredictsNoise: true, Variant: UniPcVariant.Bh1) { LowersOrderAtEnd = false }, 3),
        ["unip-vary"] = (new UniPc(3, Variant: UniPcVariant.VaryingCoefficients) { LowersOrderAtEnd = false, Corrects = false }, 3),
        ["unipc-vary"] = (new UniPc(2, Variant: UniPcVariant.VaryingCoefficients) { LowersOrderAtEnd = false }, 1), // as published
        ["sa-2"] = (new SaSolver(_ => 0, 2, 0) { LowersOrderAtEnd = false }, 2),
        ["sa-3"] = (new SaSolver(_ => 0, 3, 0) { LowersOrderAtEnd = false }, 3),
        ["sa-3-3"] = (new SaSolver(_ => 0, 3, 3, PredictsNoise: true) { LowersOrderAtEnd = false }, 3),
    };

    public static TheoryData<string, string> Cases()
    {
        TheoryData<string, string> cases = [];
        foreach (string process in new[] { "vp-linear", "edm", "flow" })
            foreach (string solver in Solvers.Keys) cases.Add(process, solver);
        return cases;
    }

    [Theory, MemberData(nameof(Cases))]
    public void Solvers_have_their_order(string name, string solver)
    {
        using var scope = NewDisposeScope();
        var process = Kit.Processes[name];
        using var mixture = Kit.Mixture(process);
        double from = -Math.Log(3), to = -Math.Log(0.3);
        var x = Kit.Draw(mixture, process.TimeOfLambda(from), 8, 1);
        var exact = new DormandPrince(1e-11, 1e-11).Run(mixture, x, new TimeGrid([process.TimeOfLambda(from), process.TimeOfLambda(to)]));
        var (sampler, order) = Solvers[solver];
        bool grouped = sampler is DpmSingleStep;

        double Miss(int steps)
        {
            // Even in λ after three tiny steps, so that the low orders of the start do not show; groups need no start.
            double h = (to - from) / steps;
            double[] start = grouped ? [from] : [from, from + 0.3 * h * h, from + 0.6 * h * h, from + 0.9 * h * h];
            IEnumerable<double> rest = Enumerable.Range(1, steps).Select(i => from + i * h);
            return Kit.MaxAbs(sampler.Run(mixture, x, new TimeGrid(start.Concat(rest).Select(process.TimeOfLambda)), noise: new BatchNoise(1)) - exact);
        }
        int n = solver == "sa-3-3" ? 96 : 48; // its error still changes sign at 96 steps
        double coarse = Miss(n), fine = Miss(2 * n), measured = Math.Log2(coarse / fine);
        Assert.True(measured > order - 0.3 && fine < 0.02, $"{name} {solver}: order {measured:0.00} of {order} ({coarse:g3} to {fine:g3})");
        // A wrong coefficient of the highest term would leave the order below: the bound above is a check of it. It is not above by luck:
        if (solver is "1" or "unip-1" or "2m" or "deis-2") Assert.True(measured < order + 0.7, $"{name} {solver}: order {measured:0.00}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_orders_agree_where_they_must(int order)
    {
        using var scope = NewDisposeScope();
        foreach (var process in Kit.Processes.Values)
        {
            using var mixture = Kit.Mixture(process);
            var grid = Kit.Ladder(process, 12, 3, 0.3);
            var x = Kit.Draw(mixture, grid[0], 8, 2);
            Tensor Of(Sampler sampler) => sampler.Run(mixture, x, grid);
            if (order == 1)
            {
                // Order 1 is DDIM, whatever is predicted; a run of one step is of order 1.
                var ddim = Of(new Ddim());
                foreach (var sampler in new Sampler[] { new DpmMultistep(1), new DpmMultistep(1, PredictsNoise: true), new DpmSingleStep(1), DpmMultistep.Deis(1), new UniPc(1) { Corrects = false }, new SaSolver(_ => 0, 1, 0) })
                    Assert.True(Kit.MaxAbs(Of(sampler) - ddim) < 1e-10, $"{sampler}");
                continue;
            }
            // Adams–Bashforth in λ is one method by three names.
            var deis = Of(DpmMultistep.Deis(3));
            Assert.True(Kit.MaxAbs(Of(new SaSolver(_ => 0, 3, 0, PredictsNoise: true) { LowersOrderAtEnd = false }) - deis) < 1e-9);
            Assert.True(Kit.MaxAbs(Of(new DpmMultistep(3, Slope: SlopeWeight.Exact, Curvature: CurvatureWeight.Exact)) - Of(new SaSolver(_ => 0, 3, 0) { LowersOrderAtEnd = false })) < 0.05);
        }
    }

    [Fact]
    public void Pndm_has_a_high_order_on_even_steps()
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(Vp);
        var x = Kit.Draw(mixture, 0.6, 8, 1);
        var exact = new DormandPrince(1e-11, 1e-11).Run(mixture, x, new TimeGrid([0.6, 0.2]));
        double Miss(Sampler sampler, int n) => Kit.MaxAbs(sampler.Run(mixture, x, new TimeGrid(Betas.Spaced(n + 1, 0.6, 0.2))) - exact);
        // The transfer of a mean slope is exact to order 2 in curved time (Liu et al. 2022, property 3.2); Adams–Bashforth alone would be 4.
        foreach (var (warm, order) in new[] { (WarmUp.RungeKutta, 2.0), (WarmUp.Heun, 1.7), (WarmUp.LowerOrders, 1.0) })
        {
            var (coarse, fine) = (Miss(new Pndm(warm), 24), Miss(new Pndm(warm), 48));
            double measured = Math.Log2(coarse / fine);
            Assert.True(measured > order - 0.3 && fine < 0.02 && fine < 0.5 * Miss(new Ddim(), 48), $"{warm}: order {measured:0.00} ({coarse:g3} to {fine:g3})");
        }
    }

    [Theory]
    [InlineData("sde-2m")]
    [InlineData("sde-2m-noise")]
    [InlineData("sde-2s")]
    [InlineData("sa")]
    [InlineData("sa-noise")]
    public void Stochastic_forms_draw_from_the_data(string name)
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(Vp);
        Sampler sampler = name switch
        {
            "sde-2m" => new DpmMultistep(2, Eta: 1),
            "sde-2m-noise" => new DpmMultistep(2, PredictsNoise: true, Eta: 1),
            "sde-2s" => new DpmSingleStep(1, Eta: 0.5),
            "sa" => new SaSolver(_ => 1),
            _ => new SaSolver(_ => 0.7, PredictsNoise: true),
        };
        var grid = Kit.Ladder(Vp, 60, 20, 0.05);
        var x = Kit.Draw(mixture, grid[0], 3000, 5);
        var (drawn, true_) = (sampler.Run(mixture, x, grid, noise: new BatchNoise(6)), Kit.Draw(mixture, grid[grid.Steps], 3000, 7));
        Assert.True(Kit.Sliced(drawn, true_) < 2.2, $"{name}: {Kit.Sliced(drawn, true_):0.00}");
        // Another rate of noise than the equation's shows: twice the standard deviation in every step.
        if (sampler is DpmMultistep multistep)
            Assert.True(Kit.Sliced((multistep with { NoiseStd = 1.5 }).Run(mixture, x, grid, noise: new BatchNoise(6)), true_) > 2.2);
    }

    [Fact]
    public void Steps_to_clean_data_and_out_of_pure_noise_are_finite()
    {
        using var scope = NewDisposeScope();
        var process = new RectifiedFlow();
        using var mixture = Kit.Mixture(process);
        var x = Kit.Draw(mixture, 1, 8, 5);
        var exact = new DormandPrince(1e-10, 1e-10).Run(mixture, x, new TimeGrid([1, 0]));
        foreach (var sampler in new Sampler[] { new DpmMultistep(3), new DpmSingleStep(3), new UniPc(3), new UniPc(2) { LowersOrderAtEnd = false }, new SaSolver(_ => 0, 2, 2) })
        {
            double miss = Kit.MaxAbs(sampler.Run(mixture, x, new TimeGrid(Betas.Spaced(101, 1, 0))) - exact);
            Assert.True(miss < 0.1, $"{sampler}: {miss:g3}");
        }
    }

    [Fact]
    public void A_flow_solver_inverts_backwards()
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(Vp);
        var grid = Kit.Ladder(Vp, 200, 3, 0.3);
        var x = Kit.Draw(mixture, grid[0], 8, 3);
        foreach (var sampler in new Sampler[] { new DpmMultistep(2), new UniPc(2) })
        {
            var back = sampler.Run(mixture, sampler.Run(mixture, x, grid), grid.Reversed());
            Assert.True(Kit.MaxAbs(back - x) < 2e-2, $"{sampler}: {Kit.MaxAbs(back - x):g3}");
        }
        Assert.Throws<ArgumentException>(() => new DpmMultistep(2, Eta: 1).Run(mixture, x, grid.Reversed()));
    }

    [Fact]
    public void Bdia_inverts_to_rounding_where_ddim_does_not()
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(Vp);
        var grid = Kit.Ladder(Vp, 25, 3, 0.3);
        var x = Kit.Draw(mixture, grid[0], 8, 3);
        foreach (double gamma in new[] { 1, 0.9 })
        {
            var bdia = new Bdia(gamma);
            Tensor[] states = [.. bdia.Steps(mixture, x, grid).Select(s => s.X.clone())];
            var start = bdia.Invert(mixture, states[^1], states[^2], grid);
            Assert.True(Kit.MaxAbs(start - x) < 1e-9, $"γ = {gamma}: {Kit.MaxAbs(start - x):g3}");
        }
        var plain = new Ddim().Run(mixture, new Ddim().Run(mixture, x, grid), grid.Reversed());
        Assert.True(Kit.MaxAbs(plain - x) > 1e-3);
        // It still samples: closer to the flow than DDIM with the same steps.
        var exact = new DormandPrince(1e-10, 1e-10).Run(mixture, x, new TimeGrid([grid[0], grid[grid.Steps]]));
        Assert.True(Kit.MaxAbs(new Bdia().Run(mixture, x, Kit.Ladder(Vp, 100, 3, 0.3)) - exact) < Kit.MaxAbs(new Ddim().Run(mixture, x, Kit.Ladder(Vp, 100, 3, 0.3)) - exact));
    }

    [Theory]
    [InlineData("vp-linear")]
    [InlineData("edm")]
    [InlineData("flow")]
    public void Picard_iteration_gives_what_the_sequence_gives(string name)
    {
        using var scope = NewDisposeScope();
        var process = Kit.Processes[name];
        using var mixture = Kit.Mixture(process);
        var grid = name == "flow" ? new TimeGrid(Betas.Spaced(41, 1, 0)) : Kit.Ladder(process, 40, 3, 0.1);
        var x = Kit.Draw(mixture, grid[0], 4, 3);
        var sequence = new Ddim().Run(mixture, x, grid);
        var (exact, rounds) = new PicardSampler(16, 0).Run(mixture, x, grid);
        Assert.True(Kit.MaxAbs(exact - sequence) < 1e-9, $"{Kit.MaxAbs(exact - sequence):g3}");
        var (loose, fewer) = new PicardSampler(16, 1e-3).Run(mixture, x, grid);
        Assert.True(Kit.MaxAbs(loose - sequence) < 0.02, $"{Kit.MaxAbs(loose - sequence):g3}");
        Assert.True(fewer < rounds && fewer < 30, $"{fewer} and {rounds} rounds");
        var (alone, _) = new PicardSampler(1).Run(mixture, x, grid);
        Assert.True(Kit.MaxAbs(alone - sequence) < 1e-9);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(Vp);
        var grid = Kit.Ladder(Vp, 4, 3, 0.3);
        var x = Kit.Draw(mixture, grid[0], 2, 3);
        foreach (var sampler in new Sampler[]
        {
            new DpmMultistep(4), new DpmSingleStep(0), new DpmSingleStep(2) { Places = [1, 2] }, new UniPc(0), new SaSolver(_ => 0, 5), new TrajectoryConsistency(2), new Bdia(0),
            new Pndm(WarmUp.RungeKutta) { Stride = 3 },
        })
            Assert.ThrowsAny<ArgumentException>(() => sampler.Run(mixture, x, grid));
        Assert.ThrowsAny<ArgumentException>(() => new PicardSampler(0).Run(mixture, x, grid));
        Assert.ThrowsAny<ArgumentException>(() => TimeGrid.Verbatim([1]));
    }

    [Fact]
    public void Distilled_models_sample_in_few_steps()
    {
        // A perfect consistency model of one point maps every x_t to it.
        using var scope = NewDisposeScope();
        var point = tensor(new[,] { { 0.7, -0.2 } });
        var table = DiscreteProcess.FromBetas(Betas.ScaledLinear());
        var model = new FunctionDenoiser(table, (x, t) => new(PredictionKind.X0, point.expand_as(x), x, table, t));
        var grid = TimeGrid.Verbatim([999, 499, table.DataTime]);
        var x = randn(4, 2, ScalarType.Float64);
        Assert.True(Kit.MaxAbs(new LatentConsistency().Run(model, x, grid) - point) < 1e-6);
        Assert.True(Kit.MaxAbs(new TrajectoryConsistency(1).Run(model, x, TimeGrid.Verbatim([999, 499, 0])) - point) < 0.2);
    }
}
