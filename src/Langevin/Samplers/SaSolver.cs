using Langevin.Processes;

namespace Langevin.Samplers;

/// <summary>
/// SA-Solver (Xue et al. 2023): stochastic Adams–Bashforth steps with a stochastic Adams–Moulton correction by the next step's
/// evaluation, for the reverse SDE whose noise has the factor τ(t): 0 is the flow, 1 the SDE of Song et al.
/// </summary>
/// <param name="Tau">τ of the time that a step begins at.</param>
/// <param name="PredictorOrder">1 to 4.</param>
/// <param name="CorrectorOrder">1 to 4, or 0 for none.</param>
/// <param name="PredictsNoise">Whether ε̂ is integrated instead of x̂_0.</param>
public sealed record SaSolver(Func<double, double> Tau, int PredictorOrder = 2, int CorrectorOrder = 2, bool PredictsNoise = false) : Sampler
{
    /// <summary>Whether the last steps are of lower order.</summary>
    public bool LowersOrderAtEnd { get; init; } = true;

    /// <summary>
    /// The authors' choice on any process: the SDE in the middle and the flow at both ends, where τ = 1 lies between the ratios σ/α = 0.7 and 25,
    /// which DDPM's linear table has at a fifth and four fifths of its time; predictor of order 3 and corrector of order 4, as they advise
    /// without guidance or with little.
    /// </summary>
    public static SaSolver Usual(GaussianProcess process) => new(t => process.Lambda(t) >= -Math.Log(25) && process.Lambda(t) <= -Math.Log(0.7) ? 1 : 0, 3, 4);

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (PredictorOrder is < 1 or > 4 || CorrectorOrder is < 0 or > 4)
            throw new ArgumentException($"SA-Solver predicts with order 1 to 4 and corrects with order 0 to 4, not {PredictorOrder} and {CorrectorOrder}.");
        var past = new SolverHistory(run, Math.Max(PredictorOrder, Math.Max(1, CorrectorOrder - 1)));
        TorchSharp.torch.Tensor? from = null, fresh = null;
        double before = 0;
        return (x, t, s) =>
        {
            var process = run.Process;
            var said = run.Denoise(x, t);
            var value = PredictsNoise ? said.Epsilon : said.X0;
            int left = run.Grid.Steps - run.Index, known = past.Usable;
            if (from is not null && CorrectorOrder > 0 && process.Alpha(before) > 0)
            {
                // A step's corrector has one order more to choose from than its predictor had: its own end.
                int order = Math.Min(LowersOrderAtEnd ? Math.Min(CorrectorOrder, left + 2) : CorrectorOrder, known + 1);
                var step = Step(before, t);
                double[] weights = step.Weights([process.Lambda(t), .. Enumerable.Range(0, order - 1).Select(i => past[i].Lambda)]);
                // At order 2 with x̂_0 the published code adds a term of O(h³).
                if (order == 2 && !PredictsNoise) Shift(weights, Rate(before) * step.Gain(2) / step.H);
                x = step.Scale * from + weights[0] * value + step.Noise * fresh!;
                for (int i = 1; i < order; i++) x += weights[i] * past[i - 1].Value;
            }
            past.Add(process.Lambda(t), value);
            (from, before) = (run.Keep(x, from), t);
            // Drawn at every step, so that what a sample gets later does not depend on τ.
            fresh = run.Keep(run.Noise(x), fresh);
            var ahead = Step(t, s);
            int predicted = double.IsInfinity(ahead.H) ? 1 : Math.Min(LowersOrderAtEnd ? Math.Min(PredictorOrder, left) : PredictorOrder, past.Usable);
            double[] gains = ahead.Weights([.. Enumerable.Range(0, predicted).Select(i => past[i].Lambda)]);
            if (predicted == 2 && !PredictsNoise) Shift(gains, Rate(t) * ahead.Gain(2) / (past[0].Lambda - past[1].Lambda));
            var next = ahead.Scale * x + ahead.Noise * fresh;
            for (int i = 0; i < predicted; i++) next += gains[i] * past[i].Value;
            return next;
        };

        ExponentialStep Step(double t, double s) => new(run.Process, t, s, PredictsNoise, Math.Pow(Tau(t), 2));
        double Rate(double t) => 1 + Math.Pow(Tau(t), 2);
    }

    private static void Shift(double[] weights, double by) => (weights[0], weights[1]) = (weights[0] + by, weights[1] - by);
}
