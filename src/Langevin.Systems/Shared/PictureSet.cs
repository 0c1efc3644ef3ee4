using Langevin.Data;
using Langevin.Data.Procedural;
using Langevin.Formulations;
using Langevin.Metrics;
using Langevin.Metrics.Judging;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>Labelled pictures, a part to learn from and one to be judged on, with the judge whose features "FID-t" stands for.</summary>
public sealed class PictureSet : IDisposable
{
    private readonly Trial trial;
    private readonly IDisposable? owner;
    private Judge? judge;
    private FrechetReference? reference;

    private PictureSet(Trial trial, IDataset training, IDataset heldOut, IDisposable? owner = null) => (this.trial, Training, HeldOut, this.owner) = (trial, training, heldOut, owner);

    /// <summary>Written digits, 28 × 28 grey: drawn on the spot.</summary>
    public static PictureSet Digits(Trial trial)
    {
        int count = trial.Pick(200, 4000, 10_000);
        return new(trial, Strokes.Create(count), Strokes.Create(trial.Pick(50, 500, 1000), first: 1_000_000));
    }

    /// <summary>Scenes of shapes at half their size, 16 × 16 in colour, in 32 classes by the main object's colour and shape: drawn on the spot.</summary>
    public static PictureSet SmallShapes(Trial trial)
    {
        ArgumentNullException.ThrowIfNull(trial);
        return new(trial, Small(trial.Pick(200, 4000, 12_000), 0), Small(trial.Pick(50, 500, 1000), 1_000_000));

        static ArrayDataset Small(int count, long first)
        {
            using var shapes = Shapes.Create(count, first: first, byColor: true);
            return Halved("shapes-16", shapes);
        }
    }

    /// <summary>The pictures of a set at half their size, with its labels, in 256 levels; the caller's.</summary>
    internal static ArrayDataset Halved(string name, IDataset set)
    {
        using var scope = NewDisposeScope();
        var (pictures, labels) = First(set, set.Count);
        var small = (nn.functional.avg_pool2d(pictures, 2) + 1) * 127.5;
        return new(name, small.round().to(ScalarType.Byte), labels, set.ClassNames) { Kind = set.Kind };
    }

    /// <summary>Scenes of shapes, 64 × 64 in colour, in 32 classes by the main object's colour and shape: drawn on the spot.</summary>
    public static PictureSet LargeShapes(Trial trial)
    {
        ArgumentNullException.ThrowIfNull(trial);
        return new(trial, Shapes.Create(trial.Pick(200, 2000, 8000), byColor: true, size: 64), Shapes.Create(trial.Pick(50, 500, 1000), first: 1_000_000, byColor: true, size: 64));
    }

    /// <summary>What is learnt from.</summary>
    public IDataset Training { get; }

    /// <summary>What no training saw.</summary>
    public IDataset HeldOut { get; }

    /// <summary>Shape of a picture.</summary>
    public IReadOnlyList<long> Shape => Training.ItemShape;

    /// <summary>The first pictures of a part, float32 [count, C, H, W], with their labels.</summary>
    public static (Tensor Pictures, Tensor Labels) First(IDataset part, int count)
    {
        using var batch = part.Get([.. Enumerable.Range(0, Math.Min(count, part.Count)).Select(i => (long)i)], 0);
        return (batch.Samples.alias(), batch.Labels!.alias());
    }

    /// <summary>The plan of a small U-Net over these pictures.</summary>
    /// <param name="name">A name for its folder.</param>
    /// <param name="formulation">How it is set up.</param>
    /// <param name="labelled">Whether it is told the classes.</param>
    /// <param name="baseWidth">Channels of its first level in a full run; a quick one has half as many.</param>
    public ModelPlan Plan(string name, FormulationOptions formulation, bool labelled = false, int baseWidth = 16)
    {
        ArgumentNullException.ThrowIfNull(formulation);
        return new()
        {
            Name = name,
            Data = Training,
            Formulation = formulation,
            Network = () => new UNet2D(SmallNetworks.Image((int)Shape[0], (int)Shape[1], (int)Shape[2], labelled ? Training.ClassCount : null,
                formulation is { Name: "ncsn" or "sde-ve", Preconditioned: false }, formulation.LearnedVariance, baseWidth: trial.Pick(baseWidth / 2, baseWidth / 2, baseWidth))),
            Steps = trial.Steps(150, 800),
            Labelled = labelled,
        };
    }

    /// <summary>The judge: a small classifier trained on these pictures, kept with the bench's models.</summary>
    public Judge Judge => judge ??= Metrics.Judging.Judge.For(Real(), new() { Steps = trial.Scale == Scale.Smallest ? 2 : null }, trial.Judges, cancel: trial.Cancellation);

    /// <summary>FID-t: the Fréchet distance of samples to the training pictures over the judge's features, with precision and recall.</summary>
    /// <param name="samples">[N, C, H, W].</param>
    /// <param name="labels">The classes asked for, or null; the share that the judge finds is then a figure too.</param>
    public Outcome Measure(Tensor samples, Tensor? labels = null)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var features = Judge.Extractor.Features(samples).to(ScalarType.Float64);
        var real = Judge.Extractor.Features(First(Training, 2000).Pictures).to(ScalarType.Float64);
        reference ??= Reference(real);
        var score = Score.Of(features, f =>
        {
            using var statistics = FeatureStatistics.Of(f);
            return reference.To(statistics);
        }, trial.Seed, trial.Pick(10, 50, 100));
        long count = Math.Min(features.size(0), real.size(0));
        var balls = PrecisionRecall.Between(real.narrow(0, 0, count), features.narrow(0, 0, count), 5);
        var outcome = new Outcome(score).With("precision", balls.Precision).With("recall", balls.Recall);
        if (labels is null) return outcome;
        var said = Judge.Extractor.Logits(samples)!.argmax(1);
        return outcome.With("agreement", said.eq(labels).to(ScalarType.Float64).mean().item<double>());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        judge?.Dispose();
        reference?.Dispose();
        owner?.Dispose();
        if (owner is null)
        {
            (Training as IDisposable)?.Dispose();
            (HeldOut as IDisposable)?.Dispose();
        }
    }

    private static FrechetReference Reference(Tensor features)
    {
        using var statistics = FeatureStatistics.Of(features);
        return new(statistics);
    }

    private RealSet Real()
    {
        var (training, labels) = First(Training, Training.Count);
        var (heldOut, heldOutLabels) = First(HeldOut, HeldOut.Count);
        return new(training, labels, heldOut, heldOutLabels, Training.ClassCount);
    }
}
