using Langevin.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Evaluation;

/// <summary>Tables and arrays: each row is a sample and its values are the features, so that embeddings made elsewhere can be compared.</summary>
internal static class RowContent
{
    private const int Widest = 8192;
    private static readonly string[] Extensions = [".csv", ".npy", ".npz"], Default = ["fid", "kid", "prdc"];

    public static IReadOnlyDictionary<string, string> Measures { get; } = SetMeasures.Names.Where(m => m.Key is not ("sfid" or "is")).ToDictionary();

    public static bool Holds(string path) => !Directory.Exists(path) || Files(path).Length > 0;

    public static FolderReport Evaluate(FolderRequest request, Terminal terminal, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var (real, fake) = (Rows(request.Real, request), Rows(request.Fake, request));
        if (real.size(1) != fake.size(1)) throw new InvalidDataException($"{request.Fake}: rows of {fake.size(1)} values where {request.Real} has {real.size(1)}.");
        if (real.size(1) > Widest) throw new InvalidDataException($"{request.Real}: rows of {real.size(1)} values are too wide to compare as features: the limit is {Widest}.");
        var input = new SetInput(real.to(request.Device), fake.to(request.Device), null, null, request);
        return new()
        {
            Kind = "rows of values", Real = real.size(0), Fake = fake.size(0),
            Networks = [($"none: the {real.size(1)} values themselves", "-")],
            Measures = SetMeasures.Measure(request.Measures.Count > 0 ? request.Measures : Default, input, cancellation),
            Warnings = input.Warnings,
        };
    }

    private static string[] Files(string path) =>
        [.. Directory.EnumerateFiles(path).Where(f => Extensions.Contains(Path.GetExtension(f).ToLowerInvariant())).Order(StringComparer.Ordinal)];

    private static Tensor Rows(string path, FolderRequest request)
    {
        var options = new DataOptions { Label = request.Label };
        string[] files = Directory.Exists(path) ? Files(path) : [path];
        var parts = files.Select(f =>
        {
            var set = Datasets.Open(f, options);
            using var batch = set.Get([.. Enumerable.Range(0, set.Count).Select(i => (long)i)], 0);
            var rows = batch.Samples.flatten(1).clone();
            (set as IDisposable)?.Dispose();
            return (File: f, Rows: rows);
        }).ToList();
        if (parts.Find(p => p.Rows.size(1) != parts[0].Rows.size(1)) is { File: { } other } odd)
            throw new InvalidDataException($"{other}: rows of {odd.Rows.size(1)} values where {parts[0].File} has {parts[0].Rows.size(1)}.");
        return cat(parts.Select(p => p.Rows).ToList());
    }
}
