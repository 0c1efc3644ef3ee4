using System.Text.Json;
using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>
/// Judges generated samples by a feature extractor made once from the real set and cached: a small classifier where the
/// data are labelled images, principal components elsewhere.
/// </summary>
/// <remarks>
/// Every figure stands beside its yardstick: the same figure for held-out real data, which neither the generator nor the
/// extractor saw. Features of one judge compare only with features of the same judge (equal hash).
/// </remarks>
public sealed class Judge : IDisposable
{
    // Raised whenever the same data and options would make another judge.
    private const string Version = "judge 4";
    private const string Weights = "weights.", TrainingFeatures = "features.training", HeldOutFeatures = "features.held_out";
    private const long ReadBatch = 256;

    private readonly RealSet real;
    private readonly Tensor training;
    private readonly Tensor heldOut;

    private Judge(RealSet real, IFeatureExtractor extractor, Tensor training, Tensor heldOut, bool cached)
    {
        (this.real, Extractor, FromCache) = (real, extractor, cached);
        this.training = training.DetachFromDisposeScope();
        this.heldOut = heldOut.DetachFromDisposeScope();
    }

    /// <summary>The extractor; owned by the judge.</summary>
    public IFeatureExtractor Extractor { get; }

    /// <summary>Whether it came from the cache.</summary>
    public bool FromCache { get; }

    /// <summary>Finds the judge of a real set in the cache, or makes and keeps it.</summary>
    /// <param name="real">The data; must outlive the judge.</param>
    /// <param name="options">How to make it.</param>
    /// <param name="cache">Where to keep it; the user's cache folder when null.</param>
    /// <param name="progress">Told of training steps.</param>
    /// <param name="cancel">Stops the training.</param>
    /// <exception cref="ArgumentException">NaN or infinite samples, or labels outside the classes.</exception>
    public static Judge For(
        RealSet real, JudgeOptions? options = null, JudgeCache? cache = null,
        IProgress<JudgeProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(real);
        options ??= new();
        cache ??= JudgeCache.Default;
        using var scope = NewDisposeScope();
        string key = KeyOf(real, options);
        if (cache.Find(key) is { } kept && Restore(real, kept) is { } restored) return restored;
        var extractor = Make(real, options, progress, cancel);
        try
        {
            var training = Read(real.Training, extractor.Features, cancel);
            var heldOut = Read(real.HeldOut, extractor.Features, cancel);
            cache.Keep(key, extractor.State().Select(w => KeyValuePair.Create(Weights + w.Key, w.Value))
                .Append(new(TrainingFeatures, training)).Append(new(HeldOutFeatures, heldOut)));
            return new(real, extractor, training, heldOut, cached: false);
        }
        catch
        {
            extractor.Dispose();
            throw;
        }
    }

    /// <summary>Judges generated samples.</summary>
    /// <param name="samples">[N, ...] of the real set's sample shape, N ≥ 10; float, or uint8 images; on any device.</param>
    /// <param name="labels">The classes that were asked for, int64 [N]; null for unconditional samples.</param>
    /// <param name="options">What to compute.</param>
    /// <param name="cancel">Stops between the parts.</param>
    public JudgeReport Report(Tensor samples, Tensor? labels = null, ReportOptions? options = null, CancellationToken cancel = default)
    {
        Check(samples, labels);
        options ??= new();
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var features = Read(samples, Extractor.Features, cancel);
        var logits = Extractor.ClassCount > 0 ? Read(samples, x => Extractor.Logits(x)!, cancel) : null;
        cancel.ThrowIfCancellationRequested();
        var frechet = Yardstick.Frechet(features, training, heldOut, options);
        cancel.ThrowIfCancellationRequested();
        var (kernel, realKernel) = (Kernel(features, options), Kernel(heldOut, options));
        var (balls, realBalls) = (Balls(features, options), Balls(heldOut, options));
        cancel.ThrowIfCancellationRequested();
        return new()
        {
            Extractor = new(Extractor.Name, Extractor.Hash, Extractor.Width, HeldOutAccuracy(options.Level)),
            Samples = samples.size(0),
            Training = training.size(0),
            HeldOut = heldOut.size(0),
            Frechet = frechet,
            Kernel = kernel,
            RealKernel = realKernel,
            PrecisionRecall = balls,
            RealPrecisionRecall = realBalls,
            ClassScore = logits is null ? null : InceptionScore.Of(logits, splits: 1),
            Agreement = logits is null || labels is null ? null : Metrics.Agreement.Of(logits, labels, options.Level),
            MemorisationByValues = Memorisation.Check(
                RealSet.Float(samples), RealSet.Float(real.Training), RealSet.Float(real.HeldOut), options.Percentile, options.Pairs),
            MemorisationByFeatures = Memorisation.Check(features, training, heldOut, options.Percentile, options.Pairs),
            Warnings = [.. Warnings(samples.size(0), frechet)],
        };
    }

