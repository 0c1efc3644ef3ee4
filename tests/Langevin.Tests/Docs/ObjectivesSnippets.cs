using Langevin.Denoisers;
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
}
