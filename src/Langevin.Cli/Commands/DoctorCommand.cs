using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin doctor</c>: whether this machine can do the work, and with what.</summary>
internal static class DoctorCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = Options.Json();
        var command = new Command("doctor", "Says which backend, device, threads, memory and native fix are in use, and tries them.") { json };
        command.SetAction((ParseResult parsed) =>
        {
            var facts = Facts();
            if (parsed.GetValue(json)) terminal.Line(new JsonObject(facts.Select(f => KeyValuePair.Create(f.Name, (JsonNode?)f.Value))).ToJsonString());
            else terminal.Table(["what", "found"], facts.Select(f => (string[])[f.Name, f.Value]));
            return App.Ok;
        });
        return command;
    }

    private static List<(string Name, string Value)> Facts()
    {
        var facts = new List<(string, string)>
        {
            ("langevin", typeof(NativeRuntime).Assembly.GetName().Version?.ToString() ?? "?"),
            ("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.FrameworkDescription}"),
        };
        NativeRuntime.EnsureLoaded();
        facts.Add(("backend", $"libtorch through TorchSharp {typeof(torch).Assembly.GetName().Version}"));
        facts.Add(("native fix", $"{NativeRuntime.Status.State}: {NativeRuntime.Status.Detail}"));
        facts.Add(("threads", $"{get_num_threads()} of {Environment.ProcessorCount} cores"));
        facts.Add(("memory", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30):f1} GiB available, {Environment.WorkingSet / (double)(1 << 20):f0} MiB in use"));
        facts.Add(("CUDA", cuda.is_available() ? $"{cuda.device_count()} device(s)" : "none that this backend can use"));
        facts.Add(("matrix product", Try(() => $"{MatrixRate():f0} GFLOP/s in float32")));
        facts.Add(("convolution", Try(() =>
        {
            double error = ConvolutionError();
            string library = NativeRuntime.AvoidsOneDnn ? "libtorch's own, since the processor hides the sizes of its caches and oneDNN errs without them" : "oneDNN's or libtorch's own";
            return error < 1e-4 ? $"right to {error:e0}; {library}" : $"WRONG by {error:g2} of its largest value; {library}";
        })));
        return facts;
    }

    private static double MatrixRate()
    {
        using var scope = NewDisposeScope();
        const int size = 1024, rounds = 10;
        Tensor a = rand(size, size), b = rand(size, size);
        mm(a, b);
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < rounds; i++) mm(a, b).Dispose();
        return 2.0 * size * size * size * rounds / watch.Elapsed.TotalSeconds / 1e9;
    }

    // Of the result and both gradients, against double precision, with fewer channels than a block of any kernel has.
    private static double ConvolutionError()
    {
        using var scope = NewDisposeScope();
        Tensor x = randn(2, 1, 7, 7, float64), weight = randn(4, 1, 3, 3, float64);
        var (exact, single) = (Convolved(x, weight), Convolved(x.to(float32), weight.to(float32)));
        return exact.Zip(single, (e, s) => ((s.to(float64) - e).abs().max() / e.abs().max()).item<double>()).Max();
    }

    private static Tensor[] Convolved(Tensor x, Tensor weight)
    {
        using var a = x.detach().requires_grad_();
        using var w = weight.detach().requires_grad_();
        var y = nn.functional.conv2d(a, w, padding: [1, 1]);
        y.square().sum().backward();
        return [y.detach(), a.grad!, w.grad!];
    }

    private static string Try(Func<string> check)
    {
        try { return check(); }
        catch (ExternalException e) { return $"fails: {e.Message}"; }
    }
}
