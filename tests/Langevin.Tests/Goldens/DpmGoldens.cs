using Langevin.Processes;
using Langevin.Samplers;
using static Langevin.Tests.Goldens.ScheduleGoldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>DPM-Solver(++) and UniPC as their authors' code runs them, and k-diffusion's multistep forms.</summary>
internal static class DpmGoldens
{
    [Golden("dpm_official", "schedule")]
    internal static void Schedule(GoldenCase c)
    {
        var (process, own, theirs) = Process(c);
        double[] t = Doubles(c["t"]);
        c.Check("log_alpha", Vector(t.Select(u => process.LogAlpha(own(u)))));
        c.Check("alpha", Vector(t.Select(u => process.Alpha(own(u)))));
        c.Check("sigma", Vector(t.Select(u => process.Sigma(own(u)))));
        c.Check("lam", Vector(t.Select(u => process.Lambda(own(u)))));
        c.Check("inverse_lambda", Vector(Doubles(c["lam"]).Select(l => theirs(process.TimeOfLambda(l)))), relative: 1e-8);
    }

    [Golden("dpm_official", "dpm_multistep")]
    internal static void Multistep(GoldenCase c)
    {
        int steps = c.Int("steps");
        var (noise, slope) = Type(c);
        // Lower orders end runs of fewer than ten steps.
        var sampler = new DpmMultistep(c.Int("order"), noise, Slope: slope) { LowersOrderAtEnd = steps < 10 };
        Check(c, sampler, Grid(c, [.. Enumerable.Repeat(1, steps)], steps), 1);
    }

    [Golden("dpm_official", "dpm_singlestep")]
    [Golden("dpm_official", "dpm_singlestep_fixed")]
    internal static void SingleStep(GoldenCase c)
    {
        int steps = c.Int("steps"), order = c.Int("order");
        var (noise, slope) = Type(c);
        int[] places = DpmSingleStep.Groups(steps, order, lowersOrderAtEnd: order == 3 && c.Text("method") == "singlestep");
        int[] groups = [.. places.Where((p, i) => i + 1 == places.Length || places[i + 1] == 1)];
        var sampler = new DpmSingleStep(order, noise, Slope: slope) { Places = places, InnerSlope = SlopeWeight.Exact };
        Check(c, sampler, Grid(c, groups, steps), 0, [.. groups.Select((_, i) => groups.Take(i + 1).Sum())]);
    }

    [Golden("dpm_official", "dpm_adaptive")]
    internal static void Adaptive(GoldenCase c)
    {
        var (process, _, _) = Process(c);
        using var mixture = c.Mixture(process);
        var recorder = new Recorder(mixture);
        var sampler = new DpmAdaptive(c.Double("rtol"), c.Double("atol"), c.Int("order")) { OwnRule = true, PredictsNoise = Type(c).Noise };
        using var end = sampler.Run(recorder, c["x_T"], new TimeGrid([process.MaxTime, c.Double("t_end")]));
        // Theirs rounds E^(−1/order), and so its steps, to single precision.
        const double rounded = 2e-7;
        // After a step that is refused theirs asks again what it knows.
        double[] times = Doubles(c["model_t"]);
        int[] first = [.. Enumerable.Range(0, times.Length).Where(i => Array.IndexOf(times, times[i]) == i)];
        c.Check("model_t", Vector(first.Select(i => times[i])), Vector(recorder.T), absolute: rounded);
        c.Check("model_x", stack(first.Select(i => c["model_x"][i]).ToArray()), stack(recorder.X.ToArray()), absolute: rounded);
        c.Check("x_final", end, absolute: rounded);
        Assert.Equal(c.Int("nfe"), times.Length);
    }

    [Golden("dpm_official", "unipc")]
    internal static void UniPc(GoldenCase c)
    {
        var variant = c.Text("variant") switch { "bh1" => UniPcVariant.Bh1, "bh2" => UniPcVariant.Bh2, _ => UniPcVariant.VaryingCoefficients };
        int steps = c.Int("steps");
        Check(c, new UniPc(c.Int("order"), c.Text("algorithm_type") == "noise_prediction", variant), Grid(c, [.. Enumerable.Repeat(1, steps)], steps), 1);
    }

    [Golden("samplers", "sample_dpmpp_2m")]
    internal static void TwoSteps(GoldenCase c) => Check(c, new DpmMultistep());

