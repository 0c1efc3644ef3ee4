using Langevin.Data;
using Langevin.Data.Formats;
using Langevin.Metrics;
using Langevin.Metrics.PointClouds;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Evaluation;

/// <summary>Point clouds: sets by the distances between their clouds, and pairs of the same name.</summary>
internal static class CloudContent
{
    private const int MostPoints = 2048, FewClouds = 100;
    private const double Threshold = 0.01;
    private static readonly string[] Default = ["mmd", "cov", "1nna", "jsd"];

    private static readonly Dictionary<string, (string What, Func<CloudInput, IEnumerable<Measured>> Measure)> Sets = new()
    {
        ["mmd"] = ("mean Chamfer distance of a real cloud to the nearest generated one", i => [Matching("mmd", i.Chamfer, i.Request)]),
        ["cov"] = ("share of the real clouds that are some generated cloud's nearest by Chamfer distance", i => [Covered("cov", i.Chamfer, i.Request)]),
        ["1nna"] = ("share of clouds whose nearest other cloud is of their own set, by Chamfer distance: 0.5 for equal distributions", i => [Nearest("1nna", i.Chamfer, i.Request)]),
        ["mmd-emd"] = ("the same by the exact earth mover's distance", i => [Matching("mmd-emd", i.EarthMover, i.Request)]),
        ["cov-emd"] = ("the same by the exact earth mover's distance", i => [Covered("cov-emd", i.EarthMover, i.Request)]),
        ["1nna-emd"] = ("the same by the exact earth mover's distance", i => [Nearest("1nna-emd", i.EarthMover, i.Request)]),
        ["jsd"] = ("Jensen–Shannon divergence in bits of the points' shares on a grid of 28³ in the ball of radius ½", Occupied),
    };

    private static readonly Dictionary<string, (string What, Func<Tensor, Tensor, Tensor> Measure)> Pairs = new()
    {
        ["chamfer"] = ("squared Chamfer distance, both ways added", Chamfer.Squared),
        ["emd"] = ("exact earth mover's distance, mean of a point's way", (a, b) => EarthMover.Between(a, b).cost),
        ["fscore"] = ("F-score at 1 % of the diagonal of the real cloud's bounding box", (a, b) => Chamfer.FScore(a, b, Threshold * Diagonal(a))),
    };

    public static IReadOnlyDictionary<string, string> Measures { get; } =
        Sets.Select(m => (m.Key, m.Value.What)).Concat(Pairs.Select(m => (m.Key, m.Value.What))).ToDictionary(m => m.Key, m => m.What);

    /// <summary>Folders of files of points, one of them, or one array [clouds, points, 3].</summary>
    public static bool Holds(string path)
    {
        if (Directory.Exists(path)) return Files(path).Length > 0;
        if (PointFile.HasPointExtension(path)) return true;
        if (Path.GetExtension(path).ToLowerInvariant() is not ".npy" || !File.Exists(path)) return false;
        using var array = Npy.Read(path);
        return array.dim() == 3 && array.size(2) == 3;
    }

