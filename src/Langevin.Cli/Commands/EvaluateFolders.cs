using System.CommandLine;
using Langevin.Cli.Evaluation;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin evaluate --real A --fake B</c>: the half of the command that compares two sets as they lie there.</summary>
internal sealed class EvaluateFolders
{
    private readonly Option<string?> real = new("--real") { Description = "Real samples: a folder or file of images, of point clouds (PLY, OBJ, OFF, XYZ), or of rows (CSV, NumPy). Compares sets as they are; no model is needed." };
    private readonly Option<string?> fake = new("--fake") { Description = "Generated samples of the same kind." };
    private readonly Option<string?> metrics = new("--metrics", "-m")
    {
        Description = "What to measure, comma-separated (fid,kid,prdc by default; mmd,cov,1nna,jsd of clouds). "
            + string.Join("; ", Contents.All.Select(c => $"{c.Name}: {string.Join(", ", c.Measures.Keys)}")) + ".",
    };
    private readonly Option<string[]> weights = new("--weights") { Description = "Weight files of networks to judge by, for example the FID Inception; what each is, its keys tell.", AllowMultipleArgumentsPerToken = true };
    private readonly Option<string?> kind = new Option<string?>("--kind") { Description = $"What the files are: {string.Join(", ", Contents.All.Select(c => c.Kind))}; told by the files themselves by default." }.AcceptOnlyFromAmong([.. Contents.All.Select(c => c.Kind)]);
    private readonly Option<int?> points = new("--points") { Description = "Clouds: points drawn of each; by default as many as the smallest has, at most 2,048." };
    private readonly Option<string> normalise = new Option<string>("--normalise") { Description = "Clouds: none; box: each centred, its longest side 1; ball: each of mean 0, its farthest point at ½.", DefaultValueFactory = _ => "none" }.AcceptOnlyFromAmong("none", "box", "ball");
    private readonly Option<int> neighbours = new("--neighbours") { Description = "k of precision, recall, density and coverage.", DefaultValueFactory = _ => 5 };
    private readonly Option<int> resamples = new("--resamples") { Description = "Bootstrap resamples of the intervals.", DefaultValueFactory = _ => 200 };
    private readonly Option<int?> size;
    private readonly Option<bool?> grey;
    private readonly Option<string?> label;

    public EvaluateFolders() => (size, grey, label) = Options.Reading();

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { real, fake, metrics, kind, weights, neighbours, resamples, points, normalise, size, grey, label }) command.Options.Add(option);
    }

    /// <summary>Whether two folders are to be compared, rather than a model judged.</summary>
    public bool Asked(ParseResult parsed) => parsed.GetValue(real) is not null || parsed.GetValue(fake) is not null;

    public int Run(ParseResult parsed, Terminal terminal, string device, long seed, bool json, string? output, CancellationToken cancellation)
    {
        string Given(Option<string?> option) => parsed.GetValue(option) ?? throw new ArgumentException($"{option.Name} is missing: comparing two sets needs --real and --fake.");
        int samples = parsed.GetValue(resamples);
        if (samples < 10) throw new ArgumentException($"--resamples {samples}: it must be at least 10.");
        var request = new FolderRequest
        {
            Real = Given(real), Fake = Given(fake), Seed = seed, Device = Options.Resolve(device), Resamples = samples,
            Measures = [.. (parsed.GetValue(metrics) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(m => m.ToLowerInvariant()).Distinct()],
            Weights = parsed.GetValue(weights) ?? [], Neighbours = Options.Positive(parsed.GetValue(neighbours), "--neighbours"),
            Kind = parsed.GetValue(kind), Points = parsed.GetValue(points) is { } n ? Options.Positive(n, "--points") : null, Normalise = parsed.GetValue(normalise)!,
            Size = parsed.GetValue(size), Grey = parsed.GetValue(grey), Label = parsed.GetValue(label),
        };
        var report = Contents.Evaluate(request, terminal, cancellation);
        if (output is not null) AtomicFile.WriteAllText(output, report.ToJson(request));
        if (json) terminal.Line(report.ToJson(request));
        else terminal.Table(["measure", "value", $"{request.Level:p0} interval", "note"], report.Rows());
        return App.Ok;
    }
}
