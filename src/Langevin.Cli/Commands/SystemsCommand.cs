using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Langevin.Cli.Runs;
using Langevin.Systems;
using Langevin.Systems.Reports;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin systems</c>: the systems of the survey, run, judged and applied.</summary>
internal static class SystemsCommand
{
    private static Option<string> Folder() => new("--out", "-o") { Description = "Folder of models and results.", DefaultValueFactory = _ => "systems" };

    private static Option<string?> Data() => new("--data") { Description = "Folder of real data sets (mnist/, ecg/, ...) for the systems that use one." };

    private static Argument<string> Id() => new("id") { Description = "The system's name, as 'langevin systems list' shows it." };

    public static Command Create(Terminal terminal) => new("systems", "The systems of the survey: each with its baseline and its ablations.\n\nExamples:\n  langevin systems list\n  langevin systems run ddim --quick\n  langevin systems run --all --full --seeds 3")
    {
        List(terminal), Show(terminal), Run(terminal), Apply(terminal), Report(terminal),
    };

    private static Command List(Terminal terminal)
    {
        var (folder, json) = (Folder(), Options.Json());
        var command = new Command("list", "Lists all systems with the verdict of their last run.") { folder, json };
        command.SetAction(parsed =>
        {
            var bench = new Bench(parsed.GetValue(folder)!);
            var rows = SystemRegistry.All.Select(s => (System: s, Last: bench.Last(s.Card.Id)));
            if (parsed.GetValue(json)) terminal.Line(new JsonArray([.. rows.Select(r => Json(r.System, r.Last))]).ToJsonString());
            else terminal.Table(["system", "survey", "domain", "what it is", "time", "last run"], rows.Select(r => (string[])
                [r.System.Card.Id, r.System.Card.Reference, r.System.Card.Domain, r.System.Card.Title, $"{r.System.Card.Time}", State(r.Last)]));
            return App.Ok;
        });
        return command;
    }

    private static Command Show(Terminal terminal)
    {
        var (id, folder, json) = (Id(), Folder(), Options.Json());
        var command = new Command("show", "What a system does and how it is judged.") { id, folder, json };
        command.SetAction(parsed =>
        {
            var system = SystemRegistry.Find(parsed.GetValue(id)!);
            var card = system.Card;
            var last = new Bench(parsed.GetValue(folder)!).Last(card.Id);
            if (parsed.GetValue(json))
            {
                terminal.Line(Json(system, last).ToJsonString());
                return App.Ok;
            }
            terminal.Line($"{card.Id} {card.Reference}: {card.Title}");
            terminal.Line();
            terminal.Table(["", ""], (string[][])
            [
                ["paper", card.Paper], ["mechanism", card.Mechanism], ["as in the paper", card.Faithful], ["stands in", card.StandIn], ["data", card.Data],
                ["metric", $"{card.Metric.Name}, {card.Metric.Better.ToString().ToLowerInvariant()} is better"],
                ["arms", string.Join("; ", system.Arms.Select(a => $"{a.Name} ({a.Role.ToString().ToLowerInvariant()})"))],
                ["time", $"{card.Time}"], ["on your files", system.Application ?? "takes none"], ["last run", State(last)], ["remark", card.Remark ?? "none"],
            ]);
            return App.Ok;
        });
        return command;
    }

