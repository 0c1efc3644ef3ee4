using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>
/// The variational bound on −log p(x_0) (Sohl-Dickstein et al. 2015; Ho et al. 2020; survey equation 3):
/// L_T = KL(q(x_T|x_0) ‖ p(x_T)), the steps L_n = KL(q(x_s|x_t, x_0) ‖ p(x_s|x_t)), and the decoder L_0 = −log p(x_0|x_1).
/// All in bits a dimension.
/// </summary>
/// <remarks>
/// As an objective it gives T times the term of the sample's own step, an estimate without bias of the whole bound (less
/// L_T, which has nothing to learn). A process that is not a table needs the times of a grid: <see cref="Evaluate"/>.
/// </remarks>
/// <param name="Variance">The variance of the reverse steps.</param>
/// <param name="Decoder">The likelihood of the last step; 8-bit data in [−1, 1] if not given.</param>
public sealed record VariationalBound(ReverseVariance Variance = ReverseVariance.Small, Decoder? Decoder = null) : Objective
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The process is not a table.</exception>
    public override Tensor Loss(Prediction prediction, Tensor x0, Tensor noise)
    {
        int steps = prediction.Process.StepCount
            ?? throw new ArgumentException("The bound as a training loss needs a process that is a table; train continuous ones with the likelihood weighting.", nameof(prediction));
        using var scope = NewDisposeScope();
        return (steps * Term(prediction, x0, prediction.Time.Select(t => t - 1))).MoveToOuterDisposeScope();
    }

    /// <summary>One term for each sample: the step from the prediction's time to s, or the decoder where s is clean data. [N], bits a dimension.</summary>
    /// <param name="prediction">The denoiser's answer at x_t.</param>
    /// <param name="x0">Clean data, [N, ...].</param>
    /// <param name="s">The time after the prediction's on the grid, nearer to data.</param>
    /// <param name="above">The time before it: see <see cref="ReverseKernel.Of"/>.</param>
    public Tensor Term(Prediction prediction, Tensor x0, Times s, double? above = null)
    {
        using var scope = NewDisposeScope();
        var (process, t, x) = (prediction.Process, prediction.Time, prediction.X);
        var kernel = ReverseKernel.Of(prediction, s, Variance, above);
        Tensor? step = null, decoder = null;
        bool IsData(double s) => s <= process.DataTime;
        if (!s.All(IsData))
        {
            var truth = ReverseKernel.Of(new Prediction(PredictionKind.X0, x0, x, process, t), s, ReverseVariance.Small, above);
            step = BitsPerDimension(Gaussians.Kl(truth.Mean, truth.LogVariance, kernel.Mean, kernel.LogVariance));
        }
        if (!s.All(s => !IsData(s)))
            decoder = BitsPerDimension(-(Decoder ?? Decoder.EightBit).LogLikelihood(x0, kernel.Mean, kernel.LogVariance));
        var term = step is null ? decoder! : decoder is null ? step
            : where(s.Vector(s => IsData(s) ? 1 : 0).to(x.device).gt(0.5), decoder, step);
        return term.MoveToOuterDisposeScope();
    }

    /// <summary>L_T: how far the corrupted data are from the prior at the largest time. [N], bits a dimension.</summary>
    /// <param name="process">The process.</param>
    /// <param name="x0">Clean data, [N, ...].</param>
    /// <param name="end">The largest time of the grid; the process's own if not given.</param>
    public static Tensor Prior(GaussianProcess process, Tensor x0, double? end = null)
    {
        using var scope = NewDisposeScope();
        double t = end ?? process.MaxTime;
        return BitsPerDimension(Gaussians.Kl(process.Alpha(t) * x0, tensor(2 * Math.Log(process.Sigma(t)), ScalarType.Float64),
            tensor(0.0, ScalarType.Float64), tensor(2 * Math.Log(process.PriorStd), ScalarType.Float64))).MoveToOuterDisposeScope();
    }

    /// <summary>The whole bound of a batch: every term, or an unbiased estimate from a few.</summary>
    /// <param name="denoiser">The model.</param>
    /// <param name="x0">Clean data, [N, ...].</param>
    /// <param name="condition">What the model is told besides.</param>
    /// <param name="times">The grid of the model's steps, descending, without clean data; every step of a table if not given.</param>
    /// <param name="terms">
    /// How many terms a sample is judged by: the grid is cut into strata, of which each sample draws one step; the decoder is always
    /// taken. All, if not given.
    /// </param>
    /// <param name="noise">Draws ε shaped as its argument, term by term; from <paramref name="seed"/> if not given.</param>
    /// <param name="seed">The seed of the steps and of the noise.</param>
    /// <exception cref="ArgumentException">No grid for a process that is not a table, or a number of terms outside [2, steps].</exception>
    public BoundEstimate Evaluate(IDenoiser denoiser, Tensor x0, Condition condition, IReadOnlyList<double>? times = null, int? terms = null,
        Func<Tensor, Tensor>? noise = null, long seed = 0)
    {
        var process = denoiser.Process;
        times ??= process.StepCount is { } steps
            ? [.. Enumerable.Range(0, steps).Select(n => (double)(steps - 1 - n))]
            : throw new ArgumentException("A process that is not a table needs the times of a grid.", nameof(times));
        if (terms is { } asked && (asked > times.Count || asked < Math.Min(2, times.Count)))
            throw new ArgumentOutOfRangeException(nameof(terms), asked, $"The bound of {times.Count} steps takes 2 to {times.Count} terms.");
        using var generator = new Generator((ulong)seed, x0.device);
        noise ??= like => randn(like.shape, like.dtype, like.device, generator: generator);

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var estimate = new BoundEstimate.Builder();
        int columns = terms ?? times.Count, count = (int)x0.shape[0];
        for (int k = 0; k < columns; k++)
        {
            using var inner = NewDisposeScope();
            // The last stratum is the decoder alone; the others share the rest of the grid as evenly as they can.
            int first = k * (times.Count - 1) / Math.Max(1, columns - 1), size = k == columns - 1 ? 1 : (k + 1) * (times.Count - 1) / (columns - 1) - first;
            if (k == columns - 1) first = times.Count - 1;
            var picked = new int[count];
            for (int i = 0; i < count; i++) picked[i] = size == 1 ? first : first + (int)(CounterRandom.Uniform(seed, k, i) * size);
            var t = size == 1 ? times[first] : Times.Each(Array.ConvertAll(picked, n => times[n]));
            double After(int n) => n + 1 < times.Count ? times[n + 1] : process.DataTime;
            var s = size == 1 ? After(first) : Times.Each(Array.ConvertAll(picked, After));
            var epsilon = noise(x0);
            var x = process.Corrupt(x0, t, epsilon);
            var prediction = denoiser.Denoise(x, t, condition);
            double? above = size > 1 ? null : first > 0 ? times[first - 1] : null;
            estimate.Add(size * Term(prediction, x0, s, above), BoundEstimate.MeanSquare(prediction.X0 - x0), BoundEstimate.MeanSquare(prediction.Epsilon - epsilon));
        }
        return estimate.Build(Prior(process, x0, times[0]));
    }

    /// <summary>The mean over all but the first dimension, from nats to bits.</summary>
    internal static Tensor BitsPerDimension(Tensor nats) => nats.flatten(1).mean([1]) / Math.Log(2);
}
