using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Docs;
using Langevin.Tests.Goldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

/// <summary>What all samplers have in common: streaming, seeds, cancellation, no leak.</summary>
public class RunTests
{
    private static readonly VariancePreserving Process = VariancePreserving.Linear();

    public static readonly Dictionary<string, Sampler> Samplers = new()
    {
        ["ddpm"] = new DdpmAncestral(),
        ["ddim"] = new Ddim(0.7),
        ["euler-maruyama"] = new EulerMaruyama(),
        ["reverse-diffusion"] = new ReverseDiffusion(),
        ["ancestral"] = new AncestralPredictor(),
        ["pc"] = new PredictorCorrector(new ReverseDiffusion(), new LangevinCorrector(Count: 2)),
        ["corrector-alone"] = new PredictorCorrector(null, new AnnealedLangevinCorrector()),
        ["annealed"] = new AnnealedLangevin(1e-5, 2),
        ["consistent"] = new ConsistentAnnealedSampling(6e-3),
        ["heun"] = new ProbabilityFlow(2, Churn: new Churn(10)),
        ["adams-bashforth"] = new AdamsBashforth(),
        ["dpm-2"] = new Dpm2(0.7, new Churn(10)),
        ["dpmpp-2s"] = new DpmPlusPlus2S(0.7),
        ["dpmpp-sde"] = new DpmPlusPlusSde(),
        ["lms"] = new LinearMultistep(),
        ["er-sde"] = new ErSde(),
        ["restart"] = new Restart([new(0.5, 2, 3, 2)], new LinearMultistep()),
        ["consistency"] = new ConsistencySampling(0.01),
        ["dpm++2m"] = new DpmMultistep(2),
        ["dpm++3m-sde"] = new DpmMultistep(3, Eta: 1),
        ["dpm-3s"] = new DpmSingleStep(3, PredictsNoise: true),
        ["unipc"] = new UniPc(3),
        ["sa-solver"] = new SaSolver(_ => 0.5),
        ["pndm"] = new Pndm(),
        ["bdia"] = new Bdia(),
    };

    public static TheoryData<string> Names() => [.. Samplers.Keys];

