using System.CommandLine;
using System.Text.Json.Nodes;
using Langevin.Cli.Runs;
using Langevin.Hub;
using Langevin.Objectives;
using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin likelihood MODEL</c>: bits per dimension of held-out data.</summary>
internal static class LikelihoodCommand
{
    public static Command Create(Terminal terminal)
    {
        var folder = new Argument<string>("model") { Description = "A model folder, or a run's folder." };
        var data = new Option<string?>("--data") { Description = "Data to evaluate; the run's own held-out tenth by default." };
        var method = new Option<string>("--method") { Description = "flow: the probability flow with Hutchinson's trace; vlb: the variational bound (ddpm); auto: vlb for ddpm, else flow.", DefaultValueFactory = _ => "auto" };
        method.AcceptOnlyFromAmong("auto", "flow", "vlb");
        var count = new Option<int>("--count", "-n") { Description = "Items to evaluate.", DefaultValueFactory = _ => 64 };
        var terms = new Option<int>("--terms") { Description = "vlb: terms drawn for each item; all steps at most.", DefaultValueFactory = _ => 50 };
        var tolerance = new Option<double>("--tolerance") { Description = "flow: tolerance of the adaptive solver.", DefaultValueFactory = _ => 1e-3 };
        Option<long> seed = Options.Seed();
        Option<string> deviceName = Options.DeviceName();
        Option<int?> threads = Options.Threads();
        Option<bool> json = Options.Json();
        var command = new Command("likelihood", "Bits per dimension of held-out data (nats for data that are not images).\n\nExample: langevin likelihood runs/strokes-edm -n 100")
        { folder, data, method, count, terms, tolerance, seed, deviceName, threads, json };
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            Options.UseThreads(parsed.GetValue(threads));
            int n = Options.Positive(parsed.GetValue(count), "--count");
            if (!(parsed.GetValue(tolerance) > 0)) throw new ArgumentException($"--tolerance {parsed.GetValue(tolerance)}: it must be above 0.");
            string path = parsed.GetValue(folder)!;
            var device = Options.Resolve(parsed.GetValue(deviceName)!);
            using var model = DiffusionModel.Load(path, device);
            var held = Judgement.HeldOut(EvaluateCommand.Data(path, parsed.GetValue(data), model));
            n = Math.Min(n, held.Count);
            string chosen = parsed.GetValue(method)!;
            bool isTable = model.Denoiser.Process is DiscreteProcess && model.Formulation.Options.Name == "ddpm";
            if (chosen == "auto") chosen = isTable ? "vlb" : "flow";
            if (chosen == "vlb" && !isTable) throw new ArgumentException($"--method vlb: the bound needs a DDPM model; this one is {model.Formulation.Options.Name}. Use --method flow.");
            bool images = model.Description.ItemShape.Count == 3;
            var values = new List<double>();
            using (var progress = new ProgressLine(terminal, "likelihood"))
                for (int first = 0; first < n; first += 32)
                {
                    cancellation.ThrowIfCancellationRequested();
                    int size = Math.Min(32, n - first);
                    using var scope = NewDisposeScope();
                    using var batch = held.Get([.. Enumerable.Range(first, size).Select(i => (long)i)], 0);
                    var x = batch.Samples.to(device);
                    var condition = model.Description.ClassNames.Count > 0 && batch.Labels is { } labels ? Condition.OfLabel(labels.to(device)) : Condition.None;
                    Tensor result;
                    if (chosen == "vlb")
                    {
                        var variance = model.Formulation.Options.LearnedVariance ? ReverseVariance.Learned : ReverseVariance.Small;
                        int steps = model.Denoiser.Process.StepCount!.Value, asked = Math.Clamp(parsed.GetValue(terms), 2, steps);
                        result = new VariationalBound(variance).Evaluate(model.Denoiser, x, condition, terms: asked == steps ? null : asked, seed: parsed.GetValue(seed) + first).Total;
                    }
                    else
                    {
                        var noise = new SeededNoise(parsed.GetValue(seed), first);
                        // 8-bit images become a density by uniform noise of one level's width.
                        if (images) x = Dequantised(x, noise);
                        double t = parsed.GetValue(tolerance);
                        using var likelihood = new Likelihood(t, t).Evaluate(model.Denoiser, x, condition, noise, cancellation: cancellation);
                        result = images ? likelihood.BitsPerDimension() : -likelihood.LogLikelihood;
                    }
                    values.AddRange(result.to(ScalarType.Float64).cpu().data<double>().ToArray());
                    progress.Report((first + size) / (double)n);
                }
            string unit = images ? "bits/dim" : "nats";
            double mean = values.Average(), error = values.Count > 1 ? Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1) / values.Count) : double.NaN;
            if (parsed.GetValue(json))
                terminal.Line(new JsonObject { ["method"] = chosen, ["unit"] = unit, ["negative_log_likelihood"] = mean, ["standard_error"] = double.IsNaN(error) ? null : error, ["items"] = values.Count }.ToJsonString());
            else
                terminal.Line($"{mean:f4} ± {error:f4} {unit} (negative log-likelihood by {(chosen == "vlb" ? "the variational bound" : "the probability flow")}, mean ± standard error over {values.Count} held-out items)");
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }

    private static Tensor Dequantised(Tensor x, INoise noise)
    {
        // Φ of a normal draw is uniform: the noise of a sample depends on its own seed alone.
        var uniform = 0.5 * (1 + special.erf(noise.Next(x) / Math.Sqrt(2)));
        var level = ((x + 1) * 127.5).round();
        return (level + uniform) / 128 - 1;
    }
}
