using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// Coordinates (y, u) in which the probability flow dx/dt = α' x̂_0 + σ' ε̂ is integrated: y = x/c(t), u = u(t). The flow is
/// the same in all of them; solvers are not.
/// </summary>
public abstract record FlowCoordinates
{
    private FlowCoordinates() { }

    /// <summary>x in the process's own time; a step to clean data needs a finite <see cref="GaussianProcess.DataTime"/>.</summary>
    public static FlowCoordinates Time { get; } = new InTime();

    /// <summary>x/α against σ/α, where dy/du = ε: Euler is DDIM, Heun EDM's algorithm 1. Needs α &gt; 0.</summary>
    public static FlowCoordinates Ratio { get; } = new InRatio();

    /// <summary>x/α against log(σ/α), where dy/du = (σ/α) ε. Needs α &gt; 0 and σ &gt; 0.</summary>
    public static FlowCoordinates LogRatio { get; } = new InLogRatio();

    /// <summary>x/√(α²+σ²) against the angle atan(σ/α), where dy/du = v of the unit-variance process: finite from data to pure noise.</summary>
    public static FlowCoordinates Angle { get; } = new InAngle();

    /// <summary>u(t).</summary>
    public abstract double Of(GaussianProcess process, double t);

    /// <summary>t(u).</summary>
    public abstract double TimeOf(GaussianProcess process, double u);

    /// <summary>c(t), with x = c y.</summary>
    public abstract double Scale(GaussianProcess process, double t);

    /// <summary>dy/du along the flow, at the prediction's x and time.</summary>
    public abstract Tensor Slope(Prediction prediction);

    private static double SigmaOverAlpha(GaussianProcess p, double t) => p.Sigma(t) / p.Alpha(t);

    private static double Norm(GaussianProcess p, double t) => Math.Sqrt(Math.Pow(p.Alpha(t), 2) + Math.Pow(p.Sigma(t), 2));

    private sealed record InTime : FlowCoordinates
    {
        public override double Of(GaussianProcess process, double t) => t;
        public override double TimeOf(GaussianProcess process, double u) => u;
        public override double Scale(GaussianProcess process, double t) => 1;
        public override Tensor Slope(Prediction prediction) => prediction.Velocity;
    }

    private sealed record InRatio : FlowCoordinates
    {
        public override double Of(GaussianProcess process, double t) => SigmaOverAlpha(process, t);
        public override double TimeOf(GaussianProcess process, double u) => process.TimeOfLambda(-Math.Log(u));
        public override double Scale(GaussianProcess process, double t) => process.Alpha(t);
        public override Tensor Slope(Prediction prediction) => prediction.Epsilon;
    }

    private sealed record InLogRatio : FlowCoordinates
    {
        public override double Of(GaussianProcess process, double t) => -process.Lambda(t);
        public override double TimeOf(GaussianProcess process, double u) => process.TimeOfLambda(-u);
        public override double Scale(GaussianProcess process, double t) => process.Alpha(t);
        public override Tensor Slope(Prediction prediction) => SigmaOverAlpha(prediction.Process, prediction.Time.Value) * prediction.Epsilon;
    }

    private sealed record InAngle : FlowCoordinates
    {
        public override double Of(GaussianProcess process, double t) => Math.Atan2(process.Sigma(t), process.Alpha(t));
        public override double TimeOf(GaussianProcess process, double u) => process.TimeOfLambda(-Math.Log(Math.Tan(u)));
        public override double Scale(GaussianProcess process, double t) => Norm(process, t);

        public override Tensor Slope(Prediction prediction)
        {
            var (process, t) = (prediction.Process, prediction.Time.Value);
            double a = process.Alpha(t), s = process.Sigma(t);
            // v is given as it is where the process has unit variance: no division by a small α or σ then.
            return Math.Abs(a * a + s * s - 1) < 1e-12 ? prediction.V : (a * prediction.Epsilon - s * prediction.X0) / Norm(process, t);
        }
    }
}
