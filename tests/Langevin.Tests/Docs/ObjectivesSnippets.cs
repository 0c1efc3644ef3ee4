using Langevin.Denoisers;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/objectives.md.</summary>
public class ObjectivesSnippets
{
    [Fact]
    public void A_loss_is_an_objective_at_times_that_a_source_draws()
    {
        using var scope = NewDisposeScope();
        const long seed = 3, step = 0;
        GaussianProcess process = VariancePreserving.Linear();
        using var denoiser = new GaussianMixture(process, tensor(new[] { 1f, 1f }), tensor(new[,] { { 1f, 0f }, { -1f, 0f } }), tensor(new[] { 0.5f, 0.5f }));
        var condition = Condition.None;
        using var generator = new Generator(1);
        Tensor x0 = denoiser.Draw(64, generator), noise = randn([64, 2], generator: generator);

        Objective objective = new DenoisingObjective(new MinSnr(5));
        TimeSource times = new UniformTime { Points = Points.LowDiscrepancy }.Begin(process, seed);

        var draw = times.Draw(count: 64, step);                                     // the same bits for the same seed and step
        Tensor losses = objective.Loss(denoiser, x0, condition, draw.Times, noise); // [N]
        Tensor loss = (losses * tensor(draw.Weights)).mean();

        Assert.Equal([64], losses.shape);
        Assert.True(loss.item<double>() > 0);
    }

    [Fact]
    public void A_schedule_learns_with_its_network()
    {
        using var scope = NewDisposeScope();
        using var unet = new FunctionNetwork((x, _) => x.clone());
        Tensor x0 = rand(4, 1, 3, 3) * 2 - 1, noise = randn(4, 1, 3, 3);

        var schedule = new MonotoneSchedule();
        Tensor t = ScheduledBound.EvenTimes(x0.shape[0]);
        Tensor toMinimise = new ScheduledBound(new LogSnrPreconditioning()).Loss(unet, schedule, x0, Condition.None, t, noise);
        var (gamma, slope) = schedule.Freeze();
        var learned = new NetworkDenoiser(unet, new LogSnrProcess(gamma, slope), new LogSnrPreconditioning());

        toMinimise.backward();
        Assert.True(schedule.get_parameter("places")!.grad!.isfinite().all().item<bool>());
        Assert.Equal(-13.3, gamma(0), 1e-4);
        Assert.Equal([4, 1, 3, 3], learned.Denoise(x0, 0.5, Condition.None).Epsilon.shape);
        schedule.Dispose();
    }
}
