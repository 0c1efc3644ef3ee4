using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>
/// The extractor for labelled images: the last hidden layer, before its rectifier, of a small classifier trained on the
/// training set, each feature scaled to mean 0 and variance 1 there.
/// </summary>
public sealed class ClassifierExtractor : IFeatureExtractor
{
    private const int SmallestSide = 8, ReadBatch = 256;
    private const string Network = "network.", Mean = "feature_mean", Deviation = "feature_deviation";
    private readonly JudgeNetwork network;
    private readonly Tensor mean;
    private readonly Tensor deviation;

    private ClassifierExtractor(JudgeNetwork network, Tensor mean, Tensor deviation, int classCount)
    {
        this.network = network;
        this.mean = mean.DetachFromDisposeScope();
        this.deviation = deviation.DetachFromDisposeScope();
        ClassCount = classCount;
        network.eval();
        Hash = Fingerprint.Short(State());
    }

    /// <summary>Whether a set is of labelled images [N, C, H, W] of at least 8 × 8 pixels.</summary>
    public static bool Fits(RealSet real)
    {
        ArgumentNullException.ThrowIfNull(real);
        return real.ClassCount > 1 && real.Training.dim() == 4 && real.Training.size(2) >= SmallestSide && real.Training.size(3) >= SmallestSide;
    }

    /// <summary>Trains the classifier; equal data, options and thread count give equal weights.</summary>
    /// <exception cref="ArgumentException">A label is outside the classes.</exception>
    public static ClassifierExtractor Train(
        RealSet real, JudgeOptions options, IProgress<JudgeProgress>? progress = null, CancellationToken cancel = default)
    {
        CheckLabels(real);
        ArgumentNullException.ThrowIfNull(options);
        var network = NewNetwork(real).Seeded(options.Seed);
        try
        {
            ClassifierTraining.Fit(network, network.Logits, real, options, progress, cancel);
            using var scope = NewDisposeScope();
            using var statistics = Statistics(network, real.Training, cancel);
            // A feature that never moves (a dead unit) is left unscaled.
            var spread = statistics.Covariance().diagonal(0, 0, 1).sqrt();
            spread = where(spread.gt(1e-6), spread, ones_like(spread));
            return new(network, statistics.Mean().to(float32), spread.to(float32), real.ClassCount);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The classifier with given weights.</summary>
    /// <exception cref="InvalidDataException">The weights are of another network.</exception>
    internal static ClassifierExtractor From(IReadOnlyDictionary<string, Tensor> weights, RealSet real)
    {
        var network = NewNetwork(real);
        try
        {
            if (!weights.TryGetValue(Mean, out var mean) || !weights.TryGetValue(Deviation, out var deviation)
                || mean.numel() != JudgeNetwork.Width || deviation.numel() != JudgeNetwork.Width)
                throw new InvalidDataException("the cached judge lacks the scale of its features");
            StateDict.Load(network, weights.Where(w => w.Key.StartsWith(Network, StringComparison.Ordinal))
                .ToDictionary(w => w.Key[Network.Length..], w => w.Value), "the cached judge's weights");
            return new(network, mean, deviation, real.ClassCount);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Name => $"classifier trained on the real set, {Width} features";

    /// <inheritdoc/>
    public string Hash { get; }

    /// <inheritdoc/>
    public int Width => JudgeNetwork.Width;

    /// <inheritdoc/>
    public int ClassCount { get; }

    /// <inheritdoc/>
    public Tensor Features(Tensor samples) => Read(samples, x => (network.Features(x) - mean) / deviation);

    /// <inheritdoc/>
    public Tensor? Logits(Tensor samples) => Read(samples, network.Logits);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> State() => network.state_dict()
        .Select(w => KeyValuePair.Create(Network + w.Key, w.Value)).Append(new(Mean, mean)).Append(new(Deviation, deviation)).ToDictionary();

    /// <inheritdoc/>
    public void Dispose()
    {
        network.Dispose();
        mean.Dispose();
        deviation.Dispose();
    }

    private static FeatureStatistics Statistics(JudgeNetwork network, Tensor samples, CancellationToken cancel)
    {
        network.eval();
        var statistics = new FeatureStatistics(JudgeNetwork.Width);
        for (long at = 0; at < samples.size(0); at += ReadBatch)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            statistics.Add(Read(RealSet.Float(samples.narrow(0, at, Math.Min(ReadBatch, samples.size(0) - at))), network.Features));
        }
        return statistics;
    }

    private static Tensor Read(Tensor samples, Func<Tensor, Tensor> read) => WrappedTensorDisposeScope(() =>
    {
        using var gradients = no_grad();
        return read(samples);
    });

    private static JudgeNetwork NewNetwork(RealSet real)
    {
        var shape = real.Training.shape;
        return new(shape[1], Math.Min(shape[2], shape[3]), real.ClassCount);
    }

    private static void CheckLabels(RealSet real)
    {
        foreach (var labels in new[] { real.TrainingLabels!, real.HeldOutLabels! })
        {
            using var scope = NewDisposeScope();
            var (low, high) = (labels.min().item<long>(), labels.max().item<long>());
            if (low < 0 || high >= real.ClassCount)
                throw new ArgumentException($"labels from {low} to {high} for {real.ClassCount} classes (0 to {real.ClassCount - 1})", nameof(real));
        }
    }
}
