using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>How the divergence of the flow is found.</summary>
public enum DivergenceEstimator
{
    /// <summary>Hutchinson's eᵀ J e with e = ±1: unbiased, of the least variance.</summary>
    Rademacher,

    /// <summary>Hutchinson's eᵀ J e with standard normal e.</summary>
    Gaussian,

    /// <summary>The trace itself, by one product for each of the D dimensions: for small D.</summary>
    Exact,
}

/// <summary>
/// The exact log-likelihood of data under the probability flow (Song et al. 2021, section 4.3 and appendix D.2):
/// log p(x) = log p_T(z) + ∫ ∇·v dt, the flow carrying x at <see cref="GaussianProcess.MinTime"/> to its latent z.
/// </summary>
/// <param name="Rtol">Relative tolerance of the adaptive solver.</param>
/// <param name="Atol">Absolute tolerance of the adaptive solver.</param>
/// <param name="Divergence">How the divergence is found.</param>
/// <param name="Probes">Probes e of an estimated divergence; two or more give a standard error.</param>
/// <param name="Coordinates">What is integrated against what; <see cref="FlowCoordinates.Angle"/> if not given.</param>
public sealed record Likelihood(double Rtol = 1e-5, double Atol = 1e-5, DivergenceEstimator Divergence = DivergenceEstimator.Rademacher,
    int Probes = 1, FlowCoordinates? Coordinates = null)
{
    /// <summary>Evaluates a batch; the result's tensors are the caller's to dispose.</summary>
    /// <param name="denoiser">The model; what it says must depend on x differentiably.</param>
    /// <param name="x">Data [N, ...], as the model was trained on.</param>
    /// <param name="condition">What is known besides x.</param>
    /// <param name="noise">Where the probes come from.</param>
    /// <param name="from">The time at which x is taken to lie; the process's smallest if not given.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <exception cref="InvalidOperationException">The denoiser's answer does not depend on x differentiably.</exception>
    public LikelihoodResult Evaluate(IDenoiser denoiser, Tensor x, Condition? condition = null, INoise? noise = null, double? from = null,
        CancellationToken cancellation = default)
    {
        if (Probes < 1) throw new ArgumentOutOfRangeException(nameof(Probes), Probes, "Hutchinson's estimator needs at least one probe.");
        if (!double.IsFinite(denoiser.Process.PriorStd))
            throw new ArgumentException("The process ends in infinite noise, which has no prior: use one of finite σ, as its UnitVariance() form.", nameof(denoiser));
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (process, path) = (denoiser.Process, Coordinates ?? FlowCoordinates.Angle);
        double start = from ?? process.MinTime, end = process.MaxTime;
        long count = x.shape[0], size = x.numel() / count;
        var field = new FlowDivergence(denoiser, path, ProbesFor(x, noise ?? new SeededNoise(0)), condition ?? Condition.None, x);

        // The state is y and the integral of its divergence for each probe, in double: a sum of many small terms.
        var state = cat([(x.to(ScalarType.Float64) / path.Scale(process, start)).flatten(1), zeros(count, field.Integrals, ScalarType.Float64, x.device)], 1);
        var solver = new RungeKutta45(field.Slope, Rtol, Atol, cancellation);
        state = solver.Integrate(state, path.Of(process, start), path.Of(process, end));

        var z = state.narrow(1, 0, size) * path.Scale(process, end);
        double rescaling = size * Math.Log(path.Scale(process, end) / path.Scale(process, start)), variance = process.PriorStd * process.PriorStd;
        var change = state.narrow(1, size, field.Integrals) + rescaling;
        var prior = -0.5 * (z.square().sum(1) / variance + size * Math.Log(2 * Math.PI * variance));
        return new LikelihoodResult(
            (prior + change.mean([1])).MoveToOuterDisposeScope(),
            field.Integrals > 1 ? (change.std(1) / Math.Sqrt(field.Integrals)).MoveToOuterDisposeScope() : null,
            prior.MoveToOuterDisposeScope(),
            z.to(x.dtype).view(x.shape).MoveToOuterDisposeScope(),
            size, field.Evaluations);
    }

    // [P, N, ...], or null for the exact trace.
    private Tensor? ProbesFor(Tensor x, INoise noise)
    {
        if (Divergence == DivergenceEstimator.Exact) return null;
        var draws = stack([.. Enumerable.Range(0, Probes).Select(_ => noise.Next(x))]);
        // The sign of a draw, never 0.
        return Divergence == DivergenceEstimator.Rademacher ? (draws >= 0).to(x.dtype) * 2 - 1 : draws;
    }
}