    /// <summary>The extractor's own accuracy on the held-out data; null where it knows no classes.</summary>
    /// <param name="level">Confidence level of the interval.</param>
    public AgreementResult? HeldOutAccuracy(double level = 0.95)
    {
        if (Extractor.ClassCount == 0 || real.HeldOutLabels is null) return null;
        using var scope = NewDisposeScope();
        return Metrics.Agreement.Of(Read(real.HeldOut, x => Extractor.Logits(x)!, default), real.HeldOutLabels, level);
    }

    /// <summary>Frees the extractor and the features; the real set stays.</summary>
    public void Dispose()
    {
        Extractor.Dispose();
        training.Dispose();
        heldOut.Dispose();
    }

    private KernelDistanceResult Kernel(Tensor features, ReportOptions options) =>
        KernelDistance.Between(features, training, options.Subsets, options.SubsetSize, options.Seed);

    private PrecisionRecallResult Balls(Tensor features, ReportOptions options)
    {
        using var scope = NewDisposeScope();
        var reference = Yardstick.Draw(training, Math.Min(training.size(0), features.size(0)), options.Seed);
        return PrecisionRecall.Between(reference, features, Math.Min(options.Neighbours, (int)Math.Min(reference.size(0), features.size(0)) - 1));
    }

    private IEnumerable<string> Warnings(long count, FrechetReport frechet)
    {
        if (count < 2 * Extractor.Width)
            yield return $"{count} samples are few for {Extractor.Width} features: the Fréchet distance is mostly its own bias; judge at least {10 * Extractor.Width}";
        if (frechet.Size < count)
            yield return $"only {frechet.Size} held-out or training samples are there: the comparison at equal size uses {frechet.Size} of the {count} samples";
        if (Extractor.ClassCount == 0)
            yield return "the data bear no labels: features are principal components of the raw values, blind to fine detail";
    }

    private void Check(Tensor samples, Tensor? labels)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (samples.dim() < 2 || samples.size(0) < 10 || !samples.shape.AsSpan(1).SequenceEqual(real.Training.shape.AsSpan(1)))
            throw new ArgumentException($"expected at least 10 samples of shape {Require.Shape(real.Training[0])}, got {Require.Shape(samples)}", nameof(samples));
        if (samples.is_floating_point()) Require.Finite(samples);
        else if (samples.dtype != ScalarType.Byte) throw new ArgumentException($"expected floating-point samples or uint8 images, got {samples.dtype}", nameof(samples));
        if (labels is not null) Require.Labels(labels, samples.size(0));
    }

    private static IFeatureExtractor Make(RealSet real, JudgeOptions options, IProgress<JudgeProgress>? progress, CancellationToken cancel)
    {
        foreach (var set in new[] { real.Training, real.HeldOut })
            if (set.is_floating_point()) Require.Finite(set, nameof(real));
        if (ClassifierExtractor.Fits(real)) return ClassifierExtractor.Train(real, options, progress, cancel);
        using var scope = NewDisposeScope();
        return PrincipalComponents.Of(RealSet.Float(real.Training), options.Components, options.Seed);
    }

    private static Judge? Restore(RealSet real, IReadOnlyDictionary<string, Tensor> kept)
    {
        var weights = kept.Where(k => k.Key.StartsWith(Weights, StringComparison.Ordinal)).ToDictionary(k => k.Key[Weights.Length..], k => k.Value);
        IFeatureExtractor extractor;
        try
        {
            extractor = ClassifierExtractor.Fits(real)
                ? ClassifierExtractor.From(weights, real)
                : new PrincipalComponents(weights["mean"], weights["components"]);
        }
        catch (Exception e) when (e is InvalidDataException or KeyNotFoundException or ArgumentException)
        {
            return null;
        }
        if (kept.TryGetValue(TrainingFeatures, out var training) && kept.TryGetValue(HeldOutFeatures, out var heldOut)
            && training.shape.AsSpan().SequenceEqual([real.Training.size(0), extractor.Width])
            && heldOut.shape.AsSpan().SequenceEqual([real.HeldOut.size(0), extractor.Width]))
            return new(real, extractor, training, heldOut, cached: true);
        extractor.Dispose();
        return null;
    }

    private static Tensor Read(Tensor samples, Func<Tensor, Tensor> read, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var parts = new List<Tensor>();
        for (long at = 0; at < samples.size(0); at += ReadBatch)
        {
            cancel.ThrowIfCancellationRequested();
            using var batch = NewDisposeScope();
            var x = RealSet.Float(samples.narrow(0, at, Math.Min(ReadBatch, samples.size(0) - at)).cpu());
            parts.Add(read(x).MoveToOuterDisposeScope());
        }
        return cat(parts).MoveToOuterDisposeScope();
    }

    private static string KeyOf(RealSet real, JudgeOptions options)
    {
        using var fingerprint = new Fingerprint();
        return fingerprint.Add(Version).Add(JsonSerializer.Serialize(options, JudgeJson.Default.JudgeOptions))
            .Add(real.ClassCount.ToString(System.Globalization.CultureInfo.InvariantCulture))
            .Add(real.Training).Add(real.TrainingLabels).Add(real.HeldOut).Add(real.HeldOutLabels).Digest()[..32];
    }
}
