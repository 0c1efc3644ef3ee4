using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Langevin.Cli.Restoration;
using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Hub;
using Langevin.Inverse;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin restore MODEL</c>: solves an inverse problem with a trained model as prior.</summary>
internal static class RestoreCommand
{
    public static Command Create(Terminal terminal)
    {
        var folder = new Argument<string>("model") { Description = "A model folder, or a run's folder." };
        var task = new Option<string>("--task", "-t") { Description = $"What to undo: {string.Join(", ", RestorationTask.Names)}.", Required = true };
        task.AcceptOnlyFromAmong(RestorationTask.Names);
        var input = new Option<string>("--in", "-i") { Description = "The damaged picture, or a .safetensors file with a tensor 'measurement' (cs, mri and ct need one).", Required = true };
        var degrade = new Option<bool>("--degrade") { Description = "The input is the clean truth: damage it first, and report PSNR and SSIM." };
        var mask = new Option<string?>("--mask", "-m") { Description = "inpaint: white where the picture is seen; mri: where frequencies are sampled (frequency 0 at the top left)." };
        var method = new Option<string?>("--method") { Description = $"{string.Join(", ", Method.Names)}; what suits the task by default." };
        method.AcceptOnlyFromAmong(Method.Names);
        var noise = new Option<double>("--noise") { Description = "Standard deviation of the measurement's noise, on the scale of its values (pictures lie in [-1, 1]).", DefaultValueFactory = _ => 0 };
        var steps = new Option<int>("--steps") { Description = "Sampling steps.", DefaultValueFactory = _ => 100 };
        var samples = new Option<int>("--samples", "-n") { Description = "Answers to draw.", DefaultValueFactory = _ => 4 };
        var scale = new Option<double?>("--scale") { Description = "The method's weight: dps, mcg and pigdm of the gradient, diffpir and reddiff of the model." };
        var strength = new Option<double?>("--strength") { Description = "Start from the classical answer and walk only this share of the steps (CCDF)." };
        var kernel = new Option<string>("--kernel") { Description = "deblur: gaussian, uniform or motion.", DefaultValueFactory = _ => "gaussian" };
        kernel.AcceptOnlyFromAmong("gaussian", "uniform", "motion");
        var kernelSize = new Option<double?>("--kernel-size") { Description = "deblur: standard deviation (gaussian, 1.5), side (uniform, 5) or length (motion, 7) in pixels." };
        var angle = new Option<double>("--angle") { Description = "deblur: direction of motion in degrees.", DefaultValueFactory = _ => 0 };
        var factor = new Option<int>("--factor") { Description = "superres: how many times larger.", DefaultValueFactory = _ => 4 };
        var ratio = new Option<double?>("--ratio") { Description = "cs: share of coefficients measured (0.25); inpaint without a mask: share of pixels seen (0.5)." };
        var acceleration = new Option<double>("--acceleration") { Description = "mri without a mask: one column in so many is sampled.", DefaultValueFactory = _ => 4 };
        var angles = new Option<int>("--angles") { Description = "ct: number of projections.", DefaultValueFactory = _ => 30 };
        var arc = new Option<double>("--arc") { Description = "ct: the angles' range in degrees; below 180 is a limited-angle scan.", DefaultValueFactory = _ => 180 };
        var quality = new Option<int>("--quality") { Description = "jpeg: quality it was compressed at.", DefaultValueFactory = _ => 10 };
        var gain = new Option<double>("--gain") { Description = "hdr: gain before clipping.", DefaultValueFactory = _ => 2 };
        var label = new Option<string?>("--class", "-c") { Description = "A class by name or number; none by default." };
        var guidance = new Option<double?>("--guidance", "-g") { Description = "Classifier-free guidance scale; 1 for none." };
        Option<long> seed = Options.Seed();
        Option<string> deviceName = Options.DeviceName();
        Option<int?> threads = Options.Threads();
        Option<bool> json = Options.Json();
        Option<string?> output = Options.Out("Folder to write to; by default 'restored' beside the model.");
        var command = new Command("restore", "Restores a damaged picture with a trained model: inpainting, deblurring, super-resolution, colour, compressed sensing, magnetic resonance, tomography, JPEG.\n\nExample: langevin restore runs/strokes-ddpm --task superres --factor 4 --in digit.png --degrade --noise 0.05")
        {
            folder, task, input, degrade, mask, method, noise, steps, samples, scale, strength, kernel, kernelSize, angle, factor, ratio, acceleration, angles, arc, quality, gain,
            label, guidance, seed, deviceName, threads, json, output,
        };
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            Options.UseThreads(parsed.GetValue(threads));
            int n = Options.Positive(parsed.GetValue(samples), "--samples"), count = Options.Positive(parsed.GetValue(steps), "--steps");
            double sigma = parsed.GetValue(noise);
            if (!(sigma >= 0 && double.IsFinite(sigma))) throw new ArgumentException($"--noise {sigma}: it must be 0 or more.");
            if (parsed.GetValue(strength) is { } given && given is not (> 0 and <= 1)) throw new ArgumentException($"--strength {given}: it lies in (0, 1].");
            var device = Options.Resolve(parsed.GetValue(deviceName)!);
            string path = parsed.GetValue(folder)!, source = parsed.GetValue(input)!;
            using var model = DiffusionModel.Load(path, device);
            var (channels, height, width) = Canvas.Shape(model);
            using var scope = NewDisposeScope();
            var options = new TaskOptions
            {
                Task = parsed.GetValue(task)!, Noise = sigma, Seed = parsed.GetValue(seed), Kernel = parsed.GetValue(kernel)!, KernelSize = parsed.GetValue(kernelSize), Angle = parsed.GetValue(angle),
                Factor = parsed.GetValue(factor), Ratio = parsed.GetValue(ratio), Acceleration = parsed.GetValue(acceleration), Angles = parsed.GetValue(angles), Arc = parsed.GetValue(arc),
                Quality = parsed.GetValue(quality), Gain = parsed.GetValue(gain), Mask = parsed.GetValue(mask) is { } file ? Canvas.Read(file, 1, null, "mask").gt(0).squeeze(0).squeeze(0) : null,
            };
            if (options.Task == "inpaint" && options.Mask is null && !parsed.GetValue(degrade)) throw new ArgumentException("--task inpaint: say which pixels are seen with --mask FILE (white where seen).");
            using var problem = RestorationTask.Create(options, channels, height, width);
            var (truth, y) = Measure(problem, options, source, parsed.GetValue(degrade), channels, height, width);
            string target = parsed.GetValue(output) ?? Path.Combine(path, "restored");
            var measurement = new Measurement(problem.Operator, y.to(device), sigma);
            string chosen = parsed.GetValue(method) ?? Method.Default(measurement);

            var labels = parsed.GetValue(label) is { } asked ? SampleCommand.Labels(model, asked, n) : model.Description.ClassNames.Count > 0 ? SampleCommand.Labels(model, "none", n) : null;
            var (prior, grid) = Canvas.Prepare(model, count, parsed.GetValue(guidance), labelled: parsed.GetValue(label) is not null and not "none");
            var (denoiser, sampler) = Method.Create(chosen, prior, model.Formulation.ClipsSamples, measurement, parsed.GetValue(scale));
            var classical = problem.Classical(measurement.Y);
            if (parsed.GetValue(strength) is { } share) sampler = new SdEdit(classical, share, sampler);
            var condition = labels is null ? Condition.None : Condition.OfLabel(tensor(labels, device: device));
            var clock = Stopwatch.StartNew();
            using var progress = new ProgressLine(terminal, "restoring");
            var (results, evaluations) = Canvas.Draw(denoiser, sampler, grid, [n, channels, height, width], condition, options.Seed, device, progress, cancellation);

            var figures = Report(problem, measurement, results, classical.cpu(), truth);
            figures["task"] = options.Task;
            figures["method"] = chosen;
            figures["noise"] = sigma;
            figures["evaluations"] = evaluations;
            figures["seconds"] = clock.Elapsed.TotalSeconds;
            figures["files"] = new JsonArray([.. Write(problem, measurement, results, classical.cpu(), truth, target, options.Seed).Select(f => (JsonNode)f)]);
            AtomicFile.WriteAllText(Path.Combine(target, "restore.json"), figures.ToJsonString(new() { WriteIndented = true }));
            if (parsed.GetValue(json)) terminal.Line(figures.ToJsonString());
            else terminal.Line(Summary(figures, problem, target, n));
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }

