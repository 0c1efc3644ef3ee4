using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>
/// Denoising: w(t) ‖prediction − target‖², the loss of DDPM (survey equation 4), NCSN (7), the SDEs (11), EDM and flow matching,
/// which differ in <paramref name="Weight"/> alone.
/// </summary>
/// <remarks>
/// The error is always taken on the network's own raw output F, whose target is linear in x_0 and ε with coefficients worked out
/// in double, and the weight is converted to it. So an ε network under an ε weighting is compared with the noise itself, and EDM's F
/// with a target of unit variance, while an x_0 weighting on a v network means exactly what it says.
/// </remarks>
/// <param name="Weight">The weighting of time; null for the plain error of the network's own output.</param>
/// <param name="Reduction">How the elements of a sample are joined.</param>
/// <param name="Norm">Squares, or absolute values of √w(t) times the error, so that one weighting means the same balance of kinds under both.</param>
public sealed record DenoisingObjective(Weighting? Weight = null, Reduction Reduction = Reduction.Mean, ErrorNorm Norm = ErrorNorm.Squared) : Objective
{
    /// <summary>
    /// The slot of the condition that says which elements of x_0 are judged, 1 there and 0 elsewhere, shaped as x_0: the rest may be unknown
    /// (any finite number). A mean is then over a sample's judged elements, and 0 where there are none. Null judges all.
    /// </summary>
    public string? JudgedSlot { get; init; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The noise or the times do not fit the batch, or the condition does not say what is judged.</exception>
    public override Tensor Loss(IDenoiser denoiser, Tensor x0, Condition condition, Times t, Tensor noise)
    {
        if (JudgedSlot is null) return base.Loss(denoiser, x0, condition, t, noise);
        NeedFit(x0, t, noise);
        var judged = condition[JudgedSlot] ?? throw new ArgumentException($"The condition has no slot '{JudgedSlot}', which says what is judged.", nameof(condition));
        if (!judged.shape.SequenceEqual(x0.shape))
            throw new ArgumentException($"The condition's '{JudgedSlot}' is [{string.Join(", ", judged.shape)}]; it must be shaped as the data, [{string.Join(", ", x0.shape)}].", nameof(condition));
        using var scope = NewDisposeScope();
        return Loss(denoiser.Denoise(denoiser.Process.Corrupt(x0, t, noise), t, condition), x0, noise, judged.to(x0.dtype)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Loss(Prediction prediction, Tensor x0, Tensor noise) => Loss(prediction, x0, noise, null);

    private Tensor Loss(Prediction prediction, Tensor x0, Tensor noise, Tensor? judged)
    {
        using var scope = NewDisposeScope();
        var (output, target) = (prediction.Output.to(x0.dtype), Target(prediction, x0, noise));
        var error = (Norm == ErrorNorm.Squared ? nn.functional.mse_loss(output, target, nn.Reduction.None) : nn.functional.l1_loss(output, target, nn.Reduction.None)).flatten(1);
        if (judged is not null) error = error * judged.flatten(1);
        var loss = Reduction != Reduction.Mean ? error.sum(1)
            : judged is null ? error.mean([1])
            : error.sum(1) / judged.flatten(1).sum(1).clamp_min(1);
        double half = Reduction == Reduction.HalfSum ? 0.5 : 1;
        var weights = prediction.Time.Select(t => half * (Norm == ErrorNorm.Squared ? WeightOfOutput(prediction, t) : Math.Sqrt(WeightOfOutput(prediction, t))));
        if (!weights.All(w => w == 1)) loss = loss * weights.Vector(w => w).to(loss.dtype).to(loss.device);
        return loss.MoveToOuterDisposeScope();
    }

    // F's target: (target of the kind − c_skip x_t) / c_out = a x_0 + b ε.
    private static Tensor Target(Prediction prediction, Tensor x0, Tensor noise)
    {
        var (process, kind, how) = (prediction.Process, prediction.Kind, prediction.Preconditioning);
        double Reduced(double t, double coefficient, Func<double, double> scale) =>
            how is null ? coefficient : (coefficient - how.Skip(process, t) * scale(t)) / how.Out(process, t);
        var ofX0 = prediction.Time.Select(t => Reduced(t, Targets.OfX0(process, t, kind), process.Alpha));
        var ofNoise = prediction.Time.Select(t => Reduced(t, Targets.OfNoise(process, t, kind), process.Sigma));
        if (ofX0.All(a => a == 0)) return Scaled(ofNoise, noise);
        if (ofNoise.All(b => b == 0)) return Scaled(ofX0, x0);
        return ofX0.As(x0) * x0 + ofNoise.As(x0) * noise;
    }

    private static Tensor Scaled(Times scale, Tensor value) => scale.All(s => s == 1) ? value : scale.As(value) * value;

    private double WeightOfOutput(Prediction prediction, double t)
    {
        if (Weight is null) return 1;
        double weight = Weight.Of(prediction.Process, t, prediction.Kind);
        if (prediction.Preconditioning is { } how) weight *= Math.Pow(how.Out(prediction.Process, t), 2);
        return double.IsFinite(weight) ? weight : throw new InvalidOperationException(
            $"The weight of {Weight} is {weight} at time {t} for a network that predicts {prediction.Kind}: "
            + "where there is no signal, or no noise, left, train another prediction (V is finite everywhere) or keep away from that time.");
    }
}

/// <summary>What each kind of prediction should be, as a combination of x_0 and ε, and how their errors are in proportion.</summary>
internal static class Targets
{
    /// <summary>The coefficient of x_0 in a kind's target.</summary>
    public static double OfX0(GaussianProcess process, double t, PredictionKind kind) => kind switch
    {
        PredictionKind.X0 => 1,
        PredictionKind.V => -process.Sigma(t),
        PredictionKind.Velocity => process.AlphaDot(t),
        _ => 0,
    };

    /// <summary>The coefficient of ε; the score's is −1/σ (the survey's equation 7 prints the target without the sign).</summary>
    public static double OfNoise(GaussianProcess process, double t, PredictionKind kind) => kind switch
    {
        PredictionKind.Epsilon => 1,
        PredictionKind.V => process.Alpha(t),
        PredictionKind.Score => -1 / process.Sigma(t),
        PredictionKind.Velocity => process.SigmaDot(t),
        _ => 0,
    };

    /// <summary>‖error of <paramref name="of"/>‖² / ‖error of <paramref name="to"/>‖², the same for every prediction at that time.</summary>
    public static double Ratio(GaussianProcess process, double t, PredictionKind of, PredictionKind to) =>
        of == to ? 1 : Math.Pow(Size(process, t, of) / Size(process, t, to), 2);

    // An error e of x_0 is one of −(α/σ) e of ε, and so on: the size of each, times σ.
    private static double Size(GaussianProcess process, double t, PredictionKind kind)
    {
        double alpha = process.Alpha(t), sigma = process.Sigma(t);
        return kind switch
        {
            PredictionKind.X0 => sigma,
            PredictionKind.Epsilon => alpha,
            PredictionKind.V => alpha * alpha + sigma * sigma,
            PredictionKind.Score => alpha / sigma,
            _ => process.AlphaDot(t) * sigma - process.SigmaDot(t) * alpha,
        };
    }
}
