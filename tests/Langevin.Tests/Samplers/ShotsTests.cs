using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

public class ShotsTests
{
    private static readonly DiscreteProcess Process = DiscreteProcess.FromBetas(Betas.ScaledLinear(50, 1e-4, 0.5));
    private static readonly TimeGrid Grid = TimeGrid.Uniform(Process, 50, toData: true);

    /// <summary>The exact denoiser of N(m, 0.5²) for the m that the condition tells.</summary>
    private sealed class Told : IDenoiser
    {
        public GaussianProcess Process => ShotsTests.Process;

        public Prediction Denoise(Tensor x, Times t, Condition condition)
        {
            double a = Process.Alpha(t.Value), s = Process.Sigma(t.Value);
            var mean = condition["mean"]!;
            return new(PredictionKind.X0, mean + a * 0.25 / (a * a * 0.25 + s * s) * (x - a * mean), x, Process, t);
        }
    }

    [Fact]
    public void Shots_are_samples_of_their_conditions_and_their_mean_has_an_Mth_of_the_variance()
    {
        using var scope = NewDisposeScope();
        var means = (arange(4, float32) * 3).view(4, 1, 1);
        var shots = Shots.Draw(new Told(), new DdpmAncestral(), Grid, Condition.None.With("mean", means), 4, 16, [1, 500], seed: 1);
        Assert.Equal([16L, 4, 1, 500], shots.shape);
        var error = shots - means;
        double expected = Variance(), count = error.numel();
        Assert.Equal(0, error.mean().item<float>(), 5 * Math.Sqrt(expected / count));
        double variance = error.square().mean().item<float>();
        Assert.Equal(1, variance / expected, 5 * Math.Sqrt(2 / count));
        Assert.Equal(1 / 16.0, error.mean([0L]).square().mean().item<float>() / variance, 5 * Math.Sqrt(2 / 2000.0) / 16);
    }

    // What the ancestral steps make of it: each is linear in x, plus its noise, but for the last.
    private static double Variance()
    {
        double v = 1;
        for (int i = 0; i < Grid.Steps; i++)
        {
            double t = Grid[i], a = Process.Alpha(t), s = Process.Sigma(t);
            var (ofX, ofX0, noise) = Process.Posterior(Grid[i + 1], t);
            double slope = ofX + ofX0 * a * 0.25 / (a * a * 0.25 + s * s);
            v = slope * slope * v + (Process.Sigma(Grid[i + 1]) > 0 ? noise : 0);
        }
        return v;
    }

    [Fact]
    public void Fewer_shots_are_the_first_of_more_whatever_the_batches()
    {
        using var scope = NewDisposeScope();
        var condition = Condition.None.With("mean", arange(3, float32).view(3, 1));
        Tensor Draw(int shots, int batch) => Shots.Draw(new Told(), new DdpmAncestral(), Grid, condition, 3, shots, [5], seed: 2, batchSize: batch);
        var five = Draw(5, 64);
        Assert.True(five.narrow(0, 0, 2).allclose(Draw(2, 64), 1e-6, 1e-6));
        Assert.True(five.allclose(Draw(5, 4), 1e-6, 1e-6));
        Assert.False(five[0].allclose(five[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Draw(0, 4));
    }
}
