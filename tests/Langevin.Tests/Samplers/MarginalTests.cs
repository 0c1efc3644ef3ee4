using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

/// <summary>
/// Do samplers sample the right distribution? From exact draws at a high noise level to a low one, against exact draws there: the
/// Kolmogorov–Smirnov distance over eight directions, with fixed seeds.
/// </summary>
public class MarginalTests
{
    private const int Count = 2000;
    private const double Threshold = 2.4; // one direction exceeds it once in 50,000

    private static readonly Dictionary<string, Sampler> Samplers = new()
    {
        ["ddpm-small"] = new DdpmAncestral(ReverseVariance.Small),
        ["ddpm-large"] = new DdpmAncestral(ReverseVariance.Large),
        ["ddim-1"] = new Ddim(1),
        ["ddim-0.5"] = new Ddim(0.5),
        ["euler-maruyama"] = new EulerMaruyama { EndsAtMean = false },
        ["reverse-diffusion"] = new ReverseDiffusion { EndsAtMean = false },
        ["ancestral"] = new AncestralPredictor { EndsAtMean = false },
        ["heun-churn"] = new ProbabilityFlow(2, Churn: new Churn(40)),
        // The published rule, one step size for the batch: with one a sample, where D is as small as here, a step depends on its own
        // noise and score, and the corrector's equilibrium is off.
        ["pc-langevin"] = new PredictorCorrector(new AncestralPredictor { EndsAtMean = false }, new LangevinCorrector(0.1, BatchNorms: true)),
        ["pc-ald"] = new PredictorCorrector(new ReverseDiffusion { EndsAtMean = false }, new AnnealedLangevinCorrector(0.1)),
        ["consistent-annealed"] = new ConsistentAnnealedSampling(0.1 * 0.1 * 0.1),
        ["heun"] = new ProbabilityFlow(2),
        ["dpm-2-ancestral"] = new Dpm2(1),
        ["dpmpp-2s-ancestral"] = new DpmPlusPlus2S(1),
        ["dpmpp-sde"] = new DpmPlusPlusSde(),
        ["er-sde"] = new ErSde(),
        ["dpm-adaptive"] = new DpmAdaptive(0.01, 0.001, 2, 0.5),
        ["restart"] = new Restart([new(0.5, 2, 10, 3)]),
        ["adaptive-heun"] = new AdaptiveHeun(0.01, 0.001),
        ["adaptive-heun-sde"] = new AdaptiveHeun(0.01, 0.001, Eta: 1),
        ["dormand-prince"] = new DormandPrince(1e-4, 1e-4),
    };

    // These depend on σ/α alone (SolverOrderTests): two processes are enough.
    private static readonly string[] InTheRatio = ["dpm-2-ancestral", "dpmpp-2s-ancestral", "dpmpp-sde", "er-sde", "dpm-adaptive", "restart"];

    public static TheoryData<string, string> Pairs()
    {
        var pairs = new TheoryData<string, string>();
        foreach (string process in new[] { "vp-linear", "ve", "edm", "flow" })
            foreach (string sampler in Samplers.Keys)
                if (process is "edm" or "flow" || !InTheRatio.Contains(sampler)) pairs.Add(process, sampler);
        foreach (string process in new[] { "vp-cosine", "vp-table", "ve-table", "sub-vp" })
            foreach (string sampler in new[] { "ddpm-small", "euler-maruyama", "reverse-diffusion", "pc-ald", "heun-churn" }) pairs.Add(process, sampler);
        return pairs;
    }

    [Theory, MemberData(nameof(Pairs))]
    public void The_marginal_is_right(string process, string sampler)
    {
        double distance = Distance(Kit.Processes[process], Samplers[sampler]);
        Assert.True(distance < Threshold, $"{sampler} on {process}: {distance:0.00}");
    }

    [Fact]
    public void A_wrong_sampler_is_caught()
    {
        // Twice the noise, or steps too few for the reverse SDE: the test must see either.
        double loud = Distance(Kit.Processes["vp-linear"], new DdpmAncestral(), 2), rough = Distance(Kit.Processes["edm"], new EulerMaruyama(), steps: 6);
        Assert.True(loud > 1.5 * Threshold && rough > 1.5 * Threshold, $"{loud:0.00}, {rough:0.00}");
    }

    [Fact]
    public void The_langevin_corrector_needs_no_batch_where_dimensions_are_many()
    {
        // In few dimensions the norms of a sample's score and noise vary too much; in 256 they do not.
        using var scope = NewDisposeScope();
        var process = new EdmProcess();
        using var generator = new Generator(31);
        var means = randn([3, 256], ScalarType.Float64, generator: generator);
        using var mixture = new GaussianMixture(process, tensor(new[] { 0.5, 0.3, 0.2 }), means, tensor(new[] { 0.3, 0.5, 0.2 }));
        var grid = Kit.Ladder(process, 100, 8, 0.1);
        var sampler = new PredictorCorrector(new AncestralPredictor { EndsAtMean = false }, new LangevinCorrector(0.1));
        var got = sampler.Run(mixture, Kit.Draw(mixture, grid[0], 600, 32), grid, noise: new BatchNoise(33));
        var want = Kit.Draw(mixture, grid.Times[^1], 600, 34);
        // Along the differences of the means, where the clusters are apart, and the distance from the nearest one.
        Tensor Plane(Tensor x) => einsum("nd,kd->nk", x, means.narrow(0, 1, 2) - means.narrow(0, 0, 1));
        double distance = Kit.Sliced(Plane(got), Plane(want));
        Assert.True(distance < Threshold, $"{distance:0.00}");
    }

    [Fact]
    public void Annealed_langevin_reaches_the_data_from_its_prior()
    {
        using var scope = NewDisposeScope();
        var process = DiscreteProcess.FromSigmas(Betas.GeometricSigmas(40, 10, 0.05));
        using var mixture = Kit.Mixture(process);
        using var generator = new Generator(11);
        var x = randn([Count, 2], ScalarType.Float64, generator: generator) * 10;
        var sampler = new AnnealedLangevin(0.15 * 0.05 * 0.05, 40, Denoise: false);
        var got = sampler.Run(mixture, x, TimeGrid.All(process), noise: new BatchNoise(12));
        double distance = Kit.Sliced(got, Kit.Draw(mixture, 0, Count, 13));
        Assert.True(distance < Threshold, $"{distance:0.00}");
    }

    private static double Distance(GaussianProcess process, Sampler sampler, double louder = 1, int steps = 100)
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(process);
        var grid = Kit.Ladder(process, steps, 8, 0.1);
        var x = Kit.Draw(mixture, grid[0], Count, 21);
        var got = sampler.Run(mixture, x, grid, noise: new Louder(new BatchNoise(22), louder));
        return Kit.Sliced(got, Kit.Draw(mixture, grid.Times[^1], Count, 23));
    }

    private sealed class Louder(INoise inner, double factor) : INoise
    {
        public Tensor Next(Tensor like) => factor * inner.Next(like);
    }
}
