using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>Few-step samplers of distilled models: LCM, TCD, sCM and the consistency decoder.</summary>
internal static class ConsistencyFamily
{
    public static SchedulerPlan Lcm(SchedulerOptions options)
    {
        var (table, times) = Distilled(options);
        var decoration = Decorations.Clipping(options, keepEpsilon: false, clips: false);
        var sampler = new LatentConsistency(TimeScale: options.Number("timestep_scaling", 10));
        // The last step ends in what is taken for clean data.
        return new(table.Process, Decorations.Prediction(options), (r, n) => Ending(times(r, n), table.Process.DataTime), (_, _) => sampler)
        {
            Decoration = _ => decoration,
            TakesTimesteps = true,
        };
    }

    public static SchedulerPlan Tcd(SchedulerOptions options)
    {
        var (table, times) = Distilled(options);
        // These are read and do nothing there.
        Decorations.Clipping(options, keepEpsilon: false, clips: false);
        options.Number("timestep_scaling", 10);
        return new(table.Process, Decorations.Prediction(options), (r, n) => Ending(times(r, n), 0), (r, _) => new TrajectoryConsistency(r.Eta ?? 0.3)) { TakesTimesteps = true };
    }

    /// <summary>The consistency decoder's: two steps of a cosine table, with EDM's preconditioning.</summary>
    public static SchedulerPlan Decoder(SchedulerOptions options)
    {
        var process = DiscreteProcess.FromBetas(Betas.Cosine(options.Whole("num_train_timesteps", 1024)));
        double data = options.Number("sigma_data", 0.5);
        return new(process, PredictionKind.X0, Grid, (_, _) => new ConsistencySampling())
        {
            Preconditioning = _ => new SignedEdm(data, Told: t => t),
            InitialStd = all => process.Sigma(all.Times[0]),
        };

        SchedulerTimes Grid(SchedulerRequest request, int n) => n != 2 ? throw new ArgumentException($"The consistency decoder makes 2 steps, not {n}.")
            : process.Steps <= 1008 ? throw new ArgumentException($"The consistency decoder begins at step 1008 of its table, which has {process.Steps} steps.")
            : Ending([1008, 512], process.DataTime);
    }

    /// <summary>sCM's (Lu and Song 2024): consistency sampling by the angle of the noise, whose standard deviation is that of the data.</summary>
    public static SchedulerPlan Trigonometric(SchedulerOptions options)
    {
        options.Whole("num_train_timesteps", 1000);
        options.Word("prediction_type", "trigflow");
        double data = options.Number("sigma_data", 0.5);
        return new(new TrigonometricFlow(), PredictionKind.V, (_, n) =>
        {
            // In two steps the one between is not in the middle.
            double[] angles = n == 2 ? [1.5708, 1.3, 0] : NoiseTable.Spaced(n + 1, 1.5708, 0);
            return new(angles, angles[..^1]);
        }, (_, _) => new ConsistencySampling(NoiseStd: data)) { InitialStd = _ => data };
    }

    // α = cos t, σ = sin t.
    private sealed class TrigonometricFlow : GaussianProcess
    {
        public override double MinTime => 1e-3;
        public override double MaxTime => Math.PI / 2;
        public override double Alpha(double t) => Math.Cos(t);
        public override double Sigma(double t) => Math.Sin(t);
        public override double AlphaDot(double t) => -Math.Sin(t);
        public override double SigmaDot(double t) => Math.Cos(t);
    }

    private static SchedulerTimes Ending(double[] times, double end) => new([.. times, end], times);

    private static (NoiseTable Table, Func<SchedulerRequest, int, double[]> Times) Distilled(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, start: 0.00085, end: 0.012, schedule: "scaled_linear");
        int trained = options.Whole("original_inference_steps", 50);
        // Neither is used where every step is one that the model was distilled at.
        options.Word("timestep_spacing", "leading", "trailing", "linspace");
        options.Whole("steps_offset", 0);
        options.Flag("set_alpha_to_one", true);
        if (trained < 1 || trained > table.Steps) throw options.Unsupported("original_inference_steps", $"choose 1 to {table.Steps}");
        int stride = table.Steps / trained;
        return (table, (request, n) => request.Timesteps is { } listed
            ? [.. listed]
            : n <= trained
            ? [.. Enumerable.Range(0, n).Select(i => (double)((trained - (int)Math.Floor(i * ((double)trained / n))) * stride - 1))]
            : throw new ArgumentException($"The model was distilled at {trained} steps; sample in at most as many."));
    }
}
