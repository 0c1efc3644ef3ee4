using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>What a prediction states about the clean sample and the noise.</summary>
public enum PredictionKind
{
    /// <summary>The noise ε.</summary>
    Epsilon,

    /// <summary>The clean sample x_0 (the denoiser D of EDM).</summary>
    X0,

    /// <summary>v = α ε − σ x_0 (Salimans &amp; Ho 2022).</summary>
    V,

    /// <summary>The score ∇ log p_t(x) = −ε/σ.</summary>
    Score,

    /// <summary>The velocity dx/dt = α' x_0 + σ' ε of the probability flow (flow matching: ε − x_0 on the straight path).</summary>
    Velocity,
}

/// <summary>How a network that also predicts the variance of the reverse step encodes it.</summary>
public enum VarianceKind
{
    /// <summary>The log variance itself.</summary>
    Learned,

    /// <summary>In [−1, 1], from log β̃ to log β (Nichol &amp; Dhariwal 2021, equation 15).</summary>
    LearnedRange,
}

/// <summary>
/// A denoiser's answer at one x_t, read as ε, x_0, v, score or velocity by (α, σ) whatever it was given as.
/// </summary>
/// <remarks>
/// Conversions are exact, and made when asked for in the current dispose scope; one is made again only if that scope has ended.
/// </remarks>
public sealed class Prediction
{
    private readonly Tensor?[] views = new Tensor?[5];
    private readonly Tensor? output;
    private Tensor? alpha, sigma, alphaDot, sigmaDot;

    /// <summary>A prediction of a kind at x_t.</summary>
    /// <param name="kind">What <paramref name="value"/> is.</param>
    /// <param name="value">[N, ...], shaped as x.</param>
    /// <param name="x">The noisy sample x_t.</param>
    /// <param name="process">The process that made x_t.</param>
    /// <param name="t">The time of x_t.</param>
    /// <param name="variance">The network's variance output, shaped as x.</param>
    /// <param name="varianceKind">What <paramref name="variance"/> is.</param>
    public Prediction(PredictionKind kind, Tensor value, Tensor x, GaussianProcess process, Times t,
        Tensor? variance = null, VarianceKind varianceKind = VarianceKind.LearnedRange)
    {
        (Kind, X, Process, Time, Variance, VarianceKind) = (kind, x, process, t, variance, varianceKind);
        views[(int)kind] = value;
    }

    /// <summary>A prediction that a network's raw output makes through its preconditioning, c_skip x + c_out F.</summary>
    /// <param name="preconditioning">How the output is read.</param>
    /// <param name="output">F, [N, ...], shaped as x.</param>
    /// <param name="x">The noisy sample x_t.</param>
    /// <param name="process">The process that made x_t.</param>
    /// <param name="t">The time of x_t.</param>
    /// <param name="variance">The network's variance output, shaped as x.</param>
    /// <param name="varianceKind">What <paramref name="variance"/> is.</param>
    public Prediction(Preconditioning preconditioning, Tensor output, Tensor x, GaussianProcess process, Times t,
        Tensor? variance = null, VarianceKind varianceKind = VarianceKind.LearnedRange)
    {
        (Kind, X, Process, Time, Variance, VarianceKind) = (preconditioning.Kind, x, process, t, variance, varianceKind);
        if (preconditioning.IsPlain) views[(int)Kind] = output;
        else (Preconditioning, this.output) = (preconditioning, output);
    }

    /// <summary>A prediction given as x_0 and ε both, as a closed form gives them, so that neither suffers from the other's cancellation.</summary>
    /// <param name="x0">The clean sample, shaped as x.</param>
    /// <param name="epsilon">The noise, shaped as x.</param>
    /// <param name="x">The noisy sample x_t.</param>
    /// <param name="process">The process that made x_t.</param>
    /// <param name="t">The time of x_t.</param>
    /// <param name="variance">The network's variance output, shaped as x.</param>
    /// <param name="varianceKind">What <paramref name="variance"/> is.</param>
    public Prediction(Tensor x0, Tensor epsilon, Tensor x, GaussianProcess process, Times t,
        Tensor? variance = null, VarianceKind varianceKind = VarianceKind.LearnedRange)
        : this(PredictionKind.X0, x0, x, process, t, variance, varianceKind) => views[(int)PredictionKind.Epsilon] = epsilon;

    /// <summary>The kind the prediction was given as.</summary>
    public PredictionKind Kind { get; }

    /// <summary>The prediction as it was given.</summary>
    public Tensor Value => Live(views[(int)Kind]) ?? (Preconditioning is null ? views[(int)Kind]! : views[(int)Kind] = Preconditioned());

    /// <summary>How <see cref="Output"/> is read, or null where it is the value itself.</summary>
    public Preconditioning? Preconditioning { get; }

    /// <summary>The network's raw output F, which a loss compares with F's own target; the value where there is no preconditioning.</summary>
    public Tensor Output => output ?? Value;

    /// <summary>The noisy sample x_t.</summary>
    public Tensor X { get; }

