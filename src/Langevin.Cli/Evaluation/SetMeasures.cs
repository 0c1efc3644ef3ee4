using Langevin.Metrics;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Evaluation;

/// <summary>Two sets by their features, and what else some measures need; null where it was not asked for or is not there.</summary>
internal sealed record SetInput(Tensor Real, Tensor Fake, Tensor? FakeLogits, (Tensor Real, Tensor Fake)? Spatial, FolderRequest Request)
{
    /// <summary>What the reader should know, added to by the measures.</summary>
    public List<string> Warnings { get; } = [];
}

/// <summary>The measures between two sets, by name.</summary>
internal static class SetMeasures
{
    private const int EnoughForFrechet = 2000, SmallWidth = 256, FewResamples = 20, MostResampled = 5000;

    private sealed record Entry(string What, Func<SetInput, IEnumerable<Measured>> Measure);

    private static readonly Dictionary<string, Entry> Entries = new()
    {
        ["fid"] = new("Fréchet distance of the features", i => [Frechet("fid", i.Real, i.Fake, i)]),
        ["sfid"] = new("Fréchet distance of spatial features (Inception weights only)", i => i.Spatial is { } s
            ? [Frechet("sfid", s.Real, s.Fake, i)] : throw new ArgumentException("sfid: the spatial features are the Inception network's: give its weights with --weights.")),
        ["kid"] = new("kernel distance of the features", Kernel),
        ["prdc"] = new("precision, recall, density and coverage", Balls),
        ["is"] = new("Inception score: exp E KL(p(y|x) ‖ p(y)) of the extractor's classes", Score),
        ["vendi"] = new("Vendi score under the cosine kernel: how many different samples the set is worth", i =>
            [Resampled("vendi", fake => VendiScore.Of(fake), i, 1, $"real set {VendiScore.Of(i.Real):g6}")]),
        ["ndb"] = new("share of statistically different bins", Bins),
        ["cmmd"] = new("1,000 times the squared MMD of unit features, Gaussian kernel of bandwidth 10", i => [Resampled("cmmd", fake => ClipDiscrepancy.Between(i.Real, fake), i)]),
        ["memorisation"] = new("share of samples nearer to their nearest real sample than a third of the distance to the second nearest", Copied),
        ["fld"] = new("feature likelihood divergence; the real set is cut in two, to fit and to judge", Likelihood),
    };

    /// <summary>Names and what they are.</summary>
    public static IReadOnlyDictionary<string, string> Names { get; } = Entries.ToDictionary(e => e.Key, e => e.Value.What);

