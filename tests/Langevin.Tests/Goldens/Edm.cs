using System.Globalization;
using System.Text.RegularExpressions;
using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Samplers;
using static Langevin.Tests.Goldens.ScheduleGoldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>EDM's sampler and its ablations, all by composition: a process, a grid, and the probability flow.</summary>
internal static partial class EdmGoldens
{
    [Golden("edm", "edm_sampler")]
    internal static void Sampler(GoldenCase c)
    {
        // A note of the case may give the network's limits, or discrete levels, which limit and round.
        var levels = Levels(c);
        var (low, high) = levels is null ? Limits(c) : (levels.Sigmas[^2], levels.Sigmas[0]);
        var process = new EdmProcess(Math.Max(0.002, low), Math.Min(80, high));
        var grid = TimeGrid.Karras(process, c.Int("num_steps"));
        // Rounding may repeat a level: the reference then makes a step of no length.
        IReadOnlyList<double> times = levels is null ? grid.Times : [.. grid.Times.Take(grid.Steps).Select(s => levels.Sigmas[levels.NearestIndex(s)]), 0];
        Check(c, process, times, new ProbabilityFlow(2, Churn: ChurnOf(c)));
    }

    [Golden("edm2", "edm2_sampler")]
    internal static void Edm2Sampler(GoldenCase c)
    {
        // Autoguidance (Karras et al. 2024): what a weaker model says is moved away from.
        var process = new EdmProcess();
        using var model = c.Mixture(process);
        using var weaker = new GaussianMixture(process, ones(1, ScalarType.Float64), zeros_like(c["gm_means"].narrow(0, 0, 1)), c["guide_std"].view(1));
        var guided = model.GuidedBy(weaker, c.Double("guidance"));
        var sampler = new ProbabilityFlow(2, Churn: ChurnOf(c));
        var final = sampler.Run(guided, c["latents"] * 80, TimeGrid.Karras(process, c.Int("num_steps")), noise: c.Has("noise") ? new ReplayedNoise(c["noise"].unbind()) : null);
        c.Check("x_final", final);
    }

    [Golden("edm", "ablation_vp")]
    [Golden("edm", "ablation_ve")]
    [Golden("edm", "ablation_iddpm")]
    [Golden("edm", "ablation_edm")]
    [Golden("edm", "ablation_churn")]
    internal static void Ablation(GoldenCase c)
    {
        int n = c.Int("num_steps");
        // The noise levels, by the discretisation of each method ...
        var vp = VariancePreserving.Linear(0.1, 20, 1e-3);
        double Ratio(double t) => vp.Sigma(t) / vp.Alpha(t);
        var (low, high) = c.Text("discretization") switch
        {
            "vp" => (Ratio(1e-3), Ratio(1)),
            "ve" => (0.02, 100.0),
            "iddpm" => (0.002, 81.0),
            _ => (0.002, 80.0),
        };
        // ... with the linear β whose noise levels at 1e-3 and 1 are those ends ...
        double l0 = Math.Log(low * low + 1), l1 = Math.Log(high * high + 1), betaD = 2 * (l0 / 1e-3 - l1) / (1e-3 - 1), betaMin = l1 - 0.5 * betaD;
        var fitted = VariancePreserving.Linear(betaMin, betaMin + betaD, 1e-3);
        var edm = new EdmProcess(low, high);
        var sigmas = c.Text("discretization") switch
        {
            "vp" => TimeGrid.Uniform(fitted, n - 1).Sigmas(fitted),
            "ve" => TimeGrid.Exponential(edm, n).Times.Take(n),
            "iddpm" => Confirmed(c, Spread([.. SingleLevels().Where(s => s >= low && s <= high)], n)),
            _ => TimeGrid.Karras(edm, n).Times.Take(n),
        };
        // ... visited by a schedule σ(t) and a scale s(t), which are a process.
        GaussianProcess schedule = c.Text("schedule") switch
        {
            "vp" => fitted,
            "ve" => AdditiveNoise.Brownian(low, high),
            _ => edm,
        };
        var process = c.Text("scaling") == "vp" ? schedule.UnitVariance() : schedule.Unscaled();
        var sampler = new ProbabilityFlow(c.Text("solver") == "heun" ? 2 : 1, c.Double("alpha", 1), ChurnOf(c), FlowCoordinates.Time);
        Check(c, process, TimeGrid.FromSigmas(process, sigmas.Append(0)).Times, sampler);
    }

