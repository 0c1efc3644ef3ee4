using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// Extended reverse-time SDE solver (Cui et al. 2023, ER-SDE-Solver): an exponential integrator in x̂_0 of the family of reverse SDEs
/// that a noise scale φ(σ/α) picks, from the probability flow (φ = σ) over the usual reverse SDE (φ = σ²) to those between. One
/// evaluation a step; the derivatives of x̂_0 come from the steps before.
/// </summary>
/// <param name="Order">1 to 3: how many evaluations are used; the first steps have fewer.</param>
/// <param name="Scale">φ, growing at least as fast as σ; the paper's σ (exp(σ^0.3) + 10) if not given.</param>
/// <param name="NoiseStd">Standard deviation of the fresh noise, 1 where the process is to be followed.</param>
/// <remarks>
/// With D = x̂_0, r = σ/α and y = x/α, y_s = φ_s/φ_t y_t + φ_s ∫ φ'/φ² D dr + √(r_s² − r_t² φ_s²/φ_t²) z; D is the polynomial through the
/// last evaluations, whose derivatives are exact for it (the published code takes plain differences for the third order).
/// </remarks>
public sealed record ErSde(int Order = 3, Func<double, double>? Scale = null, double NoiseStd = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Order is < 1 or > 3) throw new ArgumentOutOfRangeException(nameof(Order), Order, "The order is 1 to 3.");
        var (process, path, phi) = (run.Process, FlowCoordinates.Ratio, Scale ?? (r => r * (Math.Exp(Math.Pow(r, 0.3)) + 10)));
        List<(double Ratio, Tensor X0)> past = []; // the last first
        return (x, t, s) =>
        {
            var prediction = run.Denoise(x, t);
            var x0 = prediction.X0;
            if (process.Sigma(s) == 0) return process.Alpha(s) * x0;
            // Out of pure noise the ratio is infinite, and what is kept of the noise has a limit.
            bool pure = process.Alpha(t) == 0;
            double from = pure ? 1e6 : path.Of(process, t), to = path.Of(process, s), kept = phi(to) / phi(from) * from;
            var next = x0 + kept * prediction.Epsilon;
            if (!pure && past.Count > 0 && Order > 1)
            {
                // φ_s ∫ φ'/φ² (r − r_t)^k/k! dr, integrated by parts.
                double Moment(int k, double factorial) => Math.Pow(to - from, k) / factorial
                    + phi(to) * GaussLegendre.Integrate(u => Math.Exp(u) / phi(Math.Exp(u)) * Math.Pow(Math.Exp(u) - from, k - 1) / (factorial / k), Math.Log(to), Math.Log(from));
                var slope = (x0 - past[0].X0) / (from - past[0].Ratio);
                if (past.Count > 1 && Order > 2)
                {
                    var bend = (slope - (past[0].X0 - past[1].X0) / (past[0].Ratio - past[1].Ratio)) / (from - past[1].Ratio);
                    slope = slope + (from - past[0].Ratio) * bend;
                    next = next + Moment(2, 2) * 2 * bend;
                }
                next = next + Moment(1, 1) * slope;
            }
            if (!pure)
            {
                Tensor? oldest = past.Count == Order ? past[^1].X0 : null;
                if (oldest is not null) past.RemoveAt(Order - 1);
                past.Insert(0, (from, run.Keep(x0, instead: oldest)));
            }
            // For the flow nothing is fresh, but for rounding.
            double fresh = (to - kept) * (to + kept);
            if (fresh > 1e-13 * to * to) next = next + NoiseStd * Math.Sqrt(fresh) * run.Noise(x, t, s);
            return process.Alpha(s) * next;
        };
    }
}
