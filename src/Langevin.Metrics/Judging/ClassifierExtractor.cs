using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>The extractor for labelled images: the last hidden layer of a small classifier trained on the training set.</summary>
public sealed class ClassifierExtractor : IFeatureExtractor
{
    private const int SmallestSide = 8;
    private readonly JudgeNetwork network;

    private ClassifierExtractor(JudgeNetwork network, int classCount)
    {
        this.network = network;
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
        var network = SeededNetwork(real, options.Seed);
        try
        {
            ClassifierTraining.Fit(network, network.Logits, real, options, progress, cancel);
            return new(network, real.ClassCount);
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
        var network = SeededNetwork(real, 0);
        try
        {
            StateDict.Load(network, weights, "the cached judge's weights");
            return new(network, real.ClassCount);
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
    public Tensor Features(Tensor samples) => Read(samples, network.Features);

    /// <inheritdoc/>
    public Tensor? Logits(Tensor samples) => Read(samples, network.Logits);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> State() => network.state_dict();

    /// <inheritdoc/>
    public void Dispose() => network.Dispose();

    private static Tensor Read(Tensor samples, Func<Tensor, Tensor> read) => WrappedTensorDisposeScope(() =>
    {
        using var gradients = no_grad();
        return read(samples);
    });

    /// <summary>A network whose initial weights depend on the seed alone; the global generator is left as it was.</summary>
    private static JudgeNetwork SeededNetwork(RealSet real, long seed)
    {
        using var before = get_rng_state();
        try
        {
            manual_seed(seed);
            var shape = real.Training.shape;
            return new(shape[1], Math.Min(shape[2], shape[3]), real.ClassCount);
        }
        finally
        {
            set_rng_state(before);
        }
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