    private static void Check(GoldenCase c, GaussianProcess process, IReadOnlyList<double> times, ProbabilityFlow sampler)
    {
        using var mixture = c.Mixture(new EdmProcess());
        var network = new Recorder(mixture);
        var x = c["latents"] * process.Sigma(times[0]);
        var noise = c.Has("noise") ? new ReplayedNoise(Draws(c, process, times, sampler)) : null;
        var final = sampler.Drive(network.On(process), x, times.Zip(times.Skip(1)), noise);
        c.Check("net_sigmas", Vector(network.T));
        c.Check("x_steps", stack(network.X.ToArray()));
        c.Check("x_final", final);
    }

    // The reference draws at every step; ours where there is churn. Both play the same draw at the same step.
    private static IEnumerable<Tensor> Draws(GoldenCase c, GaussianProcess process, IReadOnlyList<double> times, ProbabilityFlow sampler)
    {
        for (int i = 0; i < times.Count - 1; i++)
        {
            double ratio = process.Sigma(times[i]) / process.Alpha(times[i]);
            if (sampler.Churn is { } churn && ratio >= churn.Min && ratio <= churn.Max) yield return c["noise"][i];
        }
    }

    private static Churn? ChurnOf(GoldenCase c) => c.Double("S_churn", 0) is > 0 and var amount
        ? new Churn(amount, c.Double("S_min", 0), c.Double("S_max", double.PositiveInfinity), c.Double("S_noise", 1))
        : null;

    // The published levels, whose ᾱ are in single precision.
    private static double[] SingleLevels(int m = 1000)
    {
        var bars = (arange(m + 1) * (0.5 * Math.PI) / m / 1.008).sin().square();
        var ratio = Doubles(bars.narrow(0, 0, m) / bars.narrow(0, 1, m));
        double product = 1;
        double[] rest = new double[m + 1]; // ᾱ_j/ᾱ_m, by the rounded ratios
        for (int j = m; j >= 0; j--)
        {
            rest[j] = product;
            if (j > 0) product *= ratio[j - 1];
        }
        return IddpmPreconditioning.Levels(0.001f, m, j => rest[j]);
    }

    // Single-precision levels differ in the last digit from machine to machine: ours are held to the case's, and the case's used.
    private static double[] Confirmed(GoldenCase c, double[] levels)
    {
        int stride = c.Text("solver") == "heun" ? 2 : 1;
        double[] own = [.. Doubles(c["net_sigmas"]).Where((_, k) => k % stride == 0)];
        c.Check("levels", Vector(own), Vector(levels));
        return own;
    }

    private static double[] Spread(double[] levels, int n) =>
        [.. Enumerable.Range(0, n).Select(i => levels[(int)Math.Round((levels.Length - 1.0) / (n - 1) * i)])];

    private static (double Low, double High) Limits(GoldenCase c) => NetLimits().Match(c.Notes) is { Success: true } m
        ? (Number(m.Groups[1]), Number(m.Groups[2]))
        : (0, double.PositiveInfinity);

    private static IddpmPreconditioning? Levels(GoldenCase c) => RoundTo().Match(c.Notes) is { Success: true } m
        ? new(Number(m.Groups[2]), Number(m.Groups[3]), (int)Number(m.Groups[1]))
        : null;

    private static double Number(Group group) => double.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"sigma_min=([\d.]+), sigma_max=([\d.]+) clamp")]
    private static partial Regex NetLimits();

    [GeneratedRegex(@"M=(\d+), C_1=([\d.]+), C_2=([\d.]+)")]
    private static partial Regex RoundTo();
}
