using Langevin.Data;
using Langevin.Data.Procedural;
using Langevin.Denoisers;
using Langevin.Formulations;
using Langevin.Guidance;
using Langevin.Metrics.Images;
using Langevin.Networks;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Sampling;

/// <summary>Editing the noise that a picture starts from, so that its object comes to lie where it is wanted.</summary>
public sealed class InitialImageEditing : DiffusionSystem
{
    private const int Size = 16, Block = 2, Colours = 8, Shapes4 = 4;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "initial-image-editing",
        Reference = "[30], Fig. 5",
        Title = "guided synthesis by editing the initial noise",
        Paper = "Mao, Wang and Aizawa 2023 (arXiv:2305.03382); re-implementation from description",
        Domain = "sampling",
        Mechanism = "Blocks of the first noise tend to become particular content wherever they stand. The first steps show which: the share of attention that the object's words have at each pixel, all but the filler's at the end of the text. "
            + "The blocks of the highest share change places with others of the box in which the object is wanted, and the same deterministic sampler starts again. "
            + "New noise within a region alone paints that region anew.",
        Faithful = "choice of blocks by cross-attention, exchange, no training or gradients; repainting",
        StandIn = "a small model of one-object scenes of 16 × 16, three words a picture; blocks of 2 × 2 pixels",
        Data = "generated scenes of one coloured object on grey",
        Metric = new("object within the wanted quarter", Direction.Higher),
        Time = TimeClass.S,
        Remark = "The paper reads the attention that the initial noise itself gets. In this model that of the first step moves the object to its place about every second time; over two fifths of the steps it does so three times of four.",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("blocks of most attention", trial => Run(trial, score => score, repaints: true)),
        Arm.Baseline("noise as drawn", trial => Run(trial, null)),
        Arm.Baseline("random blocks", trial => Run(trial, score => rand_like(score))),
        Arm.Ablation("blocks of least attention", trial => Run(trial, score => -score)),
        Arm.Ablation("attention of the first step alone", trial => Run(trial, score => score, part: 0), Effect.None),
    ];

    private static Outcome Run(Trial trial, Func<Tensor, Tensor>? choose, double part = 0.4, bool repaints = false)
    {
        random.manual_seed(trial.Seed);
        var formulation = Formulation.Create(new() { Name = "ddpm", PredictionType = "v_prediction" });
        using var network = Trained(trial, formulation);
        IDenoiser denoiser = formulation.Denoiser(network);
        int count = trial.Count(64, 200);
        using var still = no_grad();
        using var generator = new Generator((ulong)trial.Seed);
        var (start, other) = (randn([count, 3, Size, Size], generator: generator), randn([count, 3, Size, Size], generator: generator));
        // Shapes and colours take turns; white, which is grey to the eye that looks for colour, is not asked for.
        var number = arange(count, ScalarType.Int64);
        var words = Condition.None.With(WordUNet.Slot, stack([number.remainder(Shapes4), number.div(4, RoundingMode.floor).remainder(Colours - 1) + Shapes4, full_like(number, Shapes4 + Colours)], 1));
        var quarter = number.div(2, RoundingMode.floor).remainder(4).view(-1, 1, 1, 1);
        var place = arange(Size / Block, ScalarType.Int64).ge(Size / Block / 2).to(ScalarType.Int64);
        var target = quarter.eq(2 * place.view(1, 1, -1, 1) + place.view(1, 1, 1, -1));

        var grid = TimeGrid.Uniform(denoiser.Process, trial.Pick(4, 25, 50), toData: true);
        Tensor Draw(Tensor noise) => new Ddim().Run(denoiser.Clamped(), noise, grid, words, cancellation: trial.Cancellation).clamp(-1, 1);
        var edited = choose is null ? start : InitialNoise.MoveBlocks(start, choose(Attention(denoiser, start, grid, words, part)), target, Block);
        var pictures = Draw(edited);
        var (inside, found) = Judge(pictures, quarter.flatten());
        trial.Show(Figure.Images("wanted in the upper left, upper left, upper right, upper right, lower left, lower left, lower right, lower right quarter", pictures, 8));
        var outcome = new Outcome(Score.Of(inside)).With("objects found", found);
        if (!repaints) return outcome;
        var mask = target.repeat_interleave(Block, 2).repeat_interleave(Block, 3);
        var (before, after) = (Draw(start), Draw(InitialNoise.Repaint(start, other, mask)));
        trial.Show(Figure.Rows("before, and with new noise in one quarter", before, after));
        double Outside(Tensor a, Tensor b) => 10 * Math.Log10(4 / ((a - b).square() * mask.logical_not()).sum().item<float>() * 3 * mask.logical_not().sum().item<long>());
        return outcome.With("PSNR outside the repainted quarter, dB", Outside(before, after)).With("PSNR there for other noise everywhere, dB", Outside(before, Draw(other)));
    }

    // What share of attention the words of shape and colour have at each block over the first part of the steps.
    private static Tensor Attention(IDenoiser denoiser, Tensor start, TimeGrid grid, Condition words, double part)
    {
        using var filler = new TokenProbe(2);
        int steps = Math.Max(1, (int)(part * grid.Steps));
        new Ddim().Run(denoiser.Clamped(), start, new([.. Enumerable.Range(0, steps + 1).Select(i => grid[i])]), words.WithAttention(filler)).Dispose();
        return nn.functional.adaptive_avg_pool2d(1 - filler.Map()!, [Size / Block, Size / Block]);
    }

    // Whether the centre of what is coloured lies in the wanted quarter; and the share of pictures with anything coloured.
    private static (Tensor Inside, double Found) Judge(Tensor pictures, Tensor quarter)
    {
        var colour = ((pictures.amax([1]) - pictures.amin([1])) - 0.4).relu();
        var total = colour.sum([1, 2]);
        var at = arange(Size, ScalarType.Float32) + 0.5;
        var (x, y) = ((colour.sum([1]) * at).sum([1]) / total, (colour.sum([2]) * at).sum([1]) / total);
        var seen = 2 * y.ge(Size / 2).to(ScalarType.Int64) + x.ge(Size / 2).to(ScalarType.Int64);
        var found = total.gt(1);
        return (seen.eq(quarter).logical_and(found), found.to(ScalarType.Float64).mean().item<double>());
    }

    private static WordUNet Trained(Trial trial, Formulation formulation)
    {
        using var shapes = Shapes.Create(trial.Pick(300, 9000, 24_000));
        int[] alone = [.. Enumerable.Range(0, shapes.Count).Where(i => shapes.SceneAt(i) is { Objects.Count: 1 } s && s.Objects[0].Color != ShapeColor.White)];
        var pictures = nn.functional.avg_pool2d(PictureSet.First(new Subset(shapes, alone), alone.Length).Pictures, 2);
        var words = tensor(alone.SelectMany(i => new[] { (long)shapes.SceneAt(i).Objects[0].Kind, Shapes4 + (long)shapes.SceneAt(i).Objects[0].Color, Shapes4 + Colours }).ToArray()).view(-1, 3);
        return WordUNet.Trained(trial, "initial-image", $"{alone.Length}", formulation, Shapes4 + Colours + 1, [32, 64], pictures, words, batch: 32, trial.Steps(250, 800));
    }
}
