namespace Langevin.Processes;

/// <summary>
/// Another process's noise-to-signal ratio with another scale of the signal: unit variance (α² + σ² = 1) or unit signal
/// (α = 1). See <see cref="GaussianProcess.UnitVariance"/> and <see cref="GaussianProcess.Unscaled"/>.
/// </summary>
internal sealed class RescaledProcess(GaussianProcess inner, bool preserving) : GaussianProcess
{
    public override double MinTime => inner.MinTime;
    public override double MaxTime => inner.MaxTime;
    public override double DataTime => inner.DataTime;
    public override int? StepCount => inner.StepCount;
    public override double PriorStd => preserving ? 1 : Sigma(MaxTime);
    public override double Lambda(double t) => inner.Lambda(t);
    public override double TimeOfLambda(double lambda) => inner.TimeOfLambda(lambda);
    public override double Alpha(double t) => preserving ? inner.Alpha(t) / Norm(t) : 1;
    public override double Sigma(double t) => inner.Sigma(t) / (preserving ? Norm(t) : inner.Alpha(t));
    public override double AlphaDot(double t) => preserving ? -inner.Sigma(t) * Turn(t) / Math.Pow(Norm(t), 3) : 0;

    public override double SigmaDot(double t) =>
        preserving ? inner.Alpha(t) * Turn(t) / Math.Pow(Norm(t), 3) : Turn(t) / Math.Pow(inner.Alpha(t), 2);

    private double Norm(double t) => Math.Sqrt(Math.Pow(inner.Alpha(t), 2) + Math.Pow(inner.Sigma(t), 2));

    // α² d(σ/α)/dt
    private double Turn(double t) => inner.Alpha(t) * inner.SigmaDot(t) - inner.AlphaDot(t) * inner.Sigma(t);
}
