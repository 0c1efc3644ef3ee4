using System.Text.Json;
using Langevin.Denoisers;
using Langevin.Hub.Schedulers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>β tables, noise levels and time grids.</summary>
internal static class ScheduleGoldens
{
    [Golden("schedules", "diffusers_betas")]
    [Golden("schedules", "zero_snr")]
    internal static void DiffusersBetas(GoldenCase c)
    {
        if (c.Has("betas_in"))
        {
            var given = Doubles(c["betas_in"]);
            c.Check("betas_out", Vector(SingleRescaled(given)));
            c.Check("betas_out", Vector(Betas.RescaleZeroTerminalSnr(given)), absolute: 5e-6);
            return;
        }
        var betas = c.Text("alpha_transform_type") switch
        {
            "cosine" => Betas.Cosine(c.Int("num_diffusion_timesteps"), c.Double("max_beta")),
            "exp" => Betas.Exponential(c.Int("num_diffusion_timesteps"), c.Double("max_beta")),
            "laplace" => Betas.Laplace(c.Int("num_diffusion_timesteps"), c.Double("max_beta")),
            _ => NoiseTable.BetasOf(SchedulerGoldens.Options(c.Config), others: ["sigmoid"]),
        };
        // Rescaling a table in single precision, as the reference does, costs it digits near the end (and depends on the
        // machine's rounding of the table it starts from); ours is in double.
        bool rescaled = c.Bool("rescale_betas_zero_snr");
        c.Check("betas", Vector(betas), relative: rescaled ? 1e-5 : 1e-6, absolute: rescaled ? 1e-6 : 1e-7);
        if (!c.Has("alphas_cumprod")) return;

        var process = DiscreteProcess.FromBetas(betas);
        int[] steps = [.. Enumerable.Range(0, process.Steps)];
        // The reference's own table is a float32 cumulative product: what is derived from it is held where it is accurate.
        c.Check("alphas", Vector(steps.Select(n => 1 - process.Beta(n))), relative: 1e-6, absolute: rescaled ? 3e-6 : 1e-7);
        c.Check("alphas_cumprod", Vector(steps.Select(process.AlphaCumprod)), relative: rescaled ? 1e-5 : 2e-6, absolute: rescaled ? 3e-7 : 1e-7);
        int[] firm = [.. steps.Where(n => process.AlphaCumprod(n) is > 1e-4 and < 1 - 1e-3)];
        using var at = tensor(firm.Select(n => (long)n).ToArray());
        c.Check("snr", c["snr"].index_select(0, at), Vector(firm.Select(n => process.Snr(n))), 1e-4);
        c.Check("log_snr", c["log_snr"].index_select(0, at), Vector(firm.Select(n => 2 * process.Lambda(n))), 1e-4, 1e-4);
        c.Check("sigmas_ve", c["sigmas_ve"].index_select(0, at), Vector(firm.Select(n => process.Unscaled().Sigma(n))), 1e-4);
        // At the end of a zero-terminal-SNR table all signal is gone, exactly.
        if (c.Bool("rescale_betas_zero_snr"))
        {
            Assert.Equal(0, process.Alpha(process.MaxTime));
            Assert.Equal(1, process.Sigma(process.MaxTime));
        }
    }

    [Golden("schedules", "guided_betas")]
    internal static void GuidedBetas(GoldenCase c)
    {
        var betas = c.Text("name") == "linear" ? Betas.GuidedLinear(c.Int("T")) : Betas.Cosine(c.Int("T"));
        var process = DiscreteProcess.FromBetas(betas);
        c.Check("betas", Vector(betas));
        c.Check("alphas_cumprod", Vector(Enumerable.Range(0, process.Steps).Select(process.AlphaCumprod)));
    }

