using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Guidance;
using Langevin.Training;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/guidance.md.</summary>
public class GuidanceSnippets
{
    private static readonly VariancePreserving process = VariancePreserving.Linear();

    [Fact]
    public void Guidance_composes()
    {
        using var scope = NewDisposeScope();
        using var model = ClassMixtures.Of(process);
        var grid = TimeGrid.Uniform(process, 10);
        var labels = ClassMixtures.InTurn(8);

        IDenoiser steered = model.Guided(4, rescale: 0.7, interval: Interval.OfNoise(0.3, 5)).Thresholded(0.995);
        using var images = new Ddim().Sample(steered, [8, 2], grid, labels, seed: 1);

        Assert.True(images.isfinite().all().item<bool>());
    }

    [Fact]
    public void A_classifier_is_trained()
    {
        using var scope = NewDisposeScope();
        using var model = ClassMixtures.Of(process);
        var unconditional = model.Told(c => c.Null());
        var batches = Enumerable.Repeat(new TrainingBatch(randn(6, 2), ClassMixtures.InTurn(6)), 2);

        using var network = new NoisyClassifier(new() { ItemShape = [2], ClassCount = 3, Width = 32 });
        var classifier = new NetworkClassifier(new NetworkDenoiser(network, process, new PlainPreconditioning()));
        using var trainer = new Trainer(classifier.Denoiser, new ClassificationObjective(), new UniformTime(), new() { ConditionDropout = 0 });
        foreach (var step in trainer.Steps(batches)) Console.WriteLine($"{step.Step}: {step.Loss.item<float>():f3}");
        IDenoiser towardsClass = unconditional.GuidedByClassifier(classifier, scale: 2);

        Assert.Equal(2, trainer.Step);
        Assert.Equal([6, 2], towardsClass.Denoise(randn(6, 2), 0.5, ClassMixtures.InTurn(6)).X0.shape);
    }

    [Fact]
    public void Energies_pull()
    {
        using var scope = NewDisposeScope();
        using var model = ClassMixtures.Of(process);
        var target = tensor(new[] { 0.5, 1.0 });

        Func<Tensor, Tensor> energy = x0 => (x0 - target).square().sum(1) / 2;
        IDenoiser pulled = model.GuidedByEnergy(energy, scale: 1.5, interval: Interval.OfNoise(0.1, 10));
        var traveller = new TimeTravel(new DdpmAncestral(), Repeats: 2, From: 3, To: 0.1);

        using var x = traveller.Sample(pulled, [4, 2], TimeGrid.Uniform(process, 10), dtype: ScalarType.Float64);
        Assert.True(x.isfinite().all().item<bool>());
    }

    [Fact]
    public void Attention_is_perturbed()
    {
        using var scope = NewDisposeScope();
        using var network = new UNet2D(new()
        {
            SampleSize = [8, 8], InChannels = 1, OutChannels = 1, BlockOutChannels = [8, 8], LayersPerBlock = 1, NormNumGroups = 4, AttentionHeadDim = 8,
            DownBlockTypes = ["DownBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "UpBlock2D"], NumClassEmbeds = 4,
        });
        IDenoiser unet = new NetworkDenoiser(network, process, new PlainPreconditioning());

        IDenoiser sharper = unet.Guided(2).GuidedByPerturbedAttention(3, layers: name => name.StartsWith("mid_block"), of: unet);

        Assert.Equal([2, 1, 8, 8], sharper.Denoise(randn(2, 1, 8, 8), 0.5, ClassMixtures.Labels(0, 1)).X0.shape);
    }

    [Fact]
    public void Conditions_and_noises_mix()
    {
        using var scope = NewDisposeScope();
        using var model = ClassMixtures.Of(process);
        var (first, second) = (Condition.None.With("vector", zeros(2, 3)), Condition.None.With("vector", ones(2, 3)));
        var (labels, otherLabel) = (ClassMixtures.Labels(0, 1), ClassMixtures.Labels(2));
        var (embeddings, query) = (randn(5, 4), randn(2, 4));
        var (noiseA, noiseB) = (randn(2, 2), randn(2, 2));

        Condition halfway = Condition.Lerp(first, second, 0.5);             // vectors and embeddings, slot by slot
        IDenoiser mixed = model.Between(otherLabel, 0.5);                   // labels: of what the model says
        using var index = new RetrievalIndex(embeddings);
        Condition retrieved = index.Retrieve(labels, query, k: 2);          // the slot "neighbours", [N, k, D]
        using var start = InitialNoise.Slerp(noiseA, noiseB, 0.3);          // or Vary(a, b, 0.2)

        Assert.Equal(0.5f, halfway["vector"]!.mean().item<float>());
        Assert.Equal([2, 2, 4], retrieved["neighbours"]!.shape);
        Assert.Equal([2, 2], mixed.Denoise(start, 0.5, labels).X0.shape);
    }
}