    public static IReadOnlyList<Measured> Measure(IEnumerable<string> names, SetInput input, CancellationToken cancellation)
    {
        var measured = new List<Measured>();
        foreach (string name in names)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            measured.AddRange(Entries[name].Measure(input));
        }
        return measured;
    }

    private static Measured Frechet(string name, Tensor real, Tensor fake, SetInput input)
    {
        long width = real.size(1), fewest = Math.Min(real.size(0), fake.size(0)), enough = Math.Max(EnoughForFrechet, 2 * width);
        if (fewest < enough)
            input.Warnings.Add($"{name} of {fewest} samples means little: its bias at {width} features outweighs most differences below {enough} samples; compare at equal counts only, or use kid");
        using var reference = FeatureStatistics.Of(real);
        using var whole = FeatureStatistics.Of(fake);
        using var prepared = new FrechetReference(reference);
        double value = FrechetDistance.Between(whole, reference);
        double Resampled(Tensor i)
        {
            using var statistics = FeatureStatistics.Of(fake.index_select(0, i.to(fake.device)));
            return prepared.To(statistics);
        }
        // A distance at thousands of features takes seconds: few resamples give a standard error, not percentiles.
        bool small = width <= SmallWidth;
        var request = input.Request;
        if (small)
        {
            var interval = Bootstrap.Interval(fake.size(0), Resampled, request.Resamples, request.Level, request.Seed, recentre: true);
            return new(name, value, interval with { Low = Math.Max(0, interval.Low) });
        }
        double[] draws = Bootstrap.Resamples(fake.size(0), Resampled, Math.Min(FewResamples, request.Resamples), request.Seed);
        double half = Interval.NormalQuantile(request.Level) * StandardError(draws);
        return new(name, value, new(Math.Max(0, value - half), value + half, request.Level), $"normal interval from {draws.Length} resamples");
    }

    /// <summary>A value with a normal interval from few resamples: for statistics that cost too much for percentiles.</summary>
    private static Measured Resampled(string name, Func<Tensor, double> of, SetInput i, double? least = 0, string? note = null)
    {
        double value = of(i.Fake);
        if (i.Fake.size(0) > MostResampled) return new(name, value, null, $"{note}{(note is null ? "" : "; ")}no interval above {MostResampled:N0} samples");
        double[] draws = Bootstrap.Resamples(i.Fake.size(0), which => of(i.Fake.index_select(0, which.to(i.Fake.device))), Math.Min(FewResamples, i.Request.Resamples), i.Request.Seed);
        double half = Interval.NormalQuantile(i.Request.Level) * StandardError(draws);
        return new(name, value, new(Math.Max(least ?? double.NegativeInfinity, value - half), value + half, i.Request.Level), note);
    }

    private static double StandardError(double[] draws)
    {
        double mean = draws.Average();
        return Math.Sqrt(draws.Sum(d => (d - mean) * (d - mean)) / (draws.Length - 1));
    }

    private static IEnumerable<Measured> Kernel(SetInput i)
    {
        var result = KernelDistance.Between(i.Real, i.Fake, seed: i.Request.Seed);
        yield return new("kid", result.Mean, KernelDistance.Interval(i.Real, i.Fake, i.Request.Resamples, i.Request.Level, i.Request.Seed),
            $"{result.Subsets} subsets of {result.SubsetSize}, standard deviation {result.StandardDeviation:g3}");
    }

    private static IEnumerable<Measured> Balls(SetInput i)
    {
        long fewest = Math.Min(i.Real.size(0), i.Fake.size(0));
        if (fewest <= i.Request.Neighbours) throw new ArgumentException($"prdc: {fewest} samples are too few for {i.Request.Neighbours} neighbours; lower --neighbours.");
        if (i.Real.size(0) != i.Fake.size(0)) i.Warnings.Add($"prdc depends on the counts: {i.Real.size(0)} real against {i.Fake.size(0)} generated samples compare only with the same counts");
        var result = PrecisionRecall.WithIntervals(i.Real, i.Fake, i.Request.Neighbours, i.Request.Resamples, i.Request.Level, i.Request.Seed);
        string note = $"{i.Request.Neighbours} neighbours";
        yield return new("precision", result.Value.Precision, result.Precision, note);
        yield return new("recall", result.Value.Recall, result.Recall, note);
        yield return new("density", result.Value.Density, result.Density, note);
        yield return new("coverage", result.Value.Coverage, result.Coverage, note);
    }

    private static IEnumerable<Measured> Score(SetInput i)
    {
        var logits = i.FakeLogits ?? throw new ArgumentException("is: the extractor knows no classes: real images in one folder for each class train one that does, or give Inception weights with --weights.");
        using var random = new Generator((ulong)i.Request.Seed);
        var shuffled = logits.index_select(0, randperm(logits.size(0), generator: random).to(logits.device));
        int splits = (int)Math.Min(10, logits.size(0));
        var result = InceptionScore.Of(shuffled, splits);
        yield return new("is", result.Mean, InceptionScore.Interval(logits, i.Request.Resamples, i.Request.Level, i.Request.Seed),
            $"{splits} splits, standard deviation {result.StandardDeviation:g3}; interval of one split {InceptionScore.Of(logits, 1).Mean:g5}");
    }

    private static IEnumerable<Measured> Bins(SetInput i)
    {
        int bins = (int)Math.Clamp(i.Real.size(0) / 20, 2, 100);
        var result = DifferentBins.Between(i.Real, i.Fake, bins, seed: i.Request.Seed);
        yield return new("ndb/k", result.Share, Interval.Wilson(result.Different, result.Bins, i.Request.Level), $"{result.Different} of {result.Bins} bins");
        yield return Resampled("ndb-jsd", fake => DifferentBins.Between(i.Real, fake, bins, seed: i.Request.Seed).JensenShannon, i, 0, "nats");
    }

    private static IEnumerable<Measured> Copied(SetInput i)
    {
        double share = Memorisation.CopiedShare(i.Fake, i.Real);
        long count = i.Fake.size(0);
        yield return new("memorisation", share, Interval.Wilson((long)Math.Round(share * count), count, i.Request.Level));
    }

    private static IEnumerable<Measured> Likelihood(SetInput i)
    {
        long half = i.Real.size(0) / 2;
        if (half < 4) throw new ArgumentException($"fld: {i.Real.size(0)} real samples are too few to be cut in two.");
        using var random = new Generator((ulong)i.Request.Seed);
        var order = randperm(i.Real.size(0), generator: random).to(i.Real.device);
        var (fit, judge) = (i.Real.index_select(0, order.narrow(0, 0, half)), i.Real.index_select(0, order.narrow(0, half, i.Real.size(0) - half)));
        yield return Resampled("fld", fake => FeatureLikelihood.Between(fit, judge, fake, seed: i.Request.Seed).Divergence, i, null, "halves of the real set, since the training set is not known");
    }
}
