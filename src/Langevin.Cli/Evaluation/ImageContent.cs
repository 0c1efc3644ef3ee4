using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Data.Formats;
using Langevin.Metrics.Extractors;
using Langevin.Metrics.Judging;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Evaluation;

/// <summary>Images: sets by the features of an extractor, and pairs of the same name.</summary>
internal static class ImageContent
{
    private const int ReadBatch = 64;
    private const long MostJudgeBytes = 1L << 31;
    private static readonly string[] Default = ["fid", "kid", "prdc"];

    public static IReadOnlyDictionary<string, string> Measures { get; } = SetMeasures.Names.Concat(PairMeasures.Names).ToDictionary();

    /// <summary>Folders of image files, and data sets of items C×H×W.</summary>
    public static bool Holds(string path)
    {
        if (ImageFiles.IsFolder(path)) return true;
        if (Directory.Exists(path) && RowContent.Holds(path)) return false;
        try
        {
            var set = Datasets.Open(path, new() { Count = 1 });
            bool images = set.ItemShape.Length == 3;
            (set as IDisposable)?.Dispose();
            return images;
        }
        catch (InvalidDataException) when (Directory.Exists(path))
        {
            return false; // of another kind, or of none
        }
    }

    public static FolderReport Evaluate(FolderRequest request, Terminal terminal, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        string[] names = [.. request.Measures.Count > 0 ? request.Measures : Default];
        string[] sets = [.. names.Where(SetMeasures.Names.ContainsKey)], pairs = [.. names.Where(PairMeasures.Names.ContainsKey)];
        using var own = ImageNetworks.From(request);
        var (real, fake) = Open(request, oneSize: sets.Length > 0);
        var (measures, networks, warnings) = (new List<Measured>(), new List<(string, string)>(), new List<string>());
        if (sets.Length > 0)
        {
            using var judge = own.Inception is null ? JudgeOf(real, request, terminal, warnings, cancellation) : null;
            IFeatureExtractor extractor = own.Inception ?? judge!.Extractor;
            networks.Add((extractor.Name, extractor.Hash));
            bool spatial = own.Inception is not null && sets.Contains("sfid");
            var first = Read(real, extractor, false, spatial, terminal, "reading the real set", cancellation);
            var second = Read(fake, extractor, sets.Contains("is"), spatial, terminal, "reading the generated set", cancellation);
            var input = new SetInput(first.Features, second.Features, second.Logits, spatial ? (first.Spatial!, second.Spatial!) : null, request);
            measures.AddRange(SetMeasures.Measure(sets, input, cancellation));
            warnings.AddRange(input.Warnings);
        }
        if (pairs.Length > 0) measures.AddRange(PairMeasures.Measure(pairs, Pairs(real, fake), own, request, cancellation));
        networks.AddRange(own.Used(pairs));
        return new() { Kind = "images", Real = real.Count, Fake = fake.Count, Networks = networks, Measures = measures, Warnings = warnings };
    }

    private static (IDataset Real, IDataset Fake) Open(FolderRequest request, bool oneSize)
    {
        IDataset One(string path, bool? grey) => ImageFiles.IsFolder(path)
            ? ImageFiles.Open(path, new() { Size = request.Size, Grey = grey }, oneSize)
            : Datasets.Open(path, new() { Size = request.Size, Grey = grey });
        var (real, fake) = (One(request.Real, request.Grey), One(request.Fake, request.Grey));
        // Grey only where both are.
        if (real.ItemShape[0] != fake.ItemShape[0] && request.Grey is null)
            (real, fake) = (One(request.Real, false), One(request.Fake, false));
        if (oneSize && !real.ItemShape.AsSpan().SequenceEqual(fake.ItemShape))
            throw new InvalidDataException($"the images of {request.Real} are {string.Join("×", real.ItemShape)}, those of {request.Fake} {string.Join("×", fake.ItemShape)}; give a --size to scale both to.");
        return (real, fake);
    }

    /// <summary>The judge that is made from the real set.</summary>
    private static Judge JudgeOf(IDataset real, FolderRequest request, Terminal terminal, List<string> warnings, CancellationToken cancellation)
    {
        long bytes = real.Count * real.ItemShape.Aggregate(4L, (a, b) => a * b);
        if (bytes > MostJudgeBytes) throw new InvalidDataException($"{request.Real}: {real.Count} images of {string.Join("×", real.ItemShape)} take {bytes >> 20} MiB, too much to make a judge from; give a smaller --size, or weights of an extractor with --weights.");
        if (real.Count < 4) throw new InvalidDataException($"{request.Real}: {real.Count} images are too few to judge by.");
        var judge = Judgement.JudgeOf(terminal, real, cancellation);
        if (judge.Extractor.ClassCount == 0)
            warnings.Add("the real images bear no labels: features are principal components of the pixels, blind to fine detail; figures compare only at this extractor's hash");
        return judge;
    }

    private static (Tensor Features, Tensor? Logits, Tensor? Spatial) Read(
        IDataset set, IFeatureExtractor extractor, bool logits, bool spatial, Terminal terminal, string what, CancellationToken cancellation)
    {
        using var progress = new ProgressLine(terminal, what);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (features, classes, maps) = (new List<Tensor>(), new List<Tensor>(), new List<Tensor>());
        long done = 0;
        foreach (var batch in set.InOrder(ReadBatch))
        {
            cancellation.ThrowIfCancellationRequested();
            using var one = NewDisposeScope();
            using (batch)
            {
                if (extractor is InceptionExtractor inception)
                {
                    var (pooled, map) = inception.Read(batch.Samples);
                    features.Add(pooled.MoveToOuterDisposeScope());
                    if (spatial) maps.Add(map.MoveToOuterDisposeScope());
                    if (logits) classes.Add(inception.LogitsOf(pooled).MoveToOuterDisposeScope());
                }
                else
                {
                    features.Add(extractor.Features(batch.Samples).MoveToOuterDisposeScope());
                    if (logits && extractor.Logits(batch.Samples) is { } l) classes.Add(l.MoveToOuterDisposeScope());
                }
            }
            progress.Report(Math.Min(1, (done += ReadBatch) / (double)set.Count));
        }
        Tensor? Joined(List<Tensor> parts) => parts.Count > 0 ? cat(parts).MoveToOuterDisposeScope() : null;
        return (Joined(features)!, Joined(classes), Joined(maps));
    }

    /// <summary>Pairs by file name without its extension, else by number.</summary>
    private static IEnumerable<(string Name, Tensor Real, Tensor Fake)> Pairs(IDataset real, IDataset fake)
    {
        if (real.Count != fake.Count) throw new InvalidDataException($"pairs need equal counts: {real.Count} real images, {fake.Count} generated ones.");
        if (real is ImageFiles a && fake is ImageFiles b)
            for (int i = 0; i < a.Count; i++)
                if (Path.ChangeExtension(a.Paths[i], null) != Path.ChangeExtension(b.Paths[i], null))
                    throw new InvalidDataException($"pairs need equal names: '{a.Paths[i]}' stands against '{b.Paths[i]}'.");
        for (int i = 0; i < real.Count; i++)
        {
            using var first = real.Get([i], 0);
            using var second = fake.Get([i], 0);
            yield return (real is ImageFiles files ? files.Paths[i] : $"item {i}", first.Samples, second.Samples);
        }
    }
}
