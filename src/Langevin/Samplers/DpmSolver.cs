using Langevin.Denoisers;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>How a second-order exponential integrator weighs the slope of f.</summary>
public enum SlopeWeight
{
    /// <summary>½ h gain_0: "midpoint" of diffusers, "dpmsolver" of the authors' code.</summary>
    Midpoint,

    /// <summary>gain_1, exact for a linear f: "heun" of diffusers, "taylor" of the authors' code.</summary>
    Exact,
}

/// <summary>How a third-order exponential integrator weighs the second divided difference of f.</summary>
public enum CurvatureWeight
{
    /// <summary>As published for DPM-Solver++(3M): gain_2, half of what a quadratic needs, so that order 2 is what is left at last.</summary>
    Published,

    /// <summary>2 gain_2, exact for a quadratic f: order 3, and DEIS's weights.</summary>
    Exact,

    /// <summary>gain_2 − α h², the sign slip in diffusers' stochastic third order, for the same digits as there.</summary>
    Slipped,
}

/// <summary>
/// DPM-Solver and DPM-Solver++ with several steps' memory and one evaluation a step (Lu et al. 2022): orders 1 to 3 in x̂_0 ("2M",
/// "3M") or ε̂, on the flow or, with η &gt; 0, on the reverse SDE. Steps to clean data are of order 1.
/// </summary>
/// <param name="Order">1, 2 or 3.</param>
/// <param name="PredictsNoise">Whether ε̂ is integrated (DPM-Solver) instead of x̂_0 (DPM-Solver++).</param>
/// <param name="Eta">Share of the reverse SDE: 0 is the flow, 1 the SDE.</param>
/// <param name="Slope">The weight of the slope at order 2.</param>
/// <param name="Curvature">The weight of the curvature at order 3.</param>
public sealed record DpmMultistep(int Order = 2, bool PredictsNoise = false, double Eta = 0,
    SlopeWeight Slope = SlopeWeight.Midpoint, CurvatureWeight Curvature = CurvatureWeight.Published) : Sampler
{
    /// <summary>Whether the last steps are of lower order (2, then 1), which is safer in few steps.</summary>
    public bool LowersOrderAtEnd { get; init; }

    /// <summary>Whether the last step is of order 1 in any case.</summary>
    public bool EndsInEuler { get; init; }

    /// <summary>Standard deviation of the noise; about 1.</summary>
    public double NoiseStd { get; init; } = 1;

    /// <summary>
    /// DEIS with a polynomial in log ρ (Zhang &amp; Chen 2023, "tAB"): since dρ = −e^−λ dλ it is DPM-Solver with exact weights.
    /// </summary>
    /// <param name="order">1, 2 or 3.</param>
    public static DpmMultistep Deis(int order = 3) => new(order, PredictsNoise: true, Slope: SlopeWeight.Exact, Curvature: CurvatureWeight.Exact);

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Order is not (1 or 2 or 3)) throw new ArgumentOutOfRangeException(nameof(Order), Order, "DPM-Solver has the orders 1, 2 and 3.");
        var past = new SolverHistory(run, Order);
        return (x, t, s) =>
        {
            var said = run.Denoise(x, t);
            past.Add(run.Process.Lambda(t), PredictsNoise ? said.Epsilon : said.X0);
            var step = new ExponentialStep(run.Process, t, s, PredictsNoise, Eta);
            int left = run.Grid.Steps - run.Index, order = LowersOrderAtEnd ? Math.Min(past.Count, left) : past.Count;
            if (double.IsInfinity(step.H) || (EndsInEuler && left == 1)) order = 1;
            var next = step.Scale * x + step.Gain0 * past[0].Value;
            if (order == 2) next += (Slope == SlopeWeight.Midpoint ? 0.5 * step.H * step.Gain0 : step.Gain(1)) * past.Slope(0, 1);
            if (order == 3)
            {
                var near = past.Slope(0, 1);
                var bend = (near - past.Slope(1, 2)) / (past[0].Lambda - past[2].Lambda);
                next += step.Gain(1) * (near + (past[0].Lambda - past[1].Lambda) * bend) + DpmSingleStep.Bend(step, Curvature) * bend;
            }
            return Eta > 0 && step.Noise > 0 ? next + NoiseStd * step.Noise * run.Noise(x, t, s) : next;
        };
    }
}

