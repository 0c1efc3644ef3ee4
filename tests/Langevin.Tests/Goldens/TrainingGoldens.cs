using System.Globalization;
using System.Text.RegularExpressions;
using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Training;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace Langevin.Tests.Goldens;

/// <summary>Averages, learning rates and weightings of diffusers' training code; EDM2's power-function averages.</summary>
internal static partial class TrainingGoldens
{
    [Golden("extras", "training")]
    public static void Training(GoldenCase c)
    {
        if (c.Has("shadow")) Average(c);
        else if (c.Has("cosine")) LearningRates(c);
        else if (c.Has("min_snr_eps")) MinSnrWeights(c);
        else if (c.Has("cosmap")) StraightPathWeights(c);
        else Assert.Fail($"{c.Id}: none of the functions known here");
    }

    private static void Average(GoldenCase c)
    {
        var decay = new WarmUpEma(c.Double("decay", 0.9999))
        {
            Floor = c.Double("min_decay", 0),
            After = c.Int("update_after_step"),
            Power = c.Bool("use_ema_warmup") ? c.Double("power", 2.0 / 3) : null,
            InverseGamma = c.Double("inv_gamma", 1),
        };
        c.Check("get_decay", tensor(c["steps_query"].data<long>().Select(decay.At).ToArray()));
        int steps = (int)c["shadow"].shape[0];
        c.Check("decay", tensor(Enumerable.Range(1, steps).Select(k => decay.At(k)).ToArray()));

        using var none = no_grad();
        var (a, b) = (new Parameter(tensor(new float[] { 1, 2 })), new Parameter(tensor(new float[,] { { 0.5f } })));
        using var ema = new Ema([("a", a), ("b", b)], [], decay);
        var rows = new List<Tensor>();
        for (int k = 0; k < steps; k++)
        {
            a.add_(0.1 * (k % 7) - 0.2);
            b.add_(0.1 * (k % 7) - 0.2);
            ema.Update(k + 1);
            rows.Add(cat([.. ema.Weights.Values.Select(w => w.flatten())]).clone());
        }
        c.Check("shadow", stack(rows));
    }

    private static void LearningRates(GoldenCase c)
    {
        string text = c.Text("cases");
        double Number(string pattern) => double.Parse(Regex.Match(text, pattern).Groups[1].Value, CultureInfo.InvariantCulture);
        double rate = c.Double("base_lr");
        long warm = (long)Number(@"warmup (\d+) of"), rest = (long)Number(@"of (\d+)") - warm;
        long early = (long)Number(@"cycles15: warmup (\d+)");
        var pieces = Piece().Matches(text).Select(m => ((long)Parse(m, 2), Parse(m, 1))).ToArray();
        var schedules = new Dictionary<string, LearningRateSchedule>
        {
            ["constant_warmup"] = new ConstantSchedule().WithWarmUp(warm),
            ["linear"] = new PolynomialSchedule(rest).WithWarmUp(warm),
            ["cosine"] = new CosineSchedule(rest) { Hold = false }.WithWarmUp(warm),
            ["cosine_cycles15"] = new CosineSchedule(rest + warm - early) { Cycles = Number(@"num_cycles ([\d.]+)"), Hold = false }.WithWarmUp(early),
            ["cosine_restarts3"] = new CosineRestartsSchedule(rest, (int)Number(@"restarts (\d+)")).WithWarmUp(warm),
            ["polynomial_p2"] = new PolynomialSchedule(rest, Number(@"lr_end ([\de.-]+)") / rate, Number(@"power (\d+)")).WithWarmUp(warm),
            ["piecewise"] = new PiecewiseSchedule(pieces, Number(@",([\d.]+)\)$")),
        };
        Assert.Equal(c.Tensors.Keys.Order(), schedules.Keys.Order());
        foreach (var (name, schedule) in schedules)
            // At a zero of a cosine the reference's own rounding is all there is.
            c.Check(name, tensor(Enumerable.Range(0, c.Int("steps")).Select(k => rate * schedule.Factor(k)).ToArray()), absolute: rate * 1e-15);
    }