    [Golden("schedules", "k_sigmas")]
    internal static void KDiffusionSigmas(GoldenCase c)
    {
        int n = c.Int("n");
        var edm = new EdmProcess(c.Double("sigma_min", 0.002), c.Double("sigma_max", 80));
        var sigmas = c.Id.Split('/')[1].Split('_')[0] switch
        {
            "karras" => TimeGrid.Karras(edm, n, c.Double("rho")).Times,
            "exponential" => TimeGrid.Exponential(edm, n).Times,
            "polyexponential" => TimeGrid.PolyExponential(edm, n, c.Double("rho")).Times,
            _ => VpSigmas(c, n),
        };
        c.Check("sigmas_f64", Vector(sigmas), relative: 1e-10);
        // In single precision the reference's exp(..) − 1 keeps few digits of a small σ².
        bool vp = c.Has("sigmas_f32") && c.Config.TryGetProperty("beta_d", out _);
        c.Check("sigmas_f32", Vector(vp ? sigmas.Select(s => Math.Sqrt((float)(1 + s * s) - 1f)) : sigmas), relative: 1e-5, absolute: 1e-7);
    }

    // k-diffusion's "vp" schedule is the linear VP process's noise-to-signal ratio at even times.
    private static IReadOnlyList<double> VpSigmas(GoldenCase c, int n)
    {
        var process = VariancePreserving.Linear(c.Double("beta_min"), c.Double("beta_min") + c.Double("beta_d"), c.Double("eps_s"));
        return TimeGrid.Uniform(process, n, toData: true).Sigmas(process);
    }

    [Golden("schedules", "edm")]
    internal static void Edm(GoldenCase c)
    {
        if (c.Has("t_steps"))
        {
            var edm = new EdmProcess(c.Double("sigma_min"), c.Double("sigma_max"));
            c.Check("t_steps", Vector(TimeGrid.Karras(edm, c.Int("num_steps"), c.Double("rho")).Times));
            return;
        }
        var process = new EdmProcess();
        var scheme = new EdmPreconditioning(c.Double("sigma_data"));
        CheckScalings(c, process, scheme);
        double d = c.Double("sigma_data");
        c.Check("c_noise", Vector(Doubles(c["sigma"]).Select(s => scheme.Noise(process, s))));
        // λ(σ) = 1/c_out²: equal weight at every noise level.
        c.Check("loss_weight", Vector(Doubles(c["sigma"]).Select(s => Math.Pow(scheme.Out(process, s), -2))));
    }

    [Golden("schedules", "k_misc")]
    internal static void KDiffusionMisc(GoldenCase c)
    {
        if (c.Has("sigma_down"))
        {
            // An ancestral step of k-diffusion is DDIM's split of the posterior's variance.
            var edm = new EdmProcess();
            double[] from = Doubles(c["sigma_from"]), to = Doubles(c["sigma_to"]);
            var split = from.Zip(to, (t, s) => Ddim.Split(edm, t, s, c.Double("eta"))).ToArray();
            c.Check("sigma_down", Vector(split.Select(x => x.Kept)), absolute: 1e-12);
            c.Check("sigma_up", Vector(split.Select(x => x.Fresh)), absolute: 1e-12);
        }
        else if (c.Has("c_skip"))
        {
            // A v-prediction network under the unscaled process is EDM's preconditioning with σ_data = 1, its sign turned.
            var process = new EdmProcess();
            var sigma = Doubles(c["sigma"]);
            double d = c.Double("sigma_data");
            c.Check("c_skip", Vector(sigma.Select(s => new EdmPreconditioning(d).Skip(process, s))), absolute: 1e-7);
            c.Check("c_out", Vector(sigma.Select(s => -new EdmPreconditioning(d).Out(process, s))), absolute: 1e-7);
            c.Check("c_in", Vector(sigma.Select(s => new EdmPreconditioning(d).In(process, s))), absolute: 1e-7);
            var unit = process.UnitVariance();
            c.Check("t", Vector(sigma.Select(s => 2 / Math.PI * FlowCoordinates.Angle.Of(unit, s))), absolute: 1e-7);
        }
        else
        {
            var table = SchedulerGoldens.Table(c.Config);
            var process = table.Log;
            c.Check("alphas_cumprod", Vector(Enumerable.Range(0, process.Steps).Select(table.Process.AlphaCumprod)));
            c.Check("sigmas", Vector(Enumerable.Range(0, process.Steps).Select(n => process.Sigma(n))));
            c.Check("t_to_sigma", Vector(Doubles(c["t"]).Select(process.Sigma)));
            var t = Doubles(c["sigma_query"]).Select(s => Math.Max(0, process.TimeOfLambda(-Math.Log(s)))).ToArray();
            c.Check("sigma_to_t", Vector(t));
            c.Check("sigma_to_t_quantized", tensor(t.Select(x => (long)Math.Round(x)).ToArray()));
            foreach (int n in new[] { 7, 10 }) // times evenly spaced between the ends, not rounded
                c.Check($"get_sigmas_{n}", Vector(TimeGrid.Uniform(process, n, toData: true).Sigmas(process)));
        }
    }

