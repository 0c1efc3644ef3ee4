using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// DPM-Solver with adaptive steps in λ (Lu et al. 2022a, appendix C; k-diffusion's "DPM adaptive"), of order 2 or 3 with a step of one
/// order less beside it, under proportional–integral–derivative control. The grid says between which times: each step that is
/// accepted is streamed. A last step to clean data is of first order: begin it at a small noise level.
/// </summary>
/// <param name="Rtol">Relative tolerance of a step.</param>
/// <param name="Atol">Absolute tolerance of a step, in units of x.</param>
/// <param name="Order">2 or 3.</param>
/// <param name="Eta">η ≥ 0, the share of the posterior's standard deviation that is drawn afresh after each step.</param>
public sealed record DpmAdaptive(double Rtol = 0.05, double Atol = 0.0078, int Order = 3, double Eta = 0) : Sampler
{
    /// <summary>
    /// Whether ε̂ is integrated (DPM-Solver), or x̂_0 (DPM-Solver++), which stays near the data under strong guidance; that on the
    /// flow only, η = 0.
    /// </summary>
    public bool PredictsNoise { get; init; } = true;

    /// <summary>
    /// Whether the step follows the authors' own rule, h ← 0.9 h E^(−1/order), a step being accepted where its error E is at most 1,
    /// instead of the controller.
    /// </summary>
    public bool OwnRule { get; init; }

    /// <summary>The first step, in λ.</summary>
    public double FirstStep { get; init; } = 0.05;

    /// <summary>The controller's proportional coefficient.</summary>
    public double Proportional { get; init; }

    /// <summary>The controller's integral coefficient.</summary>
    public double Integral { get; init; } = 1;

    /// <summary>The controller's derivative coefficient.</summary>
    public double Derivative { get; init; }

    /// <summary>A step is accepted if the controller would not shrink it below this share.</summary>
    public double AcceptSafety { get; init; } = 0.81;

    /// <summary>Standard deviation of the fresh noise (s_noise).</summary>
    public double NoiseStd { get; init; } = 1;

    /// <summary>
    /// Whether the error is averaged over the batch as the published code does, instead of the worst sample's deciding. A sample depends
    /// on those beside it either way, within the tolerances.
    /// </summary>
    public bool BatchNorms { get; init; }

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Order is not (2 or 3)) throw new ArgumentOutOfRangeException(nameof(Order), Order, "The order is 2 or 3.");
        if (!(Rtol > 0) || !(Atol >= 0) || !(FirstStep > 0)) throw new ArgumentOutOfRangeException(nameof(Rtol), Rtol, "Tolerances and the first step must be positive.");
        if (!PredictsNoise && Eta > 0) throw new ArgumentOutOfRangeException(nameof(Eta), Eta, "In x̂_0 the adaptive solver follows the flow: η must be 0.");
        var (process, path) = (run.Process, FlowCoordinates.Ratio);
        var control = new Controller(this);
        Tensor? before = null; // what the lower order gave last, in units of x
        return (x, t, s) =>
        {
            var prediction = run.Denoise(x, t);
            if (process.Sigma(s) == 0) return Ddim.Draw(run, prediction, t, s, Eta, NoiseStd);
            if (process.Alpha(t) == 0)
            {
                // Out of pure noise λ = −∞: to σ/α = 1000 x̂_0 hardly changes.
                run.Reached = Math.Max(s, path.TimeOf(process, 1e3));
                return Ddim.Draw(run, prediction, t, run.Reached, Eta, NoiseStd);
            }
            double start = process.Lambda(t), end = process.Lambda(s);
            Tensor y = x / process.Alpha(t), epsilon = prediction.Epsilon;
            while (true)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                // No crumb is left before the end.
                bool last = start + control.Width > end - 1e-5;
                if (last && OwnRule) control.Width = end - start;
                double reached = last ? s : process.TimeOfLambda(start + control.Width), scale = process.Alpha(reached);
                if (!(reached < t)) throw new InvalidOperationException($"The adaptive solver's step fell to {control.Width:g3} at λ = {start:g6}: does the denoiser give NaN, or are the tolerances below its precision?");
                var (down, up) = DpmSolverSteps.Split(process, t, reached, Eta, path.Of(process, s));
                Tensor low, high;
                if (PredictsNoise)
                {
                    var steps = new DpmSolverSteps(run, y, epsilon, path.Of(process, t), down);
                    (low, high) = (scale * (Order == 2 ? steps.First(down) : steps.Second(1.0 / 3)), scale * steps.Of(Order));
                }
                else
                {
                    var steps = new DpmPlusPlusSteps(run, x, prediction.X0, t, reached);
                    (low, high) = (Order == 2 ? steps.First(reached) : steps.Second(1.0 / 3), steps.Of(Order));
                }
                var allowed = (Rtol * low.abs().maximum((before ?? x).abs())).clamp_min(Atol);
                if (!control.Accepts(Norm((low - high) / allowed))) continue;
                before = run.Keep(low, instead: before);
                run.Reached = reached;
                if (up > 0) high = high + scale * NoiseStd * up * run.Noise(x, t, reached);
                return high.MoveToOuterDisposeScope();
            }
        };
    }

    private double Norm(Tensor error)
    {
        var squares = error.flatten(1).square().mean([1]);
        return (BatchNorms ? squares.mean() : squares.max()).sqrt().to(ScalarType.Float64).item<double>();
    }

    // PID control of the step (k-diffusion): the width is multiplied by 1 + atan(f − 1), f a product of powers of the last three inverse errors.
    private sealed class Controller(DpmAdaptive options)
    {
        private double last, before; // inverse errors of the last accepted steps

        public double Width { get; set; } = options.FirstStep;

        public bool Accepts(double error)
        {
            if (options.OwnRule)
            {
                Width *= 0.9 * Math.Pow(double.IsFinite(error) ? error : 1e8, -1.0 / options.Order);
                return error <= 1;
            }
            double order = options.Eta > 0 ? 1.5 : options.Order, p = options.Proportional, i = options.Integral, d = options.Derivative;
            double inverse = double.IsFinite(error) ? 1 / (error + 1e-8) : 1e-8;
            if (last == 0) last = before = inverse;
            double factor = Math.Pow(inverse, (p + i + d) / order) * Math.Pow(last, -(p + 2 * d) / order) * Math.Pow(before, d / order);
            factor = 1 + Math.Atan(factor - 1);
            bool accepted = factor >= options.AcceptSafety;
            if (accepted) (before, last) = (last, inverse);
            Width *= factor;
            return accepted;
        }
    }
}