    private static Command Run(Terminal terminal)
    {
        var id = new Argument<string[]>("id") { Description = "Systems to run.", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "Run every system." };
        var quick = new Option<bool>("--quick") { Description = "A look in a minute or two each, one seed unless --seeds says otherwise; this is the default." };
        var full = new Option<bool>("--full") { Description = "The figures that are reported, three seeds." };
        var seeds = new Option<int?>("--seeds") { Description = "How many seeds." };
        var fresh = new Option<bool>("--fresh") { Description = "Do again what has been done; trained models are kept." };
        var (folder, data, json, threads) = (Folder(), Data(), Options.Json(), Options.Threads());
        var command = new Command("run", "Trains, judges and compares. What is done is kept: a run that was stopped goes on where it was.") { id, all, quick, full, seeds, fresh, folder, data, threads, json };
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            Options.UseThreads(parsed.GetValue(threads));
            if (parsed.GetValue(quick) && parsed.GetValue(full)) throw new ArgumentException("--quick and --full exclude each other.");
            string[] named = parsed.GetValue(id) ?? [];
            if (named.Length == 0 != parsed.GetValue(all)) throw new ArgumentException("Which systems? Name some, or say --all.");
            IReadOnlyList<DiffusionSystem> chosen = parsed.GetValue(all) ? SystemRegistry.All : [.. named.Select(SystemRegistry.Find)];
            bool large = parsed.GetValue(full);
            string? sets = parsed.GetValue(data);
            if (sets is not null && !Directory.Exists(sets)) throw new DirectoryNotFoundException($"--data {sets}: there is no such folder.");
            var options = new BenchOptions
            {
                Scale = large ? Scale.Full : Scale.Quick,
                Seeds = parsed.GetValue(seeds) is { } n ? Options.Positive(n, "--seeds") : large ? 3 : 1,
                Fresh = parsed.GetValue(fresh),
                Data = sets,
            };
            var bench = new Bench(parsed.GetValue(folder)!);
            var results = new List<SystemResult>();
            var failed = new List<string>();
            foreach (var system in chosen)
            {
                using var progress = new ProgressLine(terminal, system.Card.Id);
                try
                {
                    var result = bench.Run(system, options with { Progress = p => progress.Report(p.Done, () => $"{p.Arm}, seed {p.Seed}: {p.What} {p.Share:p0}") }, cancellation);
                    results.Add(result);
                    if (!parsed.GetValue(json)) Print(terminal, system, result);
                }
                catch (Exception e) when (chosen.Count > 1 && e is not OperationCanceledException)
                {
                    failed.Add($"{system.Card.Id}: {e.Message}"); // the others may have hours before them
                }
            }
            bench.Report();
            if (parsed.GetValue(json)) terminal.Line($"[{string.Join(',', results.Select(r => r.ToJson()))}]");
            else terminal.Line($"pages: {Path.Combine(bench.Folder, "index.html")}");
            foreach (string failure in failed) terminal.Error(failure);
            return failed.Count == 0 ? App.Ok : App.Failure;
        }, CancellationToken.None));
        return command;
    }

    private static Command Apply(Terminal terminal)
    {
        var id = Id();
        var input = new Option<string>("--in") { Description = "Your file or folder.", Required = true };
        var output = new Option<string>("--out") { Description = "Where to write.", Required = true };
        var models = new Option<string>("--models") { Description = "Folder of models and results.", DefaultValueFactory = _ => "systems" };
        var full = new Option<bool>("--full") { Description = "With the model of a full run." };
        var (data, seed) = (Data(), Options.Seed());
        var command = new Command("apply", "Serves your own file with a system; its model is trained first where it is not there.\n\nExample: langevin systems apply descod-ecg --in record.dat --out clean.csv") { id, input, output, models, full, data, seed };
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            var system = SystemRegistry.Find(parsed.GetValue(id)!);
            string from = parsed.GetValue(input)!;
            if (system.Application is not null && !Path.Exists(from)) throw new FileNotFoundException($"There is no file '{from}'.", from);
            using var progress = new ProgressLine(terminal, system.Card.Id);
            var trial = new Bench(parsed.GetValue(models)!).Trial(new() { Scale = parsed.GetValue(full) ? Scale.Full : Scale.Quick, Data = parsed.GetValue(data) }, parsed.GetValue(seed),
                (share, what) => progress.Report(share, () => what), cancellation);
            system.Apply(trial, from, parsed.GetValue(output)!);
            terminal.Line($"written to {parsed.GetValue(output)}");
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }

    private static Command Report(Terminal terminal)
    {
        var folder = Folder();
        var markdown = new Option<bool>("--markdown") { Description = "Print the tables as Markdown." };
        var command = new Command("report", "Writes one page over everything that has been run, and systems.json.") { folder, markdown };
        command.SetAction(parsed =>
        {
            var bench = new Bench(parsed.GetValue(folder)!);
            bench.Report();
            if (parsed.GetValue(markdown)) terminal.Line(Overview.Markdown([.. SystemRegistry.All.Select(s => bench.Last(s.Card.Id)).OfType<SystemResult>()]));
            else terminal.Line($"written to {Path.Combine(bench.Folder, "index.html")}");
            return App.Ok;
        });
        return command;
    }

    private static void Print(Terminal terminal, DiffusionSystem system, SystemResult result)
    {
        terminal.Line(SystemPage.Sentence(system.Card, result));
        terminal.Table(["arm", system.Card.Metric.Name, "method less this, 95 % interval", "seconds"], result.Arms.Select(a =>
        {
            var c = result.Comparisons.FirstOrDefault(c => c.Arm == a.Name);
            return (string[])[a.Name, SystemPage.Spread(a), c is null ? "" : $"{SystemPage.Number(c.Difference)} [{SystemPage.Number(c.Interval.Low)}, {SystemPage.Number(c.Interval.High)}]", a.Seconds.Sum().ToString("f0", CultureInfo.InvariantCulture)];
        }));
    }

    private static string State(SystemResult? last) => last is null ? "not run" : $"{last.Verdict.ToString().ToLowerInvariant()}{(last.AblationsAsClaimed ? "" : ", ablation not as claimed")}, {last.Scale.ToString().ToLowerInvariant()}, {last.Seeds.Count} seed{(last.Seeds.Count == 1 ? "" : "s")}, {last.Date:yyyy-MM-dd}";

    private static JsonObject Json(DiffusionSystem system, SystemResult? last) => new()
    {
        ["id"] = system.Card.Id, ["reference"] = system.Card.Reference, ["title"] = system.Card.Title, ["domain"] = system.Card.Domain, ["paper"] = system.Card.Paper,
        ["mechanism"] = system.Card.Mechanism, ["faithful"] = system.Card.Faithful, ["stand_in"] = system.Card.StandIn, ["data"] = system.Card.Data,
        ["metric"] = system.Card.Metric.Name, ["better"] = system.Card.Metric.Better.ToString().ToLowerInvariant(), ["time"] = system.Card.Time.ToString(),
        ["arms"] = new JsonArray([.. system.Arms.Select(a => new JsonObject { ["name"] = a.Name, ["role"] = a.Role.ToString().ToLowerInvariant() })]),
        ["remark"] = system.Card.Remark, ["application"] = system.Application, ["last"] = last is null ? null : JsonNode.Parse(last.ToJson()),
    };
}