    [Theory, MemberData(nameof(Names))]
    public void A_sample_does_not_depend_on_its_batch(string name)
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(Process);
        var grid = Kit.Ladder(Process, 20, 8, 0.1);
        var together = Samplers[name].Sample(mixture, [8, 2], grid, seed: 3, dtype: ScalarType.Float64);
        foreach (int i in new[] { 0, 5 })
        {
            var alone = Samplers[name].Sample(mixture, [1, 2], grid, seed: 3, first: i, dtype: ScalarType.Float64);
            Assert.True(Kit.MaxAbs(alone[0] - together[i]) < 1e-10, $"{name}: {Kit.MaxAbs(alone[0] - together[i]):g3}");
        }
        var other = Samplers[name].Sample(mixture, [8, 2], grid, seed: 4, dtype: ScalarType.Float64);
        Assert.True(Kit.MaxAbs(other - together) > 1e-3);
    }

    [Fact]
    public void Steps_stream_with_their_times_and_the_last_state_survives()
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(Process);
        using var x = Kit.Draw(mixture, 1, 2, 1);
        var grid = TimeGrid.Uniform(Process, 5, toData: true);
        List<SamplingStep> seen = [];
        foreach (var step in new Ddim().Steps(mixture, x, grid))
        {
            Assert.False(step.X.IsInvalid);
            seen.Add(step);
        }
        Assert.Equal(grid.Times.Skip(1), seen.Select(s => s.Time));
        Assert.Equal([1, 2, 3, 4, 5], seen.Select(s => s.Evaluations));
        Assert.All(seen.SkipLast(1), s => Assert.True(s.X.IsInvalid));
        Assert.False(seen[^1].X.IsInvalid);
        Assert.False(x.IsInvalid);
        seen[^1].X.Dispose();
    }

    [Fact]
    public void Cancelling_stops_between_steps_and_inside_an_adaptive_one()
    {
        using var mixture = Kit.Mixture(Process);
        using var x = Kit.Draw(mixture, 1, 2, 1);
        var grid = TimeGrid.Uniform(Process, 50);
        using var source = new CancellationTokenSource();
        int steps = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var step in new Ddim().Steps(mixture, x, grid, cancellation: source.Token))
                if (++steps == 3) source.Cancel();
        });
        Assert.Equal(3, steps);

        using var inside = new CancellationTokenSource();
        int asked = 0;
        var counting = new FunctionDenoiser(Process, (y, t) =>
        {
            if (++asked == 5) inside.Cancel();
            return mixture.Denoise(y, t, Condition.None);
        });
        Assert.Throws<OperationCanceledException>(() => new DormandPrince().Run(counting, x, new TimeGrid([1, Process.MinTime]), cancellation: inside.Token));
        Assert.True(asked < 30);
    }

    [Fact]
    public void Stochastic_samplers_end_without_noise()
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(Process);
        var x = Kit.Draw(mixture, 0.2, 3, 1);
        foreach (var sampler in new Sampler[] { new DdpmAncestral(ReverseVariance.Large), new Ddim(1), new ReverseDiffusion(), new EulerMaruyama(), new AncestralPredictor() })
        {
            var grid = new TimeGrid([0.2, 0]);
            var (one, two) = (sampler.Run(mixture, x, grid, noise: new BatchNoise(1)), sampler.Run(mixture, x, grid, noise: new BatchNoise(2)));
            Assert.Equal(0, Kit.MaxAbs(one - two));
        }
    }

    [Fact]
    public void Single_precision_follows_double()
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(Process);
        var x = Kit.Draw(mixture, 1, 4, 1);
        foreach (var (name, sampler) in Samplers)
        {
            if (name == "annealed") continue;
            var grid = Kit.Ladder(Process, 20, 8, 0.1);
            var wide = sampler.Run(mixture, x, grid, noise: new SeededNoise(1));
            var draws = new SeededNoise(1);
            var narrow = sampler.Run(mixture, x.to(ScalarType.Float32), grid, noise: new Narrowed(draws));
            Assert.Equal(ScalarType.Float32, narrow.dtype);
            Assert.True(Kit.MaxAbs(narrow - wide) < 1e-3, $"{name}: {Kit.MaxAbs(narrow - wide):g3}");
        }
    }

    [Fact]
    public void Bad_options_are_refused()
    {
        using var mixture = Kit.Mixture(Process);
        using var x = Kit.Draw(mixture, 1, 2, 1);
        var grid = TimeGrid.Uniform(Process, 5);
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProbabilityFlow(3).Run(mixture, x, grid));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProbabilityFlow(2, 0).Run(mixture, x, grid));
        Assert.Throws<ArgumentException>(() => new ConsistentAnnealedSampling(100).Run(mixture, x, grid));
        Assert.Throws<ArgumentException>(() => new ConsistentAnnealedSampling(1e-9).Run(mixture, x, grid));
        Assert.Throws<ArgumentException>(() => new DdpmAncestral(ReverseVariance.Learned).Run(mixture, x, grid));
        Assert.Throws<ArgumentException>(() => new AncestralPredictor(ReverseVariance.Learned).Run(mixture, x, grid));
        using var flow = Kit.Mixture(new RectifiedFlow());
        Assert.Throws<ArgumentException>(() => new EulerMaruyama().Run(flow, x, new TimeGrid([1, 0.5])));
    }

    [Fact]
    public void A_model_of_one_process_samples_on_another()
    {
        // The same model under another schedule and scale follows the same trajectories.
        using var scope = NewDisposeScope();
        var edm = new EdmProcess();
        using var own = Kit.Mixture(edm);
        using var other = Kit.Mixture(Process);
        var grid = Kit.Ladder(Process, 10, 3, 0.3);
        var x = Kit.Draw(other, grid[0], 4, 1);
        Assert.True(Kit.MaxAbs(new Ddim().Run(own.On(Process), x, grid) - new Ddim().Run(other, x, grid)) < 1e-9);
    }

    // Double-precision draws handed out in the asked type, so that both precisions see the same noise.
    private sealed class Narrowed(INoise inner) : INoise
    {
        public Tensor Next(Tensor like)
        {
            using var wide = like.to(ScalarType.Float64);
            using var draw = inner.Next(wide);
            return draw.to(like.dtype);
        }
    }
}
