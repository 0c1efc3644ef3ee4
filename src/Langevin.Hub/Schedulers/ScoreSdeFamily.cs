using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>The SDEs of Song et al. 2021 as diffusers steps through them, and Karras et al.'s sampler of the variance-exploding one.</summary>
internal static class ScoreSdeFamily
{
    /// <summary>Reverse diffusion with a Langevin corrector over geometric levels; the network, which gives the score, is told σ at evenly spaced times.</summary>
    public static SchedulerPlan Ve(SchedulerOptions options)
    {
        options.Whole("num_train_timesteps", 2000);
        double low = options.Number("sigma_min", 0.01), high = options.Number("sigma_max", 1348), first = options.Number("sampling_eps", 1e-5);
        var corrector = new LangevinCorrector(options.Number("snr", 0.15), options.Whole("correct_steps", 1), BatchNorms: true);
        // The pipeline returns the mean of the last step.
        var sampler = new PredictorCorrector(new ReverseDiffusion(), corrector);
        return new(new EdmProcess(low, high), PredictionKind.Score, Grid, (_, _) => sampler) { InitialStd = _ => high };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            if (n < 2) throw new ArgumentException("The levels need both ends: sample in at least 2 steps.");
            double[] levels = Betas.GeometricSigmas(n, high, low);
            return new([.. levels, 0], [.. NoiseTable.Spaced(n, 1, first).Select(t => low * Math.Pow(high / low, t))]);
        }
    }

    /// <summary>Euler–Maruyama on the VP SDE in steps of width 1/n, which end a little above the next of the listed times.</summary>
    public static SchedulerPlan Vp(SchedulerOptions options)
    {
        options.Whole("num_train_timesteps", 2000);
        double first = options.Number("sampling_eps", 1e-3);
        var process = VariancePreserving.Linear(options.Number("beta_min", 0.1), options.Number("beta_max", 20), first);
        return new(process, PredictionKind.Epsilon, Grid, (_, all) =>
        {
            double width = 1.0 / all.Told.Length;
            return new FixedStride(new EulerMaruyama { EndsAtMean = false }, width, all.Told[^1] - width);
        });

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            double[] times = NoiseTable.Spaced(n, 1, first);
            return new([.. times, process.DataTime], times);
        }
    }

    /// <summary>EDM's stochastic sampler with the squares of the paper's levels; the network's output is −ε̂, as the step takes it.</summary>
    public static SchedulerPlan KarrasVe(SchedulerOptions options)
    {
        double low = Math.Pow(options.Number("sigma_min", 0.02), 2), high = Math.Pow(options.Number("sigma_max", 100), 2);
        var churn = new Churn(options.Number("s_churn", 80), options.Number("s_min", 0.05), options.Number("s_max", 50), options.Number("s_noise", 1.007));
        var process = new EdmProcess(low, high);
        return new(process, PredictionKind.X0, Grid, (_, _) => new ProbabilityFlow(2, Churn: churn))
        {
            Preconditioning = _ => new Residual(),
            InitialStd = _ => Math.Sqrt(high),
        };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            if (n < 2) throw new ArgumentException("The levels need both ends: sample in at least 2 steps.");
            var grid = TimeGrid.Exponential(process, n);
            return new([.. grid.Times], [.. grid.Times.Take(n)]);
        }
    }

    // x̂_0 = x + σ F(x; σ).
    private sealed record Residual : Preconditioning
    {
        public override PredictionKind Kind => PredictionKind.X0;
        public override bool HasSkip => true;
        public override double Skip(GaussianProcess process, double t) => 1;
        public override double Out(GaussianProcess process, double t) => process.Sigma(t);
        public override double Noise(GaussianProcess process, double t) => process.Sigma(t);
    }
}
