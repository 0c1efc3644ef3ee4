using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Langevin.Denoisers;
using Langevin.Hub.Schedulers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>
/// The sums and means that diffusers' own tests expect of its schedulers on its dummy model, at that project's tolerance: each
/// entry of <c>diffusers_expected.json</c> goes through the product, from the configuration to the last sample.
/// </summary>
public partial class DiffusersExpected(DiffusersExpected.Tally tally) : IClassFixture<DiffusersExpected.Tally>
{
    private static readonly Lazy<Dictionary<string, JsonElement>> Entries = new(() =>
    {
        string path = Path.Combine(Shared.Goldens, "diffusers_expected.json");
        if (!File.Exists(path)) return [];
        using var json = JsonDocument.Parse(File.ReadAllText(path));
        return json.RootElement.Clone().GetProperty("entries").EnumerateArray()
            .Select((e, i) => ($"{i:000} {e.GetProperty("id").GetString()}", e)).ToDictionary();
    });

    private const string NoFile = "no diffusers_expected.json";

    public static TheoryData<string> Ids() => Entries.Value.Count > 0 ? [.. Entries.Value.Keys] : [NoFile];

    [Theory, MemberData(nameof(Ids))]
    public void Entry(string id)
    {
        if (id == NoFile) Assert.Skip($"{Shared.Goldens} holds no diffusers_expected.json");
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var entry = Entries.Value[id];
        string name = entry.GetProperty("scheduler").GetString()!;
        tally.Begun(name);
        var scheduler = SchedulerGoldens.Read(name, entry.GetProperty("config"));
        JsonElement[] protocol = [.. entry.GetProperty("protocol").EnumerateArray()];
        if (protocol.Length == 0) Values(entry, scheduler);
        else if (protocol.Any(p => Call(p) == "batch_step_no_noise")) Sums(entry, Batch(protocol, scheduler));
        else if (name == "ScoreSdeVeScheduler") Sums(entry, ScoreSdeVe(scheduler));
        else if (protocol.All(p => Call(p) is "set_timesteps" or "add_noise" or "step" or "step_prk" or "step_plms")) Sums(entry, Loop(entry, protocol, scheduler));
        else Assert.Fail($"the protocol of {name} is none of those that are known");
        tally.Passed(name);
    }

    // Three steps with a corrector. The test sets its three levels before its three times, so that its model is told the first of 2000.
    private static Tensor ScoreSdeVe(DiffusersScheduler scheduler)
    {
        var (composition, table) = (scheduler.Compose(3), scheduler.Compose(2000));
        var process = composition.Process;
        double[] grid = [.. composition.Grid.Times];
        var model = new FunctionDenoiser(process, (x, t) =>
        {
            double told = table.Timesteps[Array.IndexOf(grid, t.Value)];
            return new(composition.Preconditioning, x * (told / (told + 1)), x, process, t);
        });
        using var generator = new Generator(0);
        // The steps themselves draw noise to the end; pipelines return the last one's mean.
        var sampler = (PredictorCorrector)composition.Sampler with { Predictor = new ReverseDiffusion { EndsAtMean = false } };
        return sampler.Run(model, SchedulerGoldens.Dummy(4), composition.Grid, noise: new TorchNoise(generator));
    }

