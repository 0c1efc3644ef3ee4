using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>
/// Consistency (Song et al. 2023): x̂_0(x_t, t) is made what the target says at x_s, where s is the grid's next time below t and x_s lies on the
/// flow through x_t: by one step of Heun with a teacher (distillation, equation 7), or with x_0 and ε themselves (training, equation 10).
/// </summary>
/// <param name="Grid">Descending times; no sample's time may be at its last or below.</param>
/// <param name="Target">The target f⁻, as a running average of the model, which learns nothing here; the last step's if it is the model itself.</param>
/// <param name="Teacher">A denoiser whose flow is distilled; null trains without.</param>
/// <param name="Weight">The weighting of the error of x̂_0; null is none.</param>
/// <param name="Absolute">Whether the error is absolute (L1) and not squared (L2).</param>
public sealed record ConsistencyObjective(TimeGrid Grid, IDenoiser Target, IDenoiser? Teacher = null, Weighting? Weight = null, bool Absolute = false) : Objective
{
    /// <inheritdoc/>
    public override Tensor Loss(Prediction prediction, Tensor x0, Tensor noise) => Loss(prediction, x0, noise, Condition.None);

    /// <inheritdoc/>
    public override Tensor Loss(IDenoiser denoiser, Tensor x0, Condition condition, Times t, Tensor noise)
    {
        NeedFit(x0, t, noise);
        using var scope = NewDisposeScope();
        return Loss(denoiser.Denoise(denoiser.Process.Corrupt(x0, t, noise), t, condition), x0, noise, condition).MoveToOuterDisposeScope();
    }

    private Tensor Loss(Prediction prediction, Tensor x0, Tensor noise, Condition condition)
    {
        using var scope = NewDisposeScope();
        var (process, t) = (prediction.Process, prediction.Time);
        Tensor wanted;
        using (no_grad())
        {
            var s = t.Select(Next);
            wanted = Target.Denoise(Teacher is null ? process.Corrupt(x0, s, noise) : Follow(Teacher, prediction.X, t, s, condition), s, condition).X0;
        }
        var error = prediction.X0 - wanted;
        var loss = (Absolute ? error.abs() : error.square()).flatten(1).mean([1]);
        if (Weight is not null) loss = loss * t.Vector(u => Weight.Of(process, u, PredictionKind.X0)).to(loss.dtype).to(loss.device);
        return loss.MoveToOuterDisposeScope();
    }

    // d(x/α)/d(σ/α) = ε̂.
    private static Tensor Follow(IDenoiser teacher, Tensor x, Times t, Times s, Condition condition)
    {
        var process = teacher.Process;
        double Ratio(double u) => process.Sigma(u) / process.Alpha(u);
        var step = s.Zip(t, (low, high) => Ratio(low) - Ratio(high)).As(x);
        Tensor y = x / t.Map(process.Alpha, x), scale = s.Map(process.Alpha, x), slope = teacher.Denoise(x, t, condition).Epsilon;
        var there = teacher.Denoise(scale * (y + step * slope), s, condition).Epsilon;
        return scale * (y + step * 0.5 * (slope + there));
    }

    private double Next(double t)
    {
        foreach (double s in Grid.Times)
            if (s < t) return s;
        throw new ArgumentException($"The time {t} is not above the grid's last, {Grid.Times[^1]}: draw times above it.");
    }
}