    public static FolderReport Evaluate(FolderRequest request, Terminal terminal, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        string[] names = [.. request.Measures.Count > 0 ? request.Measures : Default];
        var (real, fake) = (Read(request.Real), Read(request.Fake));
        long points = request.Points ?? Math.Min(MostPoints, real.Concat(fake).Min(c => c.Points.size(0)));
        if (real.Concat(fake).FirstOrDefault(c => c.Points.size(0) < points) is { Name: { } few } small) throw new InvalidDataException($"{few}: {small.Points.size(0)} points are fewer than --points {points}.");
        Tensor Clouds(IReadOnlyList<(string Name, Tensor Points)> set) => stack(set.Select((c, i) => Normalised(Drawn(c.Points, points, request.Seed + i), request.Normalise)).ToList()).to(request.Device);
        var input = new CloudInput(Clouds(real), Clouds(fake), request, terminal, cancellation);
        var measures = new List<Measured>();
        foreach (string name in names)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Sets.TryGetValue(name, out var set)) measures.AddRange(set.Measure(input));
            else measures.Add(Paired(name, real, fake, input));
        }
        if (names.Any(n => Sets.ContainsKey(n) && n != "jsd") && Math.Min(real.Length, fake.Length) < FewClouds)
            input.Warnings.Add($"{Math.Min(real.Length, fake.Length)} clouds a side say little of a distribution: below {FewClouds} coverage and nearest neighbours move by several points with other samples");
        return new()
        {
            Kind = "point clouds", Real = real.Length, Fake = fake.Length, Measures = measures, Warnings = input.Warnings,
            Networks = [($"none: {points} points of each cloud" + (request.Normalise == "none" ? "" : $", each scaled to its {request.Normalise}"), "-")],
        };
    }

    private static string[] Files(string path) => [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(PointFile.HasPointExtension).Order(StringComparer.Ordinal)];

    private static (string Name, Tensor Points)[] Read(string path)
    {
        if (!Directory.Exists(path) && Path.GetExtension(path).Equals(".npy", StringComparison.OrdinalIgnoreCase))
            return [.. Npy.Read(path).to(ScalarType.Float64).unbind(0).Select((c, i) => ($"cloud {i}", c))];
        if (!Directory.Exists(path)) return [(Path.GetFileName(path), PointFile.Load(path))];
        return [.. Files(path).Select(f => (Path.GetRelativePath(path, f), PointFile.Load(f)))];
    }

    /// <summary>A seeded choice of points, in the file's order where all are taken.</summary>
    private static Tensor Drawn(Tensor cloud, long points, long seed)
    {
        if (cloud.size(0) == points) return cloud;
        using var random = new Generator((ulong)seed);
        return cloud.index_select(0, randperm(cloud.size(0), generator: random).narrow(0, 0, points));
    }

    /// <summary>box: centred, the longest side 1; ball: mean at 0, the farthest point at ½.</summary>
    private static Tensor Normalised(Tensor cloud, string how)
    {
        if (how == "none") return cloud;
        var centred = how == "box" ? cloud - (cloud.amin([0]) + cloud.amax([0])) / 2 : cloud - cloud.mean([0L]);
        var size = 2 * (how == "box" ? centred.abs().max() : centred.square().sum(1).max().sqrt());
        return centred / size.clamp_min(1e-300);
    }

    private static double Diagonal(Tensor cloud) => (cloud.amax([1]) - cloud.amin([1])).norm().item<double>();

    private static Measured Matching(string name, CloudDistances d, FolderRequest request)
    {
        double Of(Tensor i) => CloudSets.Coverage(d.Between.index_select(0, i.to(d.Between.device))).MatchingDistance;
        return new(name, CloudSets.Coverage(d.Between).MatchingDistance, d.Between.size(0) < 2 ? null : Bootstrap.Interval(d.Between.size(0), Of, request.Resamples, request.Level, request.Seed, recentre: true));
    }

    private static Measured Covered(string name, CloudDistances d, FolderRequest request)
    {
        double share = CloudSets.Coverage(d.Between).Coverage;
        long references = d.Between.size(1);
        return new(name, share, Interval.Wilson((long)Math.Round(share * references), references, request.Level));
    }

    private static Measured Nearest(string name, CloudDistances d, FolderRequest request)
    {
        long count = d.Between.size(0) + d.Between.size(1);
        if (d.Within.size(0) < 2 || d.Other.size(0) < 2) throw new ArgumentException($"{name}: needs at least two clouds a side.");
        double accuracy = CloudSets.NearestNeighbourAccuracy(d.Within, d.Between, d.Other);
        return new(name, accuracy, Interval.Wilson((long)Math.Round(accuracy * count), count, request.Level));
    }

    private static IEnumerable<Measured> Occupied(CloudInput i)
    {
        double outside = new[] { i.Real, i.Fake }.Max(c => c.square().sum(2).gt(0.25 + 1e-9).to(ScalarType.Float64).mean().item<double>());
        if (outside > 0.01) i.Warnings.Add($"jsd counts points in the ball of radius ½ about 0, and {outside:p0} lie outside; scale the clouds with --normalise");
        double Of(Tensor fake) => CloudSets.JensenShannon(fake, i.Real);
        var interval = i.Fake.size(0) < 2 ? (Interval?)null
            : Bootstrap.Interval(i.Fake.size(0), which => Of(i.Fake.index_select(0, which.to(i.Fake.device))), Math.Min(20, i.Request.Resamples), i.Request.Level, i.Request.Seed, recentre: true);
        yield return new("jsd", Of(i.Fake), interval, "bits");
    }

    private static Measured Paired(string name, (string Name, Tensor)[] real, (string Name, Tensor)[] fake, CloudInput input)
    {
        if (real.Length != fake.Length) throw new InvalidDataException($"pairs need equal counts: {real.Length} real clouds, {fake.Length} generated ones.");
        for (int i = 0; i < real.Length; i++)
            if (Path.ChangeExtension(real[i].Name, null) != Path.ChangeExtension(fake[i].Name, null))
                throw new InvalidDataException($"pairs need equal names: '{real[i].Name}' stands against '{fake[i].Name}'.");
        var values = new double[real.Length];
        for (int i = 0; i < values.Length; i++)
        {
            input.Cancellation.ThrowIfCancellationRequested();
            using var one = NewDisposeScope();
            values[i] = Pairs[name].Measure(input.Real.narrow(0, i, 1), input.Fake.narrow(0, i, 1)).to(ScalarType.Float64).item<double>();
        }
        return Summary.Of(name, values, input.Request);
    }
}