    [Golden("schedules", "ncsn")]
    internal static void Ncsn(GoldenCase c)
    {
        int n = c.Int("num_classes");
        double begin = c.Double("sigma_begin"), end = c.Double("sigma_end");
        var sigmas = c.Text("sigma_dist") == "geometric" ? Betas.GeometricSigmas(n, begin, end) : Betas.Spaced(n, begin, end);
        c.Check("sigmas", Vector(sigmas));
        // The process of these levels has them as its table, least noise first.
        var process = DiscreteProcess.FromSigmas(sigmas);
        c.Check("sigmas", Vector(TimeGrid.All(process).Times.Take(n).Select(process.Sigma)));
    }

    [Golden("schedules", "spacing")]
    internal static void Spacing(GoldenCase c)
    {
        var table = SchedulerGoldens.Table(c.Config);
        int n = c.Int("num_inference_steps"), offset = c.Int("steps_offset");
        string spacing = c.Text("timestep_spacing");
        double[] whole = table.Whole(spacing, n, offset), between = table.Between(spacing, n, offset), multistep = table.Multistep(spacing, n, offset);
        CheckTimes("ddim_timesteps", whole);
        CheckTimes("ddpm_timesteps", whole);
        CheckTimes("pndm_timesteps", Pndm(whole, table.Process.Steps / n / 2));
        foreach (string name in new[] { "dpmpp", "unipc", "deis" })
        {
            CheckTimes(name + "_timesteps", multistep);
            CheckSigmas(name + "_sigmas", [.. multistep.Select(table.Linear.Sigma), name == "deis" ? table.Linear.Sigma(0) : 0]);
        }
        double[] sigmas = [.. between.Select(table.Linear.Sigma), 0];
        CheckTimes("euler_timesteps", between);
        CheckSigmas("euler_sigmas", sigmas);
        CheckTimes("lms_timesteps", between);
        CheckSigmas("lms_sigmas", sigmas);
        CheckTimes("heun_timesteps", HeunTimes(between));
        CheckSigmas("heun_sigmas", HeunSigmas(sigmas));
        CheckTimes("kdpm2_timesteps", Kdpm2Times(table, between, sigmas));
        CheckSigmas("kdpm2_sigmas", Kdpm2Sigmas(sigmas));

        void CheckTimes(string name, IEnumerable<double> times) => c.Check(name, Vector(times), relative: c[name].dtype == ScalarType.Int64 ? 0 : 1e-5);
        void CheckSigmas(string name, IEnumerable<double> values) => c.Check(name, Vector(values));
    }

