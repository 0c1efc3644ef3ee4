using Langevin.Denoisers;
using Langevin.Formulations;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

/// <summary>
/// The grid that a sampler has unless told otherwise. On a line the flow keeps order, so that it takes x to F_0⁻¹(F_t(x)), with F the
/// mixture's distribution functions: every deterministic sampler is judged by that, at ten steps.
/// </summary>
public class DefaultGridTests
{
    private const double Centre = 0.8, Spread = 0.15;

    [Theory, InlineData("ddpm"), InlineData("sde-vp"), InlineData("sde-subvp")]
    public void Ten_steps_follow_the_flow(string name)
    {
        var formulation = Formulation.Create(new() { Name = name });
        foreach (string sampler in new[] { "euler", "heun", "dpm2", "lms", "dpm++2s", "dpm++2m", "dpm++3m", "dpm2m", "dpm++3s", "deis", "unipc", "unipc3" })
        {
            double miss = Miss(formulation, sampler);
            Assert.True(miss < 0.15, $"{name} {sampler}: {miss:f3} from the flow's end on average, of clusters {2 * Centre} apart");
        }
    }

    [Fact]
    public void Even_times_do_not()
    {
        var formulation = Formulation.Create(new() { Name = "ddpm" });
        Assert.True(Miss(formulation, "heun", "linspace") > 1);
        // Nor does a grid by σ that begins where a cosine table does, at 20,000.
        var process = formulation.Process;
        Assert.True(Miss(process, new ProbabilityFlow(2), TimeGrid.Karras(process, 10)) > 0.3);
    }

    [Fact]
    public void Chains_and_flow_matching_keep_their_times()
    {
        foreach (string name in Formulation.Names)
        {
            var formulation = Formulation.Create(new() { Name = name });
            var usual = GridRegistry.Create(null, formulation.Process, 10);
            foreach (string sampler in new[] { "ddpm", "ddim" }) Assert.Equal(usual.Times, formulation.Sampling(sampler, 10).Grid.Times);
        }
        var table = Formulation.Create(new() { Name = "ddpm" });
        Assert.Equal(TimeGrid.Spaced((DiscreteProcess)table.Process, 10).Times, table.Sampling("ddim", 10).Grid.Times);
        var flow = Formulation.Create(new() { Name = "flow" });
        Assert.Equal(TimeGrid.Uniform(flow.Process, 10, toData: true).Times, flow.Sampling("heun", 10).Grid.Times);
        // What is asked for is what one gets.
        Assert.Equal(TimeGrid.Trailing((DiscreteProcess)table.Process, 10).Times, table.Sampling("heun", 10, "trailing").Grid.Times);
    }

    private static double Miss(Formulation formulation, string sampler, string? spacing = null)
    {
        var (solver, grid) = formulation.Sampling(sampler, 10, spacing);
        Assert.Equal(10, grid.Steps);
        return Miss(formulation.Process, solver, grid);
    }

    private static double Miss(GaussianProcess process, Sampler solver, TimeGrid grid)
    {
        using var scope = NewDisposeScope();
        using var mixture = new GaussianMixture(process, tensor(new[] { 0.5, 0.5 }), tensor(new[,] { { -Centre }, { Centre } }), tensor(new[] { Spread, Spread }));
        // Quantiles of the prior instead of draws.
        var x = process.Sigma(grid[0]) * Math.Sqrt(2) * ((arange(400, ScalarType.Float64) + 0.5) / 200 - 1).erfinv().unsqueeze(1);
        return (solver.Run(mixture, x, grid) - Flow(process, x, grid[0])).abs().mean().item<double>();
    }

    private static Tensor Flow(GaussianProcess process, Tensor x, double t)
    {
        Tensor share = Below(x, process.Alpha(t), process.Sigma(t)), low = full_like(x, -5), high = full_like(x, 5);
        for (int i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            var above = Below(middle, 1, 0) > share;
            (low, high) = (where(above, low, middle), where(above, middle, high));
        }
        return low;
    }

    // The distribution function of x_t = α x_0 + σ ε.
    private static Tensor Below(Tensor x, double alpha, double sigma)
    {
        double scale = Math.Sqrt(2 * (alpha * alpha * Spread * Spread + sigma * sigma));
        return 0.5 + 0.25 * (((x - alpha * Centre) / scale).erf() + ((x + alpha * Centre) / scale).erf());
    }
}