/// <summary>Log-likelihoods of a batch by the probability flow.</summary>
/// <param name="LogLikelihood">log p(x) in nats, double [N].</param>
/// <param name="StandardError">Its standard error over the probes, double [N]; null for the exact trace or one probe.</param>
/// <param name="Prior">log p_T(z) under the prior, double [N].</param>
/// <param name="Latent">z, shaped as x.</param>
/// <param name="Dimensions">Number of dimensions D of one sample.</param>
/// <param name="Evaluations">Denoiser evaluations (each with its gradient).</param>
public sealed record LikelihoodResult(Tensor LogLikelihood, Tensor? StandardError, Tensor Prior, Tensor Latent, long Dimensions, int Evaluations) : IDisposable
{
    /// <summary>
    /// Bits per dimension of data that take <paramref name="levels"/> values spread over <paramref name="range"/>: a density is
    /// turned into a probability by the width of a bin, log2(levels/range). Add uniform noise of one bin's width to such data
    /// first (dequantisation), or the figure means nothing.
    /// </summary>
    /// <param name="levels">Number of values, 256 for 8-bit images.</param>
    /// <param name="range">Width of the interval they fill: 2 for [−1, 1], 1 for [0, 1].</param>
    /// <returns>Double [N].</returns>
    public Tensor BitsPerDimension(int levels = 256, double range = 2) =>
        LogLikelihood * (-1 / (Math.Log(2) * Dimensions)) + Math.Log2(levels / range);

    /// <inheritdoc/>
    public void Dispose()
    {
        LogLikelihood.Dispose();
        StandardError?.Dispose();
        Prior.Dispose();
        Latent.Dispose();
    }
}

/// <summary>The flow's slope together with its divergence, for a state [N, D + P] of y and P integrals.</summary>
internal sealed class FlowDivergence
{
    private readonly IDenoiser denoiser;
    private readonly FlowCoordinates path;
    private readonly Condition condition;
    private readonly Tensor probes; // [P, N, ...]
    private readonly ScalarType dtype;
    private readonly bool exact;

    public FlowDivergence(IDenoiser denoiser, FlowCoordinates path, Tensor? probes, Condition condition, Tensor x)
    {
        exact = probes is null;
        long size = x.numel() / x.shape[0];
        this.probes = probes ?? eye(size, dtype: x.dtype, device: x.device).view([size, 1, .. x.shape[1..]]).expand([size, .. x.shape]);
        (this.denoiser, this.path, dtype) = (denoiser, path, x.dtype);
        // Every probe has its own copy of the batch, so that one pass gives all products.
        this.condition = condition.Map((_, value) => Repeat(value));
    }

    /// <summary>Number of integrals P: one for the exact trace.</summary>
    public long Integrals => exact ? 1 : probes.shape[0];

    public int Evaluations { get; private set; }

    public Tensor Slope(Tensor state, double u)
    {
        Evaluations++;
        using var scope = NewDisposeScope();
        long copies = probes.shape[0], count = probes.shape[1];
        double t = path.TimeOf(denoiser.Process, u);
        var y = state.narrow(1, 0, state.shape[1] - Integrals).to(dtype).view(probes.shape[1..]);
        Tensor slope, products;
        using (enable_grad())
        {
            var input = Repeat(y).detach().requires_grad_();
            slope = path.Slope(denoiser.Denoise(path.Scale(denoiser.Process, t) * input, t, condition));
            var directions = probes.reshape(input.shape);
            products = (Autograd.Pull(slope, input, directions, "The denoiser's answer") * directions).view(copies, count, -1).sum(2).to(ScalarType.Float64);
        }
        var divergence = exact ? products.sum(0, keepdim: true) : products; // [P, N]
        var velocity = slope.detach().narrow(0, 0, count).flatten(1).to(ScalarType.Float64);
        return cat([velocity, divergence.t()], 1).MoveToOuterDisposeScope();
    }

    private Tensor Repeat(Tensor value)
    {
        long copies = probes.shape[0];
        return copies == 1 ? value : value.unsqueeze(0).expand([copies, .. value.shape]).reshape([copies * value.shape[0], .. value.shape[1..]]);
    }
}