    [Golden("samplers", "sample_dpmpp_2m_sde")]
    internal static void TwoStepsStochastic(GoldenCase c) =>
        Check(c, new DpmMultistep(2, Eta: c.Double("eta", 1), Slope: c.Text("solver_type") == "heun" ? SlopeWeight.Exact : SlopeWeight.Midpoint) { NoiseStd = c.Double("s_noise", 1) });

    [Golden("samplers", "sample_dpmpp_3m_sde")]
    internal static void ThreeStepsStochastic(GoldenCase c) =>
        Check(c, new DpmMultistep(3, Eta: c.Double("eta", 1), Slope: SlopeWeight.Exact) { NoiseStd = c.Double("s_noise", 1) });

    private static void Check(GoldenCase c, Sampler sampler)
    {
        var process = new EdmProcess();
        using var mixture = c.Mixture(process);
        var recorder = new Recorder(mixture);
        var noise = c.Has("noise") ? new ReplayedNoise(c["noise"].unbind(0)) : new ReplayedNoise([]);
        List<Tensor> states = [c["x_init"]];
        foreach (var step in sampler.Steps(recorder, c["x_init"], new TimeGrid(Doubles(c["sigmas"])), noise: noise)) states.Add(step.X.clone());
        c.Check("model_sigmas", Vector(recorder.T), absolute: 1e-8);
        c.Check("denoised", stack(recorder.X0.ToArray()), absolute: 1e-8);
        c.Check("x_steps", stack(states), absolute: 1e-8);
        c.Check("x_final", states[^1], absolute: 1e-8);
    }

    // Recorded states: those after the steps given, or all from the first on.
    private static void Check(GoldenCase c, Sampler sampler, TimeGrid grid, int first, int[]? at = null)
    {
        var (process, _, theirs) = Process(c);
        using var mixture = c.Mixture(process);
        var recorder = new Recorder(mixture);
        List<Tensor> states = [c["x_T"]];
        foreach (var step in sampler.Steps(recorder, c["x_T"], grid)) states.Add(step.X.clone());
        c.Check("model_t", Vector(recorder.T.Select(theirs)));
        c.Check("model_x", stack(recorder.X.ToArray()));
        c.Check("x_final", states[^1]);
        if (c.Has("intermediates")) c.Check("intermediates", stack((at is null ? states : at.Select(i => states[i])).ToArray()));
        Assert.Equal(c.Int("nfe"), recorder.T.Count);
        Assert.Equal(first == 0, at is not null);
    }

    // The schedule, and its time as ours and as theirs: a table's step n is their time (n + 1)/T.
    private static (GaussianProcess Process, Func<double, double> Own, Func<double, double> Theirs) Process(GoldenCase c)
    {
        if (c.Text("schedule") == "linear") return (VariancePreserving.Linear(c.Double("beta_0"), c.Double("beta_1"), 1e-3), t => t, t => t);
        var betas = c.Has("betas") ? Doubles(c["betas"]) : Betas.ScaledLinear();
        return (DiscreteProcess.FromBetas(betas), t => t * betas.Length - 1, n => (n + 1) / betas.Length);
    }

    private static (bool Noise, SlopeWeight Slope) Type(GoldenCase c) =>
        (c.Text("algorithm_type") == "dpmsolver", c.Text("solver_type") == "taylor" ? SlopeWeight.Exact : SlopeWeight.Midpoint);

    // Even in time, in its root or in λ. In λ, and for groups of a fixed size, the groups are even and each is divided evenly.
    private static TimeGrid Grid(GoldenCase c, int[] groups, int steps)
    {
        var (process, own, theirs) = Process(c);
        Func<double, double> to = theirs, from = own;
        string skip = c.Text("skip_type", "time_uniform");
        if (skip == "time_quadratic") (to, from) = (n => Math.Sqrt(theirs(n)), u => own(u * u));
        if (skip == "logSNR") (to, from) = (process.Lambda, process.TimeOfLambda);
        double start = to(process.MaxTime), end = to(process.MinTime);
        bool even = skip == "logSNR" || c.Text("method") == "singlestep_fixed";
        IEnumerable<double> shares = even
            ? groups.SelectMany((size, i) => Enumerable.Range(0, size).Select(j => (i + (double)j / size) / groups.Length))
            : Enumerable.Range(0, steps).Select(i => (double)i / steps);
        return new([process.MaxTime, .. shares.Skip(1).Select(u => from(start + u * (end - start))), process.MinTime]);
    }
}
