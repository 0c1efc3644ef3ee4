using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// The probability-flow ODE by adaptive Runge–Kutta 5(4) (Song et al. 2021, section 4.3): as exact as its tolerances. The grid
/// says only where the solver reports: two times are enough, more give states to look at. In a grid that ends at clean data the
/// denoiser's x_0 takes the place of the flow below the process's smallest time.
/// </summary>
/// <param name="Rtol">Relative tolerance of a step.</param>
/// <param name="Atol">Absolute tolerance of a step.</param>
/// <param name="Coordinates">What is integrated against what; <see cref="FlowCoordinates.Angle"/> if not given.</param>
/// <remarks>The worst sample of a batch sets the step, so that a sample depends on its batch within the tolerances.</remarks>
public sealed record DormandPrince(double Rtol = 1e-5, double Atol = 1e-5, FlowCoordinates? Coordinates = null) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (!(Rtol > 0) || !(Atol >= 0)) throw new ArgumentOutOfRangeException(nameof(Rtol), Rtol, "Tolerances must be positive.");
        var (process, path) = (run.Process, Coordinates ?? FlowCoordinates.Angle);
        var solver = new RungeKutta45((y, u) =>
        {
            double t = path.TimeOf(process, u);
            return path.Slope(run.Denoise(path.Scale(process, t) * y, t));
        }, Rtol, Atol, run.Cancellation);
        Tensor Flow(Tensor x, double t, double s) => path.Scale(process, s) * solver.Integrate(x / path.Scale(process, t), path.Of(process, t), path.Of(process, s));
        return (x, t, s) =>
        {
            double last = Math.Min(t, process.MinTime);
            // Nothing was learned below the process's smallest time, and ε of a predicted x_0 is 0/0 at data: the denoiser goes the rest of the way.
            return s < last && process.Sigma(s) == 0 ? run.Denoise(last < t ? Flow(x, t, last) : x, last).X0 : Flow(x, t, s);
        };
    }
}