    private static void MinSnrWeights(GoldenCase c)
    {
        var process = DiscreteProcess.FromAlphasCumprod([.. c["alphas_cumprod"].data<float>().Select(a => (double)a)]);
        var weighting = new MinSnr(c.Double("gamma"));
        Tensor Each(Func<double, double> f) => tensor(c["timesteps"].data<long>().Select(t => f(t)).ToArray());
        c.Check("snr", Each(process.Snr));
        c.Check("min_snr_eps", Each(t => weighting.Of(process, t, PredictionKind.Epsilon)));
        c.Check("min_snr_v", Each(t => weighting.Of(process, t, PredictionKind.V)));
        c.Check("min_snr_x0", Each(t => weighting.Of(process, t, PredictionKind.X0)));
    }

    private static void StraightPathWeights(GoldenCase c)
    {
        var process = new RectifiedFlow();
        Tensor Of(Weighting weighting) => tensor(c["sigmas"].data<float>().Select(t => weighting.Of(process, t, PredictionKind.Velocity)).ToArray());
        c.Check("none", Of(Weighting.FlowMatching));
        c.Check("sigma_sqrt", Of(new NoisePower(PredictionKind.Velocity, -2)));
        c.Check("cosmap", Of(new CosMap()));
        // The densities' constants are in the function's text: logit mean and std, mode_scale.
        var logit = new LogitNormalTime(0.3, 1.2);
        c.Check("logit_normal", tensor(c["z"].data<double>().Select(logit.OfNormal).ToArray()));
        c.Check("mode_scale_129", tensor(c["u"].data<double>().Select(new ModeTime(1.29).Of).ToArray()));
    }

    [Golden("edm2", "phema")]
    public static void PowerFunctionAverages(GoldenCase c)
    {
        double[] D(string name) => [.. c[name].data<double>()];
        double[] widths = D("std"), times = D("t_next"), stored = D("in_ofs"), storedWidths = D("in_std");
        double[] ends = [.. c.Config.GetProperty("out_ofs").EnumerateArray().Select(v => v.GetDouble())];
        double[] wanted = [.. c.Config.GetProperty("out_std").EnumerateArray().Select(v => v.GetDouble())];
        c.Check("exp", tensor(widths.Select(PowerProfile.Exponent).ToArray()));
        c.Check("std_back", tensor(widths.Select(w => PowerProfile.Width(PowerProfile.Exponent(w))).ToArray()));
        Tensor Table(int rows, int columns, Func<int, int, double> f) =>
            tensor((from i in Enumerable.Range(0, rows) from j in Enumerable.Range(0, columns) select f(i, j)).ToArray()).reshape(rows, columns);
        double delta = c.Double("t_delta");
        c.Check("beta", Table(times.Length, widths.Length, (i, j) => PowerProfile.Decay(PowerProfile.Exponent(widths[j]), times[i], delta)));
        // The index does not record which profiles are correlated, nor which are sampled; their ends and exponents can be read off the numbers.
        (double End, double Width)[] rows = [(100, 0.05), (200, 0.1)], columns = [(100, 0.05), (150, 0.2)];
        c.Check("correlation", Table(2, 2, (i, j) => PowerProfile.Overlap(rows[i].End, rows[i].Width, columns[j].End, columns[j].Width)));
        int count = (int)c["response_n50"].shape[0];
        var responses = new[] { (End: 20, Width: 0.05), (End: 50, Width: 0.1) }.Select(r => PowerProfile.Response(PowerProfile.Exponent(r.Width), r.End, count)).ToArray();
        c.Check("response_n50", Table(count, 2, (i, j) => responses[j][i]));
        var combined = wanted.Select((w, j) => PowerProfile.Combination([.. stored.Zip(storedWidths)], ends[j], w)).ToArray();
        c.Check("posthoc", Table(stored.Length, wanted.Length, (i, j) => combined[j][i]), relative: 1e-5);
    }

    private static double Parse(Match m, int group) => double.Parse(m.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"([\d.]+):(\d+)(?=,)")]
    private static partial Regex Piece();
}