    // The truth (where the input is it) and the measurement, both [1, ...].
    private static (Tensor? Truth, Tensor Y) Measure(RestorationTask problem, TaskOptions options, string source, bool degrade, long channels, long height, long width)
    {
        bool square = height == width;
        if (degrade)
        {
            var truth = Canvas.Fitting(Canvas.Read(source, channels, square ? (int)height : null, "truth"), source, channels, height, width);
            return (truth, problem.Operator.Measure(truth, options.Noise, new SeededNoise(options.Seed, -1)));
        }
        using var blank = zeros(1, channels, height, width);
        using var expected = problem.Operator.Forward(blank);
        bool picture = !source.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase);
        if (picture && options.Task is "cs" or "mri" or "ct")
            throw new ArgumentException($"--task {options.Task}: its measurement is no picture. Give a .safetensors file with a tensor 'measurement' of [{string.Join(", ", expected.shape[1..])}], or --degrade a clean picture.");
        var y = Canvas.Read(source, picture ? expected.shape[1] : null, null, "measurement");
        if (y.dim() == expected.dim() - 1) y = y.unsqueeze(0);
        y = Canvas.Fitting(y, source, expected.shape[1..]);
        return (null, problem.Operator is Inpainting seen ? seen.Mask(y) * y : y);
    }

    private static JsonObject Report(RestorationTask problem, Measurement measurement, Tensor results, Tensor classical, Tensor? truth)
    {
        using var scope = NewDisposeScope();
        var on = results.to(measurement.Y.device);
        // Root mean square of y − A x, to be compared with the noise.
        double Misfit(Tensor x) => measurement.Misfit(x).mean().to(ScalarType.Float64).item<double>() / Math.Sqrt(measurement.Y.numel());
        var report = new JsonObject { ["classical_method"] = problem.ClassicalName, ["misfit"] = Misfit(on), ["spread"] = Spread(results).mean().to(ScalarType.Float64).item<double>() };
        if (truth is null) return report;
        report["samples"] = Canvas.Figures(results, truth);
        report["mean"] = Canvas.Figures(results.mean([0L], keepdim: true), truth);
        report["classical"] = Canvas.Figures(classical, truth);
        return report;
    }

    private static Tensor Spread(Tensor results) => results.shape[0] > 1 ? results.std(0, unbiased: true, keepdim: true) : zeros_like(results);

    private static List<string> Write(RestorationTask problem, Measurement measurement, Tensor results, Tensor classical, Tensor? truth, string folder, long seed)
    {
        using var scope = NewDisposeScope();
        var written = new List<string>();
        for (int i = 0; i < results.shape[0]; i++)
        {
            written.Add(Path.Combine(folder, $"restored-seed{seed}-{i:d2}.png"));
            ImageGrid.Save(written[^1], Canvas.Drawable(results[i].unsqueeze(0)), 1, 0);
        }
        var mean = results.mean([0L], keepdim: true);
        // Maps are scaled so that white is the largest value.
        static Tensor Map(Tensor values) => 2 * values / values.max().clamp_min(1e-9) - 1;
        List<Tensor> row = [problem.View(measurement.Y).cpu(), classical, results[0].unsqueeze(0), mean, Map(Spread(results))];
        if (truth is not null) row.AddRange([Map((mean - truth).abs()), truth]);
        written.Add(Path.Combine(folder, $"comparison-seed{seed}.png"));
        ImageGrid.Save(written[^1], cat([.. row.Select(p => Canvas.Drawable(p))]), row.Count, zoom: results.shape[3] < 64 ? 4 : 1);
        written.Add(Path.Combine(folder, $"restored-seed{seed}.safetensors"));
        List<KeyValuePair<string, Tensor>> tensors = [new("samples", results), new("measurement", measurement.Y.cpu()), new("classical", classical)];
        if (truth is not null) tensors.Add(new("truth", truth));
        SafeTensors.Save(written[^1], tensors);
        return written;
    }

    private static string Summary(JsonObject figures, RestorationTask problem, string target, int count)
    {
        string text = $"{count} answers by {(string)figures["method"]!} in {(double)figures["seconds"]!:f1} s, misfit {(double)figures["misfit"]!:g3} (noise {(double)figures["noise"]!:g3}); see '{Path.Combine(target, "comparison")}-*.png'";
        if (figures["samples"] is not JsonObject samples) return text;
        string Of(JsonNode? f) => $"{(double)f!["psnr"]!:f2} dB{(f["ssim"] is { } s ? $", SSIM {(double)s:f3}" : "")}";
        return $"{text}\nsamples {Of(samples)}; their mean {Of(figures["mean"])}; {problem.ClassicalName} {Of(figures["classical"])}";
    }
}
