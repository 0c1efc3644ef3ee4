using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>
/// The variational bound in the limit of ever finer steps (Kingma et al. 2021, VDM): with λ = log(α/σ), L_T + ∫ E‖ε − ε̂‖² dλ + L_0, the
/// same for every schedule but for its ends. In bits a dimension.
/// </summary>
/// <remarks>It needs a prediction at any time between the process's smallest and largest. Its training loss is the likelihood weighting.</remarks>
/// <param name="Decoder">The likelihood of data at the smallest time, N(x̂_0, σ²/α²); 8-bit data in [−1, 1] if not given.</param>
public sealed record ContinuousBound(Decoder? Decoder = null)
{
    /// <summary>Whether the decoder's Gaussian lies about x/α, what was seen, and not about the x̂_0 that the network makes of it.</summary>
    public bool FromObservation { get; init; }

    /// <summary>An unbiased estimate of the bound for a batch, by stratified points in λ.</summary>
    /// <param name="denoiser">The model.</param>
    /// <param name="x0">Clean data, [N, ...].</param>
    /// <param name="condition">What the model is told besides.</param>
    /// <param name="points">How many noise levels each sample is judged at, besides the decoder.</param>
    /// <param name="noise">Draws ε shaped as its argument; from <paramref name="seed"/> if not given.</param>
    /// <param name="seed">The seed of the levels and of the noise.</param>
    /// <exception cref="ArgumentException">The largest time has no signal at all, so that λ is infinite there.</exception>
    public BoundEstimate Evaluate(IDenoiser denoiser, Tensor x0, Condition condition, int points = 32, Func<Tensor, Tensor>? noise = null, long seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(points, 1);
        var process = denoiser.Process;
        double low = process.Lambda(process.MaxTime), high = process.Lambda(process.MinTime), width = (high - low) / points;
        if (!double.IsFinite(width)) throw new ArgumentException("The process has no signal at its largest time (or no noise at its smallest): the continuous bound needs both.", nameof(denoiser));
        using var generator = new Generator((ulong)seed, x0.device);
        noise ??= like => randn(like.shape, like.dtype, like.device, generator: generator);

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var estimate = new BoundEstimate.Builder();
        int count = (int)x0.shape[0];
        for (int k = 0; k <= points; k++)
        {
            using var inner = NewDisposeScope();
            Times t = process.MinTime;
            if (k < points)
            {
                var each = new double[count];
                for (int i = 0; i < count; i++) each[i] = process.TimeOfLambda(low + (k + CounterRandom.Uniform(seed, k, i)) * width);
                t = Times.Each(each);
            }
            var epsilon = noise(x0);
            var prediction = denoiser.Denoise(process.Corrupt(x0, t, epsilon), t, condition);
            var error = BoundEstimate.MeanSquare(prediction.Epsilon - epsilon);
            var term = k < points ? error * (width / Math.Log(2)) : VariationalBound.BitsPerDimension(
                -(Decoder ?? Decoder.EightBit).LogLikelihood(x0, FromObservation ? prediction.X / process.Alpha(process.MinTime) : prediction.X0, tensor(-2 * high, ScalarType.Float64)));
            estimate.Add(term, BoundEstimate.MeanSquare(prediction.X0 - x0), error);
        }
        return estimate.Build(VariationalBound.Prior(process, x0));
    }
}
