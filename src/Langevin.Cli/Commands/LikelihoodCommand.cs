using System.CommandLine;
using Langevin.Cli.Runs;
using Langevin.Hub;

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
            var nll = HeldOutLikelihood.Evaluate(terminal, model, held, n, parsed.GetValue(method)!, parsed.GetValue(terms), parsed.GetValue(tolerance), parsed.GetValue(seed), cancellation);
            if (parsed.GetValue(json)) terminal.Line(nll.ToJson().ToJsonString());
            else
                terminal.Line($"{nll.Mean:f4} ± {nll.StandardError:f4} {nll.Unit} (negative log-likelihood by {(nll.Method == "vlb" ? "the variational bound" : "the probability flow")}, mean ± standard error over {nll.Values.Count} held-out items)");
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }
}
