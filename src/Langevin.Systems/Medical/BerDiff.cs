using Langevin.Data;
using Langevin.Data.Procedural;
using Langevin.Denoisers;
using Langevin.Discrete;
using Langevin.Metrics.Segmentation;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Medical;

/// <summary>BerDiff: segmentations drawn by a diffusion of bits.</summary>
public sealed class BerDiff : DiffusionSystem
{
    private const int Size = Lesions.Size, Samples = 16, Leaps = 10, Batch = 16;
    private const string Scan = "scan";

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "berdiff",
        Reference = "[65]",
        Title = "Bernoulli diffusion for segmentation with several raters",
        Paper = "Chen et al. 2023 (BerDiff), equations 2 to 11 and algorithm 2",
        Domain = "medical",
        Mechanism = "A mask is noised by q(y_t | y_0) = B(ᾱ_t y_0 + (1 − ᾱ_t)/2). Shown the scan, the network gives the chance ε̂ that a pixel was flipped, from which p(y_0) and the reverse step "
            + "follow; the loss is the divergence of the Bernoulli posteriors and the cross-entropy of the flips. Implicit steps y_s ~ B(κ y_t + (ᾱ_s − κ ᾱ_t) ŷ_0), κ = (1 − ᾱ_s)/(1 − ᾱ_t), make it in ten; "
            + "the last gives the mean, which is cut at ½. Different draws are different readings of the scan.",
        Faithful = "chain, flips as the target, KL + BCE, implicit sampler of ten steps with the mean at the end, cosine schedule, 16 samples a scan",
        StandIn = "a small U-Net, scans of 32×32, T = 200",
        Data = "procedural lesions with four raters, who see a soft edge differently, waver along it or miss a faint lesion",
        Metric = new("generalised energy distance", Direction.Lower),
        Time = TimeClass.M,
        Remark = "The U-Net cut at drawn levels is this project's own baseline: the levels of one map of probabilities are nearer to the raters than what is drawn by either model that learns to differ. "
            + "Neither the divergence beside the cross-entropy nor flips as the target bring anything here.",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("Bernoulli, flips, KL + BCE", trial => Bernoulli(trial, CategoricalPrediction.Change, new(1, 1))),
        Arm.Baseline("U-Net", trial => Plain(trial, drawn: false)),
        Arm.Baseline("U-Net, cut at drawn levels", trial => Plain(trial, drawn: true)),
        Arm.Baseline("probabilistic U-Net", Probabilistic),
        Arm.Ablation("Gaussian", Gaussian),
        Arm.Ablation("BCE alone", trial => Bernoulli(trial, CategoricalPrediction.Change, new(0, 1))),
        Arm.Ablation("masks as the target", trial => Bernoulli(trial, CategoricalPrediction.X0, new(1, 1))),
    ];

    private static ArrayDataset Data(Trial trial) => Lesions.Create(trial.Pick(16, 1000, 4000));

    private static ArrayDataset Held(Trial trial) => Lesions.Create(trial.Pick(2, 32, 64), first: 1_000_000);

    // Scans in [−1, 1] and, for each, the mask of a rater by lot, 0 or 1.
    private static (Tensor Scan, Tensor Mask) Draw(Tensor data)
    {
        var items = data.index_select(0, randint(0, data.size(0), [Batch], ScalarType.Int64));
        var rater = randint(1, 1 + Lesions.Raters, [Batch], ScalarType.Int64).view(-1, 1, 1, 1).expand(-1, 1, Size, Size);
        return (Picture(items), items.gather(1, rater).gt(0).to(ScalarType.Float32));
    }

    private static Tensor Picture(Tensor items) => items.narrow(1, 0, 1).to(ScalarType.Float32) / 127.5 - 1;

    private static Network Shown(Trial trial, int channels) => trial.Seeded(() => new Beside(new UNet2D(SmallNetworks.Image(channels, Size, Size, inputs: channels + 1, baseWidth: 8)), Scan, 1));

    private static FitPlan Plan(Trial trial) => new(trial.Steps(150, 800)) { LearningRate = 2e-3 };

    private static Outcome Bernoulli(Trial trial, CategoricalPrediction prediction, CategoricalObjective objective)
    {
        using var process = CategoricalProcess.Uniform(Betas.Cosine(trial.Pick(20, 200, 200)), 2);
        using var data = Data(trial);
        using var network = trial.Fit("berdiff", $"{prediction}|{objective}", Shown(trial, 2), Plan(trial), (network, step) =>
        {
            var (scan, mask) = Draw(data.Items);
            return objective.Loss(new CategoricalDenoiser(network, process, prediction), mask.squeeze(1).to(ScalarType.Int64), Condition.None.With(Scan, scan),
                randint(0, process.Steps, [Batch], ScalarType.Int64), new SeededNoise(trial.Seed, Batch * step)).mean();
        });
        var denoiser = new CategoricalDenoiser(network, process, prediction);
        var noise = new SeededNoise(trial.Seed);
        return Judge(trial, scan => new CategoricalSampler(Implicit: true).Run(denoiser, process.DrawPrior([Samples, Size, Size], noise), CategoricalSampler.Grid(process.Steps, Leaps), noise,
            Condition.None.With(Scan, scan), mean: true, cancellation: trial.Cancellation).select(-1, 1).gt(0.5));
    }

    private static Outcome Gaussian(Trial trial)
    {
        var process = DiscreteProcess.FromBetas(Betas.Cosine(trial.Pick(20, 200, 200)));
        using var data = Data(trial);
        NetworkDenoiser Over(Network network) => new(network, process, new PlainPreconditioning());
        var objective = new DenoisingObjective();
        using var network = trial.Fit("segmentation-gaussian", "", Shown(trial, 1), Plan(trial), (network, _) =>
        {
            var (scan, mask) = Draw(data.Items);
            var n = randint(0, process.Steps, [Batch], ScalarType.Int64).data<long>().ToArray();
            return objective.Loss(Over(network), mask * 2 - 1, Condition.None.With(Scan, scan), Times.Each([.. n.Select(i => (double)i)]), randn_like(mask)).mean();
        });
        var noise = new SeededNoise(trial.Seed);
        return Judge(trial, scan => new Ddim().Run(Over(network), noise.Next(empty(Samples, 1, Size, Size)), TimeGrid.Uniform(process, Leaps, toData: true), Condition.None.With(Scan, scan),
            noise: noise, cancellation: trial.Cancellation).squeeze(1).gt(0));
    }

    private static Outcome Plain(Trial trial, bool drawn)
    {
        using var data = Data(trial);
        using var network = trial.Fit("segmentation", "", Shown(trial, 1), Plan(trial), (network, _) =>
        {
            var (scan, mask) = Draw(data.Items);
            return nn.functional.binary_cross_entropy_with_logits(network.call(zeros_like(mask), zeros(Batch), Condition.None.With(Scan, scan)), mask);
        });
        // A level for each reading gives nested outlines, as raters of one mind but different care would draw.
        var levels = drawn ? (arange(Samples).view(-1, 1, 1) + 0.5) / Samples : full([Samples, 1, 1], 0.5);
        return Judge(trial, scan => network.call(zeros_like(scan), zeros(scan.size(0)), Condition.None.With(Scan, scan)).sigmoid().squeeze(1).gt(levels));
    }

    private static Outcome Probabilistic(Trial trial)
    {
        using var data = Data(trial);
        using var network = trial.Fit("probabilistic-unet", data.Name, trial.Seeded(() => new ProbabilisticUNet(Size)), Plan(trial), (n, _) =>
        {
            var (scan, mask) = Draw(data.Items);
            return n.Loss(scan, mask);
        });
        using var generator = new Generator((ulong)trial.Seed);
        return Judge(trial, scan => network.Draw(scan, generator).squeeze(1));
    }

    // Readings [16, H, W] of a scan that is given 16 times.
    private static Outcome Judge(Trial trial, Func<Tensor, Tensor> read)
    {
        using var _ = no_grad();
        using var set = Held(trial);
        var held = set.Items;
        double[] distance = new double[held.size(0)], iou = new double[held.size(0)];
        var shown = new List<Tensor>();
        for (int i = 0; i < distance.Length; i++)
        {
            using var scope = NewDisposeScope();
            var scan = Picture(held.narrow(0, i, 1));
            var raters = held[i].narrow(0, 1, Lesions.Raters).gt(0);
            var readings = read(scan.expand(Samples, 1, Size, Size));
            (distance[i], iou[i]) = (MaskEnsemble.EnergyDistanceSquared(readings, raters), MaskEnsemble.MatchedIou(readings, raters));
            if (i < 6) shown.Add(cat([scan[0], raters.to(ScalarType.Float32) * 2 - 1, readings.narrow(0, 0, 4).to(ScalarType.Float32) * 2 - 1], 0).MoveToOuterDisposeScope());
            trial.Report((i + 1.0) / distance.Length, "readings");
        }
        trial.Show(Figure.Images("scan, four raters, four readings", stack(shown).flatten(0, 1).unsqueeze(1), 9));
        return new Outcome(Score.Of(tensor(distance))).With("matched IoU", iou.Average());
    }
}
