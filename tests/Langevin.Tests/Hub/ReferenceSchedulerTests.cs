using System.Text.Json;
using System.Text.Json.Nodes;
using Langevin.Denoisers;
using Langevin.Hub.Schedulers;
using Langevin.Samplers;
using Langevin.Tests.Goldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>
/// Schedulers and options that the golden folder has no case of, against what the reference gave on fixed inputs
/// (<c>reference_schedulers.json</c>, whose note says how), and the options of every class of diffusers.
/// </summary>
public class ReferenceSchedulerTests
{
    private static readonly JsonElement Json = JsonDocument.Parse(File.ReadAllText(Shared.Own("Hub", "reference_schedulers.json"))).RootElement;

    public static TheoryData<int, string> Cases() => [.. Json.GetProperty("cases").EnumerateArray().Select((c, i) => (i, $"{c.GetProperty("scheduler").GetString()} {c.GetProperty("config")}"))];

    public static TheoryData<string> ClassNames() => [.. Json.GetProperty("classes").EnumerateObject().Select(c => c.Name)];

    [Theory, MemberData(nameof(Cases))]
    public void The_steps_are_the_reference_s(int number, string what)
    {
        using var scope = NewDisposeScope();
        var c = Json.GetProperty("cases")[number];
        var composition = SchedulerGoldens.Read(c.GetProperty("scheduler").GetString()!, c.GetProperty("config")).Compose(Request(c.GetProperty("request")));
        var (process, scheme, score) = (composition.Process, composition.Preconditioning, what.StartsWith("ScoreSdeVe", StringComparison.Ordinal));
        List<double> told = [];
        var model = new FunctionDenoiser(process, (x, t) =>
        {
            double heard = scheme.Noise(process, t.Value);
            told.Add(heard);
            return new(scheme, score ? -x / (heard * heard + 1) : scheme.In(process, t.Value) * x * (heard / (heard + 1)), x, process, t);
        });
        var start = SchedulerGoldens.Dummy(2) * composition.InitialStd;
        int[]? draws = c.TryGetProperty("draws", out var list) ? [.. list.EnumerateArray().Select(d => d.GetInt32())] : null;
        var noise = new ReplayedNoise(Enumerable.Range(0, draws?.Length ?? 40).Select(k => Draw(draws?[k] ?? k, start.shape)));

        double[] times = Doubles(c.GetProperty("times"));
        if (times.Length > 0)
            for (int i = 0; i < times.Length; i++) Assert.Equal(times[i], composition.Grid[i], 1e-5 * Math.Max(0.01, Math.Abs(times[i])));
        var states = c.GetProperty("states").EnumerateArray().ToArray();
        var ramp = (arange(start.numel(), ScalarType.Float64) + 1) / start.numel();
        foreach (var step in composition.Sampler.Steps(composition.Decoration(model), start, composition.Grid, noise: noise))
        {
            var x = step.X.flatten();
            double[] got = [x.sum().item<double>(), x.abs().sum().item<double>(), (x * ramp).sum().item<double>()];
            Assert.All(got, v => Assert.True(double.IsFinite(v), $"{what}: step {step.Index} is not finite"));
            if (states[step.Index][0].ValueKind == JsonValueKind.Null) continue; // not a number there
            double[] want = Doubles(states[step.Index]);
            // Single precision of the reference's tables and levels, on the scale of the whole sum.
            for (int k = 0; k < 3; k++) Assert.True(Math.Abs(got[k] - want[k]) < 2e-5 * want[1] + 1e-6, $"{what}: step {step.Index}, sum {k}: {got[k]:R}, expected {want[k]:R}");
        }
        Assert.Equal(states.Length, composition.Grid.Steps);
        foreach (double t in Doubles(c.GetProperty("told"))) Assert.Contains(told, u => Math.Abs(u - t) <= 1e-5 * Math.Max(1, Math.Abs(t)));
    }

    /// <summary>Every option of every class is known, and a class that cannot be read says why.</summary>
    [Theory, MemberData(nameof(ClassNames))]
    public void Every_option_of_the_reference_is_known(string name)
    {
        var config = JsonNode.Parse(Json.GetProperty("classes").GetProperty(name).GetRawText())!.AsObject();
        config["_class_name"] = name;
        if (DiffusersScheduler.Classes.Contains(name))
        {
            var scheduler = DiffusersScheduler.Read(config);
            Assert.Empty(scheduler.Foreign);
            Assert.True(JsonNode.DeepEquals(config, JsonNode.Parse(scheduler.ToJson())));
        }
        else Assert.Contains("cannot be read: it ", Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Read(config)).Message, StringComparison.Ordinal);
    }

    private static SchedulerRequest Request(JsonElement request)
    {
        double[]? List(string name) => request.TryGetProperty(name, out var list) ? Doubles(list) : null;
        return new()
        {
            Steps = request.TryGetProperty("steps", out var n) ? n.GetInt32() : null,
            Sigmas = List("sigmas"),
            Timesteps = List("timesteps"),
            Mu = request.TryGetProperty("mu", out var mu) ? mu.GetDouble() : null,
        };
    }

    private static Tensor Draw(int k, long[] shape) => (0.37 * (k + 1) * (arange(shape.Aggregate(1L, (a, b) => a * b), ScalarType.Float64) + 1)).cos().view(shape);

    private static double[] Doubles(JsonElement list) => [.. list.EnumerateArray().Select(v => v.GetDouble())];
}