    // Posterior variances of the table.
    private static void Values(JsonElement entry, DiffusersScheduler scheduler)
    {
        var process = scheduler.Compose(10).Process;
        foreach (var assertion in entry.GetProperty("asserts").EnumerateArray())
        {
            var match = Variance().Match(assertion.GetProperty("expr").GetString()!);
            Assert.True(match.Success, assertion.GetProperty("expr").GetString());
            double t = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            double s = match.Groups[2].Success ? double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) : t - 1;
            double small = process.Posterior(s, t).Variance, large = process.Transition(s, t).Variance;
            // unCLIP's variances are a standard deviation, or for a network's 0.5 a logarithm three quarters of the way to the large one.
            double value = scheduler.ClassName != "UnCLIPScheduler" ? small
                : entry.GetProperty("test").GetString()!.EndsWith("learned_range", StringComparison.Ordinal) ? 0.75 * Math.Log(large) + 0.25 * Math.Log(small)
                : Math.Sqrt(small);
            // The logarithm shows what the reference's β, the table's own, differs by from 1 − ᾱ_t/ᾱ_s: the digits that single precision has of ᾱ.
            if (value < 0) value += Math.Log(TableBeta(process, (int)t) / large);
            Assert.Equal(assertion.GetProperty("expected").GetDouble(), value, assertion.GetProperty("tol").GetDouble());
        }
    }

    // Three images at three times of one table, each a step without noise.
    private static Tensor Batch(JsonElement[] protocol, DiffusersScheduler scheduler)
    {
        int n = protocol.Where(p => Call(p) == "set_timesteps").Select(p => p.GetProperty("args").GetProperty("num_inference_steps").GetInt32()).FirstOrDefault(1000);
        var composition = scheduler.Compose(n);
        var results = new[] { 0, 0.1, -0.1 }.Select((shift, t) =>
        {
            var x = SchedulerGoldens.Dummy(4) + shift;
            var said = composition.Decoration(Model(composition, () => false)).Denoise(x, t, Condition.None);
            double s = t - 1000 / n < 0 ? composition.Process.DataTime : t - 1000 / n;
            return composition.Sampler is DdpmAncestral
                ? ReverseKernel.Of(said, s).Mean
                : composition.Process.Alpha(s) * said.X0 + composition.Process.Sigma(s) * said.Epsilon;
        });
        return stack(results.ToArray());
    }

    private static Tensor Loop(JsonElement entry, JsonElement[] protocol, DiffusersScheduler scheduler)
    {
        var steps = protocol.Where(p => Call(p).StartsWith("step", StringComparison.Ordinal)).ToArray();
        double[] told = [.. steps.SelectMany(p => p.GetProperty("timesteps").EnumerateArray().Select(t => t.GetDouble()))];
        bool scales = steps[0].GetProperty("sample_passed_to_step").GetString()!.Contains("scale", StringComparison.Ordinal);
        double? eta = steps[0].GetProperty("extra_args").TryGetProperty("eta", out var e) ? e.GetDouble() : null;
        var set = protocol.Where(p => Call(p) == "set_timesteps").Select(p => p.GetProperty("args")).LastOrDefault();
        SchedulerRequest request = new() { Eta = eta, Steps = 1000 };
        if (set.ValueKind == JsonValueKind.Object)
            request = set.TryGetProperty("timesteps", out var listed) && listed.ValueKind == JsonValueKind.Array
                ? request with { Steps = null, Timesteps = [.. listed.EnumerateArray().Select(t => t.GetDouble())] }
                : request with { Steps = set.GetProperty("num_inference_steps").GetInt32() };
        // A loop that begins in the middle begins at the first of the listed times that the network is told.
        var all = scheduler.Compose(request);
        int first = Enumerable.Range(0, all.Timesteps.Count).First(i => Math.Abs(all.Timesteps[i] - told[0]) <= 1e-3 * Math.Max(1, Math.Abs(told[0])));
        var composition = scheduler.Compose(request with { First = first });

        double start = steps[0].GetProperty("first_sample_sum_abs").GetDouble();
        bool line = Math.Abs(start - 47.5) < 0.01; // the one-dimensional twin
        // Not every test begins at the scheduler's own noise level. Where the reference's sample is unscaled, ours is as the network sees it.
        string origin = protocol.Where(p => p.TryGetProperty("original", out _)).Select(p => p.GetProperty("original")).Append(steps[0].GetProperty("first_sample")).First().GetString()!;
        var process = composition.Process;
        var x = (line ? (arange(96, ScalarType.Float64) / 96).view(3, 8, 4).permute(2, 0, 1) : SchedulerGoldens.Dummy(4))
            * (origin.Contains("init_noise_sigma", StringComparison.Ordinal) ? all.InitialStd : 1);
        if (protocol.Any(p => Call(p) == "add_noise"))
            x = process.Corrupt(x / (scales ? process.Alpha(all.Grid[0]) : 1), composition.Grid[0], 767 / 768.0 - SchedulerGoldens.Dummy(4));
        Assert.Equal(start, x.abs().sum().item<double>(), 1e-4 * start);

        int evaluations = 0;
        // Some hand the model the sample as it is, and some the scaled sample to the step.
        bool asItIs = !steps[0].GetProperty("model").GetString()!.Contains("scale_model_input", StringComparison.Ordinal);
        var denoiser = composition.Decoration(scales ? Scaled(composition, () => evaluations++ == 0) : Model(composition, () => asItIs));
        var grid = composition.Grid;
        using var generator = new Generator(0);
        INoise noise = scheduler.ClassName == "DPMSolverSDEScheduler" ? new BrownianTree([.. all.Grid.Times], entry.GetProperty("config").GetProperty("noise_sampler_seed").GetUInt32()) : new TorchNoise(generator);
        using var run = new SamplingRun(denoiser, grid, Condition.None, noise);
        var step = composition.Sampler.Begin(run);
        // One loop, or two that share their memory.
        while (run.Evaluations < told.Length)
        {
            for (int i = 0; i < grid.Steps; i++)
            {
                run.Index = i;
                evaluations = 0;
                if (scales) x = process.Alpha(grid[i]) * x;
                var next = step(x, grid[i], grid[i + 1]);
                x = composition.Sampler is DdpmAncestral ? next + Rounding(scheduler, process, denoiser, x, grid[i], grid[i + 1]) : next;
            }
        }
        Assert.Equal(told.Length, run.Evaluations);
        return x;
    }

    // The posterior's mean is A x̂_0 + B x_t. Near its end a table's β is so small that the reference's single precision leaves three digits of it,
    // 1 − ᾱ_t/ᾱ_s for DDPM and the table's own for unCLIP, and the sums show the fourth: this is the difference of the two means.
    private static Tensor Rounding(DiffusersScheduler scheduler, GaussianProcess process, IDenoiser denoiser, Tensor x, double t, double s)
    {
        double at = Bar(t), before = Bar(s), exact = 1 - at / before;
        double single = scheduler.ClassName != "UnCLIPScheduler" ? 1f - (float)at / (float)before : s == t - 1 ? TableBeta(process, (int)t) : exact;
        (double A, double B) Weights(double beta) => (Math.Sqrt(before) * beta / (1 - at), Math.Sqrt(1 - beta) * (1 - before) / (1 - at));
        var (theirs, ours) = (Weights(single), Weights(exact));
        return (theirs.A - ours.A) * denoiser.Denoise(x, t, Condition.None).X0 + (theirs.B - ours.B) * x;

        double Bar(double u) => Math.Pow(process.Alpha(u), 2);
    }

    // unCLIP's table.
    private static double TableBeta(GaussianProcess process, int n) => (float)Betas.Cosine(((DiscreteProcess)process).Steps)[n];

    private static void Sums(JsonElement entry, Tensor result)
    {
        double sum = result.abs().sum().item<double>(), mean = result.abs().mean().item<double>();
        // The reference runs in single precision, of which a sum of millions shows the last digits.
        const double share = 1e-5;
        if (Number(entry, "expected_sum") is { } total) Assert.Equal(total, sum, Math.Max(Number(entry, "tol_sum")!.Value, share * total));
        if (Number(entry, "expected_mean") is { } average) Assert.Equal(average, mean, Math.Max(Number(entry, "tol_mean")!.Value, share * average));
    }

    private static double? Number(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Number ? v.GetDouble() : null;

    private static string Call(JsonElement p) => p.GetProperty("call").GetString()!;

    // f(x, t) = x t/(t + 1) of the scaled sample. Some of those tests hand the scaled sample to the step: then it is scaled already.
    private static FunctionDenoiser Model(SchedulerComposition composition, Func<bool> scaled)
    {
        var (process, scheme) = (composition.Process, composition.Preconditioning);
        return new(process, (x, t) =>
        {
            double told = scheme.Noise(process, t.Value);
            var input = scaled() ? x : scheme.In(process, t.Value) * x;
            return new(scheme, input * (told / (told + 1)), x, process, t);
        });
    }

    // The tests that hand the scaled sample to the step take it for the unscaled one: in our scale each evaluation loses another factor α.
    private static FunctionDenoiser Scaled(SchedulerComposition composition, Func<bool> first)
    {
        var (process, scheme) = (composition.Process, composition.Preconditioning);
        return new(process, (x, t) =>
        {
            double told = scheme.Noise(process, t.Value), alpha = process.Alpha(t.Value);
            bool scaled = first(); // the step's own sample has lost it already
            return new(scheme, (scaled ? x / alpha : x) * (told / (told + 1)), scaled ? x : alpha * x, process, t);
        });
    }

    [GeneratedRegex(@"_get_variance\((\d+)(?:, (\d+))?")]
    private static partial Regex Variance();

    /// <summary>How many entries of each class passed, printed when all have run.</summary>
    public sealed class Tally : IDisposable
    {
        private readonly SortedDictionary<string, (int Passed, int All)> counts = new(StringComparer.Ordinal);

        internal void Begun(string name) => counts[name] = (counts.GetValueOrDefault(name).Passed, counts.GetValueOrDefault(name).All + 1);

        internal void Passed(string name) => counts[name] = (counts[name].Passed + 1, counts[name].All);

        public void Dispose()
        {
            if (counts.Count == 0) return;
            Console.WriteLine($"diffusers_expected.json, entries passed: {string.Join(", ", counts.Select(c => $"{c.Key} {c.Value.Passed} of {c.Value.All}"))}; "
                + $"{counts.Values.Sum(c => c.Passed)} of {counts.Values.Sum(c => c.All)} in all");
        }
    }

    // What torch draws from one generator, in single precision.
    private sealed class TorchNoise(Generator generator) : INoise
    {
        public Tensor Next(Tensor like) => randn(like.shape, ScalarType.Float32, generator: generator).to(like.dtype);
    }
}
