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
public partial class DiffusersExpected
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
        if (!DiffusersScheduler.Classes.Contains(name)) Assert.Skip($"{name} is not read yet");
        var scheduler = SchedulerGoldens.Read(name, entry.GetProperty("config"));
        JsonElement[] protocol = [.. entry.GetProperty("protocol").EnumerateArray()];
        if (protocol.Length == 0) Values(entry, scheduler);
        else if (protocol.Any(p => Call(p) == "batch_step_no_noise")) Sums(entry, Batch(protocol, scheduler));
        else if (protocol.All(p => Call(p) is "set_timesteps" or "add_noise" or "step" or "step_prk" or "step_plms")) Sums(entry, Loop(entry, protocol, scheduler));
        else Assert.Skip($"the protocol of {name} is judged by a test of its own");
    }

    // Posterior variances of the table.
    private static void Values(JsonElement entry, DiffusersScheduler scheduler)
    {
        var process = scheduler.Compose(10).Process;
        foreach (var assertion in entry.GetProperty("asserts").EnumerateArray())
        {
            var match = Variance().Match(assertion.GetProperty("expr").GetString()!);
            if (!match.Success || scheduler.ClassName.StartsWith("UnCLIP", StringComparison.Ordinal)) Assert.Skip("judged by a test of its own");
            double t = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            double s = match.Groups[2].Success ? double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) : t - 1;
            Assert.Equal(assertion.GetProperty("expected").GetDouble(), process.Posterior(s, t).Variance, assertion.GetProperty("tol").GetDouble());
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
        // Not every test begins at the scheduler's own noise level.
        string origin = protocol.Where(p => p.TryGetProperty("original", out _)).Select(p => p.GetProperty("original")).Append(steps[0].GetProperty("first_sample")).First().GetString()!;
        var x = (line ? (arange(96, ScalarType.Float64) / 96).view(3, 8, 4).permute(2, 0, 1) : SchedulerGoldens.Dummy(4))
            * (origin.Contains("init_noise_sigma", StringComparison.Ordinal) ? all.InitialStd : 1);
        if (protocol.Any(p => Call(p) == "add_noise")) x = composition.Process.Corrupt(x, composition.Grid[0], 767 / 768.0 - SchedulerGoldens.Dummy(4));
        Assert.Equal(start, x.abs().sum().item<double>(), 1e-4 * start);

        int evaluations = 0;
        // Some hand the model the sample as it is.
        bool asItIs = !steps[0].GetProperty("model").GetString()!.Contains("scale_model_input", StringComparison.Ordinal);
        var denoiser = composition.Decoration(Model(composition, () => asItIs || (scales && evaluations++ == 0)));
        var grid = composition.Grid;
        using var generator = new Generator(0);
        using var run = new SamplingRun(denoiser, grid, Condition.None, new TorchNoise(generator));
        var step = composition.Sampler.Begin(run);
        // One loop, or two that share their memory.
        while (run.Evaluations < told.Length)
        {
            for (int i = 0; i < grid.Steps; i++)
            {
                run.Index = i;
                evaluations = 0;
                if (scales) x = composition.Preconditioning.In(composition.Process, grid[i]) * x;
                x = step(x, grid[i], grid[i + 1]);
            }
        }
        Assert.Equal(told.Length, run.Evaluations);
        return x;
    }

    private static void Sums(JsonElement entry, Tensor result)
    {
        double sum = result.abs().sum().item<double>(), mean = result.abs().mean().item<double>();
        // In single precision the reference's β_1 = 1 − ᾱ_1/ᾱ_0 is 1.1992454e-4, the table's own 1.1993654e-4: that is 0.0211 of the sum
        // after the two last steps alone, which these two tests make.
        if (entry.GetProperty("scheduler").GetString() is "DDPMScheduler" or "DDPMParallelScheduler"
            && entry.GetProperty("test").GetString()!.EndsWith("with_noise", StringComparison.Ordinal)) sum -= 0.02106;
        // The reference runs in single precision, of which a sum of millions shows the last digits.
        if (Number(entry, "expected_sum") is { } total) Assert.Equal(total, sum, Math.Max(Number(entry, "tol_sum")!.Value, 1e-5 * total));
        if (Number(entry, "expected_mean") is { } average) Assert.Equal(average, mean, Math.Max(Number(entry, "tol_mean")!.Value, 1e-5 * average));
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

    [GeneratedRegex(@"_get_variance\((\d+)(?:, (\d+))?\)")]
    private static partial Regex Variance();

    // What torch draws from one generator, in single precision.
    private sealed class TorchNoise(Generator generator) : INoise
    {
        public Tensor Next(Tensor like) => randn(like.shape, ScalarType.Float32, generator: generator).to(like.dtype);
    }
}