    [Golden("schedules", "diffusers_sigmas")]
    internal static void DiffusersSigmas(GoldenCase c)
    {
        var table = SchedulerGoldens.Table(c.Config);
        string scheduler = c.Id[(c.Id.IndexOf("sigmas_", StringComparison.Ordinal) + 7)..].Replace("DiscreteScheduler", "").Replace("Scheduler", "");
        bool single = scheduler is "Euler" or "Heun" or "KDPM2";
        foreach (string flag in c.Text("flags").Split('|'))
            foreach (int n in new[] { 8, 15 })
            {
                double[] times = single ? table.Between("linspace", n, 0) : table.Multistep("linspace", n, 0);
                double[] sigmas = [.. times.Select(table.Linear.Sigma)];
                if (flag != "none")
                {
                    double low = table.Linear.Sigma(0), high = table.Linear.Sigma(table.Linear.MaxTime);
                    var edm = new EdmProcess(low, high);
                    sigmas = [.. (flag switch
                    {
                        "use_karras_sigmas" => TimeGrid.Karras(edm, n),
                        "use_exponential_sigmas" => TimeGrid.Exponential(edm, n),
                        "use_beta_sigmas" => TimeGrid.Beta(edm, n),
                        _ => throw new InvalidDataException($"unknown flag {flag}"),
                    }).Times.Take(n)];
                    times = [.. sigmas.Select(table.TimeOfSigma)];
                }
                sigmas = [.. sigmas, scheduler == "SASolver" ? table.Linear.Sigma(0) : 0];
                double[] steps = scheduler switch { "Heun" => HeunTimes(times), "KDPM2" => Kdpm2Times(table, times, sigmas), _ => times };
                double[] levels = scheduler switch { "Heun" => HeunSigmas(sigmas), "KDPM2" => Kdpm2Sigmas(sigmas), _ => sigmas };
                c.Check($"{flag}_n{n}_timesteps", Vector(steps), relative: 1e-5, absolute: 1);
                c.Check($"{flag}_n{n}_sigmas", Vector(levels));
            }
    }

    // Zero-terminal-SNR rescaling of a table in single precision (its cumulative product in double).
    private static IEnumerable<double> SingleRescaled(IEnumerable<double> betas)
    {
        double product = 1;
        return Betas.BetasOfRescaled([.. betas.Select(b => MathF.Sqrt((float)(product *= 1 - (float)b)))]).Select(b => (double)b);
    }

    // Runge–Kutta warm-up over the four noisiest steps with half steps between, and then the rest of them.
    private static double[] Pndm(double[] times, int half)
    {
        double[] ladder = [.. times.Take(4).Reverse().SelectMany(t => new[] { t, t + half }).SkipLast(1)];
        return [.. ladder.SelectMany(t => new[] { t, t }).Skip(1).SkipLast(1).Reverse(), .. times.Skip(3)];
    }

    private static double[] HeunTimes(double[] times) => [times[0], .. times.Skip(1).SelectMany(t => new[] { t, t })];

    private static double[] HeunSigmas(double[] sigmas) => [sigmas[0], .. sigmas[1..^1].SelectMany(s => new[] { s, s }), sigmas[^1]];

    // Times with that of the geometric mean of the two levels between each two.
    private static double[] Kdpm2Times(NoiseTable table, double[] times, double[] sigmas) =>
        [times[0], .. Enumerable.Range(1, times.Length - 1).SelectMany(i => new[] { table.TimeOfSigma(Math.Sqrt(sigmas[i - 1] * sigmas[i])), times[i] })];

    private static double[] Kdpm2Sigmas(double[] sigmas) => [sigmas[0], .. sigmas.Skip(1).SelectMany(s => new[] { s, s }), sigmas[^1]];

    private static void CheckScalings(GoldenCase c, GaussianProcess process, Preconditioning scheme)
    {
        var sigma = Doubles(c["sigma"]);
        c.Check("c_skip", Vector(sigma.Select(s => scheme.Skip(process, s))));
        c.Check("c_out", Vector(sigma.Select(s => scheme.Out(process, s))));
        c.Check("c_in", Vector(sigma.Select(s => scheme.In(process, s))));
    }

    internal static double[] Doubles(Tensor t)
    {
        using var d = t.to(ScalarType.Float64);
        return d.data<double>().ToArray();
    }

    internal static Tensor Vector(IEnumerable<double> values) => tensor(values.ToArray(), ScalarType.Float64);
}
