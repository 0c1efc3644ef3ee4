using System.Diagnostics;
using System.Text.Json.Nodes;
using Langevin.Cli.Runs;
using Langevin.Hub;
using Langevin.Inverse;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>Restores one picture of the user's.</summary>
internal static class PictureRestoration
{
    /// <summary>Restores a file and writes what comes of it.</summary>
    /// <param name="terminal">Shows the progress and the result.</param>
    /// <param name="canvas">The model.</param>
    /// <param name="task">The task.</param>
    /// <param name="method">The method.</param>
    /// <param name="source">The file.</param>
    /// <param name="degrade">Whether the file is the truth, to be damaged first.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public static void Run(Terminal terminal, Canvas canvas, RestorationTask task, Method method, string source, bool degrade, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var (truth, measured) = Measure(canvas, task, source, degrade);
        // The usual classical method, or the best where the truth can tell.
        var classical = task.Baselines.Select(b => (Method: b, Picture: b.Restore(measured))).ToList();
        var shown = truth is null ? classical[0] : classical.MaxBy(c => Quality.Psnr(c.Picture, truth).item<double>());
        var clock = Stopwatch.StartNew();
        using var progress = new ProgressLine(terminal, "restoring");
        var (drawn, evaluations) = method.Draw(canvas, task, measured.to(canvas.Device), shown.Picture.to(canvas.Device), share => progress.Report(share), cancellation);
        using (drawn)
        {
            var answers = drawn[0];
            var measurement = new Measurement(task.Operator, measured, task.Sigma);
            // Root mean square of y − A x, to be compared with the noise.
            double misfit = measurement.Misfit(answers).mean().to(ScalarType.Float64).item<double>() / Math.Sqrt(measured.numel());
            var figures = new JsonObject { ["classical_method"] = shown.Method.Name, ["misfit"] = misfit, ["spread"] = Comparison.Spread(answers).mean().to(ScalarType.Float64).item<double>() };
            if (truth is not null)
            {
                figures["samples"] = Figures(answers, truth);
                figures["mean"] = Figures(answers.mean([0L], keepdim: true), truth);
                figures["classical"] = Figures(shown.Picture, truth);
                figures["baselines"] = new JsonObject(classical.Select(c => KeyValuePair.Create(c.Method.Name, (JsonNode?)Figures(c.Picture, truth))));
            }
            (figures["task"], figures["method"], figures["steps"], figures["noise"], figures["evaluations"], figures["seconds"]) = (task.Name, method.Name, method.Steps, task.Sigma, evaluations, clock.Elapsed.TotalSeconds);
            figures["files"] = new JsonArray([.. Write(canvas, task, measured, answers, shown.Picture, truth).Select(f => (JsonNode)f)]);
            AtomicFile.WriteAllText(Path.Combine(canvas.Target, "restore.json"), figures.ToJsonString(new() { WriteIndented = true }));
            terminal.Line(canvas.Json ? figures.ToJsonString() : Summary(figures, canvas));
        }
    }

    // The truth (where the input is it) and the measurement, both [1, ...].
    private static (Tensor? Truth, Tensor Y) Measure(Canvas canvas, RestorationTask task, string source, bool degrade)
    {
        if (degrade)
        {
            var truth = Pictures.Fitting(Pictures.Read(source, canvas.Channels, canvas.Side, "truth"), source, canvas.Channels, canvas.Height, canvas.Width);
            return (truth, task.Measure(truth, canvas.Seed));
        }
        if (task.Name == "inpaint" && canvas.Mask is null) throw new ArgumentException("--task inpaint: say which pixels are seen with --mask FILE (white where seen).");
        using var blank = zeros(1, canvas.Channels, canvas.Height, canvas.Width);
        using var expected = task.Operator.Forward(blank);
        bool picture = !ModelFolder.IsSafetensors(source);
        if (picture && task.Name is "cs" or "mri" or "ct")
            throw new ArgumentException($"--task {task.Name}: its measurement is no picture. Give a .safetensors file with a tensor 'measurement' of [{string.Join(", ", expected.shape[1..])}], or --degrade a clean picture.");
        var y = Pictures.Read(source, picture ? expected.shape[1] : null, null, "measurement");
        if (y.dim() == expected.dim() - 1) y = y.unsqueeze(0);
        y = Pictures.Fitting(y, source, expected.shape[1..]);
        return (null, task.Operator is Inpainting seen ? seen.Mask(y) * y : y);
    }

    private static JsonObject Figures(Tensor pictures, Tensor truth)
    {
        var figures = new JsonObject { ["psnr"] = null, ["ssim"] = null };
        foreach (var (name, of) in Quality.Measures(truth.shape[2], truth.shape[3])) figures[name] = of(pictures, truth).mean().item<double>();
        return figures;
    }

    private static List<string> Write(Canvas canvas, RestorationTask task, Tensor y, Tensor answers, Tensor classical, Tensor? truth)
    {
        string In(string name) => Path.Combine(canvas.Target, name);
        List<string> written = [.. Pictures.SaveEach(answers, i => In($"restored-seed{canvas.Seed}-{i:d2}.png")), In($"comparison-seed{canvas.Seed}.png"), In($"restored-seed{canvas.Seed}.safetensors")];
        var row = Comparison.Row(task.View(y), classical, answers, truth);
        Pictures.Save(written[^2], row, (int)row.shape[0]);
        List<KeyValuePair<string, Tensor>> tensors = [new("samples", answers), new("measurement", y), new("classical", classical)];
        if (truth is not null) tensors.Add(new("truth", truth));
        SafeTensors.Save(written[^1], tensors);
        return written;
    }

    private static string Summary(JsonObject figures, Canvas canvas)
    {
        string text = $"{canvas.Samples} answers by {(string)figures["method"]!} in {(double)figures["seconds"]!:f1} s, misfit {(double)figures["misfit"]!:g3} (noise {(double)figures["noise"]!:g3}); see '{Path.Combine(canvas.Target, "comparison")}-*.png'";
        if (figures["samples"] is not JsonObject samples) return text;
        static string Of(JsonNode? f) => $"{(double)f!["psnr"]!:f2} dB{(f["ssim"] is { } s ? $", SSIM {(double)s:f3}" : "")}";
        return $"{text}\nsamples {Of(samples)}; their mean {Of(figures["mean"])}; {(string)figures["classical_method"]!} {Of(figures["classical"])}";
    }
}
