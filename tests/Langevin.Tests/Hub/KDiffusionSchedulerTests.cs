using System.Text.Json.Nodes;
using Langevin.Denoisers;
using Langevin.Hub.Schedulers;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Tests.Hub;

/// <summary>What the configurations of the k-diffusion family, EDM and flow matching come to.</summary>
public class KDiffusionSchedulerTests
{
    private static DiffusersScheduler Read(string name, string options = "") => DiffusersScheduler.Parse($$"""{"_class_name": "{{name}}"{{(options.Length > 0 ? ", " + options : "")}}}""");

    [Fact]
    public void Each_class_is_a_sampler_of_ours()
    {
        foreach (var (name, sampler) in new (string, Sampler)[]
        {
            ("EulerDiscreteScheduler", new ProbabilityFlow(1)), ("EulerAncestralDiscreteScheduler", new Ddim(1)), ("HeunDiscreteScheduler", new ProbabilityFlow(2)),
            ("KDPM2DiscreteScheduler", new Dpm2()), ("KDPM2AncestralDiscreteScheduler", new Dpm2(1)), ("LMSDiscreteScheduler", new LinearMultistep()),
            ("DPMSolverSDEScheduler", new DpmPlusPlusSde()), ("EDMEulerScheduler", new ProbabilityFlow(1)), ("CMStochasticIterativeScheduler", new ConsistencySampling(0.002)),
            ("FlowMatchEulerDiscreteScheduler", new ProbabilityFlow(1, Coordinates: FlowCoordinates.Time)), ("FlowMatchLCMScheduler", new ConsistencySampling()),
        })
        {
            var composition = Read(name).Compose(5);
            Assert.Equal(sampler, composition.Sampler);
            Assert.Equal((5, 5), (composition.Grid.Steps, composition.Timesteps.Count));
        }
    }

    [Fact]
    public void Noise_levels_may_be_given()
    {
        var composition = Read("EulerDiscreteScheduler").Compose(new() { Sigmas = [14, 3, 0.5, 0] });
        Assert.Equal([14, 3, 0.5, 0], composition.Grid.Times);
        Assert.Equal(3, composition.Timesteps.Count);
        var flow = Read("FlowMatchEulerDiscreteScheduler", "\"shift\": 3").Compose(new() { Sigmas = [1, 0.5] });
        Assert.Equal([1, 0.75, 0], flow.Grid.Times); // three times the ratio σ/α
        Assert.Equal([1000, 750], flow.Timesteps);
    }

    [Fact]
    public void The_network_hears_what_the_table_says_between_two_steps()
    {
        var composition = Read("KDPM2DiscreteScheduler").Compose(4);
        var process = composition.Process;
        double middle = Dpm2.Middle(process, composition.Grid[0], composition.Grid[1]);
        double told = composition.Preconditioning.Noise(process, middle);
        Assert.InRange(told, composition.Timesteps[1], composition.Timesteps[0]);
        Assert.Equal(composition.Timesteps[1], composition.Preconditioning.Noise(process, composition.Grid[1]));
        // By log σ, and not evenly between the listed times.
        Assert.True(Math.Abs(told - 0.5 * (composition.Timesteps[0] + composition.Timesteps[1])) > 1);
    }

    [Fact]
    public void A_dynamic_shift_needs_the_size_of_the_image()
    {
        var scheduler = Read("FlowMatchEulerDiscreteScheduler", "\"use_dynamic_shifting\": true");
        Assert.Contains("μ", Assert.Throws<ArgumentException>(() => scheduler.Compose(4)).Message, StringComparison.Ordinal);
        var (small, large) = (scheduler.Compose(new() { Steps = 4, Mu = 0.5 }), scheduler.Compose(new() { Steps = 4, Mu = 1.15 }));
        Assert.True(small.Grid[1] < large.Grid[1]);
    }

    [Theory]
    [InlineData("EulerDiscreteScheduler", "\"use_karras_sigmas\": true, \"use_beta_sigmas\": true", "use_beta_sigmas")]
    [InlineData("EulerDiscreteScheduler", "\"interpolation_type\": \"cubic\"", "interpolation_type")]
    [InlineData("FlowMatchEulerDiscreteScheduler", "\"invert_sigmas\": true, \"stochastic_sampling\": true", "invert_sigmas")]
    [InlineData("FlowMatchLCMScheduler", "\"scale_factors\": [0.5]", "scale_factors")]
    public void What_is_not_supported_is_named(string name, string options, string named) =>
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => Read(name, options)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_consistency_model_keeps_what_lies_at_its_boundary()
    {
        var (process, scheme) = (new EdmProcess(), new ConsistencyPreconditioning());
        Assert.Equal((1, 0), (scheme.Skip(process, 0.002), scheme.Out(process, 0.002)));
        var composition = Read("CMStochasticIterativeScheduler").Compose(2);
        Assert.Equal(PredictionKind.X0, composition.Preconditioning.Kind);
        Assert.Equal((80, 0.002), (composition.Grid[0], composition.Grid[2]), Close);
        Assert.Throws<ArgumentOutOfRangeException>(() => Read("CMStochasticIterativeScheduler").Compose(41));
    }

    private static readonly IEqualityComparer<(double, double)> Close = EqualityComparer<(double, double)>.Create(
        (a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-9 && Math.Abs(a.Item2 - b.Item2) < 1e-9, _ => 0);
}