    /// <summary>The process that made x_t.</summary>
    public GaussianProcess Process { get; }

    /// <summary>The time of x_t.</summary>
    public Times Time { get; }

    /// <summary>The network's raw variance output, or null where it predicts none.</summary>
    public Tensor? Variance { get; }

    /// <summary>What <see cref="Variance"/> is.</summary>
    public VarianceKind VarianceKind { get; }

    /// <summary>The clean sample x_0.</summary>
    public Tensor X0 => View(PredictionKind.X0);

    /// <summary>The noise ε.</summary>
    public Tensor Epsilon => View(PredictionKind.Epsilon);

    /// <summary>v = α ε − σ x_0.</summary>
    public Tensor V => View(PredictionKind.V);

    /// <summary>The score −ε/σ.</summary>
    public Tensor Score => View(PredictionKind.Score);

    /// <summary>The probability-flow velocity α' x_0 + σ' ε.</summary>
    public Tensor Velocity => View(PredictionKind.Velocity);

    /// <summary>The prediction read as any kind.</summary>
    public Tensor View(PredictionKind kind) => kind == Kind ? Value : Live(views[(int)kind]) ?? (views[(int)kind] = Convert(kind));

    /// <summary>The same answer with another value, as guidance and thresholding give it; the learned variance stays.</summary>
    public Prediction With(PredictionKind kind, Tensor value) => new(kind, value, X, Process, Time, Variance, VarianceKind);

    /// <summary>The same answer with no gradient through its value; the learned variance keeps its own.</summary>
    public Prediction Detached() => Preconditioning is { } p
        ? new(p, Output.detach(), X, Process, Time, Variance, VarianceKind)
        : With(Kind, Value.detach());

    /// <summary>
    /// The same answer with another clean sample, as clamping and thresholding give it. ε follows from it, or stays as it was.
    /// </summary>
    /// <param name="x0">[N, ...], shaped as x.</param>
    /// <param name="keepEpsilon">Whether ε stays that of this prediction.</param>
    public Prediction WithX0(Tensor x0, bool keepEpsilon = false) =>
        keepEpsilon ? new(x0, Epsilon, X, Process, Time, Variance, VarianceKind) : With(PredictionKind.X0, x0);

    private Tensor Alpha => Live(alpha) ?? (alpha = Time.Map(Process.Alpha, X));
    private Tensor Sigma => Live(sigma) ?? (sigma = Time.Map(Process.Sigma, X));
    private Tensor AlphaDot => Live(alphaDot) ?? (alphaDot = Time.Map(Process.AlphaDot, X));
    private Tensor SigmaDot => Live(sigmaDot) ?? (sigmaDot = Time.Map(Process.SigmaDot, X));

    // What was cached in a dispose scope that has ended is gone.
    private static Tensor? Live(Tensor? cached) => cached is { IsInvalid: false } ? cached : null;

    private Tensor Preconditioned()
    {
        using var scope = NewDisposeScope();
        var value = Time.Map(t => Preconditioning!.Out(Process, t), X) * output!;
        if (Preconditioning!.HasSkip) value = value + Time.Map(t => Preconditioning.Skip(Process, t), X) * X;
        return value.MoveToOuterDisposeScope();
    }

    private Tensor Convert(PredictionKind kind)
    {
        using var scope = NewDisposeScope();
        Tensor a = Alpha, s = Sigma, value = Value;
        var view = (kind, Kind) switch
        {
            (PredictionKind.X0, PredictionKind.Epsilon) => Time.Map(t => 1 / Process.Alpha(t), X) * X - Time.Map(t => Process.Sigma(t) / Process.Alpha(t), X) * value,
            (PredictionKind.X0, PredictionKind.V) => (a * X - s * value) / (a * a + s * s),
            (PredictionKind.X0, PredictionKind.Score) => (X + s * s * value) / a,
            (PredictionKind.X0, PredictionKind.Velocity) => (SigmaDot * X - s * value) / (a * SigmaDot - AlphaDot * s),
            (PredictionKind.Epsilon, PredictionKind.X0) => (X - a * value) / s,
            (PredictionKind.Epsilon, PredictionKind.V) => (s * X + a * value) / (a * a + s * s),
            (PredictionKind.Epsilon, PredictionKind.Score) => -s * value,
            (PredictionKind.Epsilon, PredictionKind.Velocity) => (a * value - AlphaDot * X) / (a * SigmaDot - AlphaDot * s),
            (PredictionKind.V, _) => a * Epsilon - s * X0,
            (PredictionKind.Score, _) => -Epsilon / s,
            _ => AlphaDot * X0 + SigmaDot * Epsilon,
        };
        // What was cached on the way is used again: keep it, and the coefficients, for as long as the prediction's scope.
        foreach (var kept in views.Append(alpha).Append(sigma).Append(alphaDot).Append(sigmaDot))
            if (Live(kept) is { } live && scope.Contains(live)) live.MoveToOuterDisposeScope();
        return view.MoveToOuterDisposeScope();
    }
}