/// <summary>
/// DPM-Solver and DPM-Solver++ without memory (Lu et al. 2022, algorithms 1 and 2; "2S", "3S"): the grid's steps are taken in
/// groups of up to three; each step of a group begins again at the group's start and uses all evaluations made since, so that
/// the last of k steps is of order k. The inner times are the grid's own.
/// </summary>
/// <param name="Order">1, 2 or 3: the size of a group.</param>
/// <param name="PredictsNoise">Whether ε̂ is integrated (DPM-Solver) instead of x̂_0 (DPM-Solver++).</param>
/// <param name="Eta">Share of the reverse SDE: 0 is the flow, 1 the SDE.</param>
/// <param name="Slope">
/// The weight of the slope at the end of a group of two; of three, whether the curvature counts (exact) or the last slope alone (midpoint).
/// </param>
public sealed record DpmSingleStep(int Order = 2, bool PredictsNoise = false, double Eta = 0, SlopeWeight Slope = SlopeWeight.Midpoint) : Sampler
{
    /// <summary>The weight of the slope at the second step of a group of three; as <see cref="Slope"/> if not given.</summary>
    public SlopeWeight? InnerSlope { get; init; }

    /// <summary>The weight of the curvature in a group of three.</summary>
    public CurvatureWeight Curvature { get; init; } = CurvatureWeight.Exact;

    /// <summary>The place of each of the grid's steps in its group, counted from 1; <see cref="Groups"/> of the order if not given.</summary>
    public IReadOnlyList<int>? Places { get; init; }

    /// <summary>The places of n steps in groups of an order; what is left over at the end forms smaller groups.</summary>
    /// <param name="steps">n.</param>
    /// <param name="order">1, 2 or 3.</param>
    /// <param name="lowersOrderAtEnd">Whether the last group is a single step in any case.</param>
    public static int[] Groups(int steps, int order, bool lowersOrderAtEnd = false)
    {
        int[] places = [.. Enumerable.Range(0, steps).Select(i => i % order + 1)];
        if (!lowersOrderAtEnd || order == 1 || steps < 2) return places;
        // A group of three ends as two and one, a group of two as one and one.
        if (places[^1] == order) places[^1] = 1;
        return places;
    }

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Order is not (1 or 2 or 3)) throw new ArgumentOutOfRangeException(nameof(Order), Order, "DPM-Solver has the orders 1, 2 and 3.");
        var places = Places ?? Groups(run.Grid.Steps, Order);
        if (places.Count != run.Grid.Steps) throw new ArgumentException($"The grid has {run.Grid.Steps} steps, and {places.Count} places in groups are given.");
        var past = new SolverHistory(run, Order);
        Tensor? start = null;
        double[] times = new double[Order]; // of the last evaluations, newest first
        return (x, t, s) =>
        {
            var said = run.Denoise(x, t);
            past.Add(run.Process.Lambda(t), PredictsNoise ? said.Epsilon : said.X0);
            for (int i = Order - 1; i > 0; i--) times[i] = times[i - 1];
            times[0] = t;
            int place = Math.Min(places[run.Index], past.Count);
            if (place > 1 && (run.Process.Sigma(s) == 0 || run.Process.Alpha(times[place - 1]) == 0)) place = 1;
            if (place == 1) start = run.Keep(x, start);
            var step = new ExponentialStep(run.Process, times[place - 1], s, PredictsNoise, Eta);
            var next = step.Scale * start! + step.Gain0 * past[place - 1].Value;
            if (place == 2)
            {
                var weight = places.Count > run.Index + 1 && places[run.Index + 1] == 3 ? InnerSlope ?? Slope : Slope;
                next += (weight == SlopeWeight.Midpoint ? 0.5 * step.H * step.Gain0 : step.Gain(1)) * past.Slope(0, 1);
            }
            if (place == 3)
            {
                var far = past.Slope(0, 2);
                if (Slope == SlopeWeight.Midpoint) next += step.Gain(1) * far;
                else
                {
                    double near = past[1].Lambda - past[2].Lambda, width = past[0].Lambda - past[1].Lambda;
                    var bend = (far - past.Slope(1, 2)) / width;
                    next += step.Gain(1) * (far - (near + width) * bend) + Bend(step, Curvature, single: true) * bend;
                }
            }
            return Eta > 0 && step.Noise > 0 ? next + step.Noise * run.Noise(x) : next;
        };
    }

    // The weight of the second divided difference.
    internal static double Bend(ExponentialStep step, CurvatureWeight weight, bool single = false) => weight switch
    {
        CurvatureWeight.Exact => 2 * step.Gain(2),
        CurvatureWeight.Published => step.Gain(2),
        _ => (single ? 2 : 1) * (step.Gain(2) - step.Outer * step.H * step.H),
    };
}
