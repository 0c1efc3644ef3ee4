using Langevin.Data;
using Langevin.Formulations;
using Langevin.Guidance;
using Langevin.Metrics.Images;
using Langevin.Networks;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Foundations;

/// <summary>Latent diffusion: the same model, in the codes of an autoencoder.</summary>
public sealed class Ldm : DiffusionSystem
{
    private const int Kinds = 4, Colours = 8, Filler = Kinds + Colours, Batch = 16, CodeBatch = 8;
    private static readonly int[] CodeWidths = [8, 16, 32];

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "ldm",
        Reference = "[4]",
        Title = "latent diffusion",
        Paper = "Rombach, Blattmann, Lorenz, Esser and Ommer 2022, sections 3.1 to 3.3, equation 2, appendix G",
        Domain = "foundations",
        Mechanism = "An autoencoder learns E‖x − D(z)‖₁ + w KL(q(z | x), N(0, 1)) with z f times smaller than x on each side, or rounds z to the vectors of a codebook. "
            + "Then L = E‖ε − ε_θ(z_t, t, τ(y))‖² on codes divided by their deviation, at a fraction of a step's time; the words y are read by cross-attention. D makes pictures of what is drawn.",
        Faithful = "two stages, w = 1e-6, codebook with straight-through gradients, scaling by 1/std, cross-attention",
        StandIn = "absolute errors alone, without perceptual and adversarial parts; scenes of 64 × 64, codes of 4 × 16 × 16; two words, of a table, for a caption; v in place of ε",
        Data = "generated scenes of shapes, named by the main one's shape and colour",
        Metric = new("FID-t at equal training time", Direction.Lower),
        Time = TimeClass.L,
    };

    // Equal time: a picture takes 1.7 times as long in the autoencoder as its code in the network of codes, and 8.5 times in the network of pixels.
    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("latent, f = 4", trial => Run(trial, Gaussian)),
        Arm.Baseline("pixels, same time", Pixels),
        Arm.Ablation("codebook", trial => Run(trial, Rounded), Effect.None),
        Arm.Ablation("no scaling", trial => Run(trial, Gaussian, scaled: false)),
        Arm.Ablation("no cross-attention", trial => Run(trial, Gaussian, reads: false)),
    ];

    // An autoencoder with what becomes codes and pictures.
    private sealed record Stage(string Name, nn.Module Module, Func<Tensor, Tensor> Encode, Func<Tensor, Tensor> Decode);

    private static Outcome Run(Trial trial, Func<Trial, PictureSet, Stage> first, bool scaled = true, bool reads = true)
    {
        using var shapes = PictureSet.LargeShapes(trial);
        var stage = first(trial, shapes);
        using var module = stage.Module;
        var space = LatentSpace.Of($"{stage.Name}-{(scaled ? "scaled" : "plain")}", shapes.Training, stage.Encode, stage.Decode, scaled, out var codes);
        using var held = codes;
        var truth = PictureSet.First(shapes.HeldOut, trial.Count(60, 300)).Pictures;
        using var again = space.Decode(space.Encode(truth));
        return Drawn(trial, shapes, codes, [32, 64], trial.Steps(60, 800), space.Decode, reads)
            .With("PSNR of the autoencoder, dB", ImageError.PeakSignalToNoise(truth, again, 2).mean().item<double>())
            .With("FID-t of held-out pictures through the autoencoder", shapes.Measure(again).Score.Value)
            .With("1/std of the codes", space.Scale);
    }

    private static Outcome Pixels(Trial trial)
    {
        using var shapes = PictureSet.LargeShapes(trial);
        return Drawn(trial, shapes, shapes.Training, [16, 32, 64, 64], trial.Steps(17, 210), x => x.clamp(-1, 1), reads: true);
    }

    // Learns what a set holds, draws as much and judges the pictures of it.
    private static Outcome Drawn(Trial trial, PictureSet shapes, IDataset learnt, int[] widths, int steps, Func<Tensor, Tensor> decode, bool reads)
    {
        var formulation = Formulation.Create(new() { Name = "ddpm", PredictionType = "v_prediction" });
        var (all, names) = PictureSet.First(learnt, learnt.Count);
        Tensor Words(Tensor labels)
        {
            var words = stack([labels.remainder(Kinds), labels.div(Kinds, RoundingMode.floor) + Kinds], 1);
            return reads ? words : full_like(words, Filler);
        }

        using var network = WordUNet.Trained(trial, "ldm", $"{learnt.Name}|{learnt.Count}|{reads}", formulation, Filler + 1, widths, all, Words(names), Batch, steps);
        using var labels = arange(trial.Count(60, 300), ScalarType.Int64).remainder(Kinds * Colours);
        using var drawn = trial.Draw(formulation.Denoiser(network), new Ddim(), TimeGrid.Uniform(formulation.Process, trial.Pick(2, 10, 25), toData: true), (int)labels.numel(), learnt.ItemShape, Condition.None.With(WordUNet.Slot, Words(labels)));
        using var pictures = decode(drawn);
        trial.Show(Figure.Images("draws: red, orange, yellow, ...; circle, square, triangle, star", pictures.narrow(0, 0, Math.Min(32, pictures.size(0))), 8));
        return shapes.Measure(pictures, labels).With("parameters", network.parameters().Sum(p => p.numel()));
    }

    private static Stage Gaussian(Trial trial, PictureSet shapes)
    {
        const double weight = 1e-6;
        var config = new AutoencoderKLConfig
        {
            InChannels = (int)shapes.Shape[0],
            OutChannels = (int)shapes.Shape[0],
            BlockOutChannels = CodeWidths,
            DownBlockTypes = [.. CodeWidths.Select(_ => "DownEncoderBlock2D")],
            UpBlockTypes = [.. CodeWidths.Select(_ => "UpDecoderBlock2D")],
            NormNumGroups = 4,
        };
        var network = Fit(trial, shapes, "kl", () => new AutoencoderKL(config), (n, x) =>
        {
            var code = n.Encode(x);
            return ((n.Decode(code.Sample()) - x).abs().flatten(1).sum(1) + weight * code.KullbackLeibler()).mean() / x[0].numel();
        });
        return new("kl", network, x => network.Encode(x).Mean, network.Decode);
    }

    private static Stage Rounded(Trial trial, PictureSet shapes)
    {
        var config = new VQModelConfig
        {
            InChannels = (int)shapes.Shape[0],
            OutChannels = (int)shapes.Shape[0],
            BlockOutChannels = CodeWidths,
            DownBlockTypes = [.. CodeWidths.Select(_ => "DownEncoderBlock2D")],
            UpBlockTypes = [.. CodeWidths.Select(_ => "UpDecoderBlock2D")],
            NormNumGroups = 4,
            LatentChannels = 4,
        };
        var network = Fit(trial, shapes, "vq", () => new VQModel(config), (n, x) =>
        {
            var code = n.Quantize(n.Encode(x));
            return (n.DecodeRounded(code.Values) - x).abs().mean() + code.Codebook + 0.25 * code.Commitment;
        });
        return new("vq", network, network.Encode, network.Decode);
    }

    private static T Fit<T>(Trial trial, PictureSet shapes, string key, Func<T> build, Func<T, Tensor, Tensor> loss) where T : nn.Module
    {
        var pictures = PictureSet.First(shapes.Training, shapes.Training.Count).Pictures;
        return trial.Fit("ldm-autoencoder", $"{key}|{shapes.Training.Name}|{pictures.size(0)}", trial.Seeded(build), new(trial.Steps(100, 1200)) { LearningRate = 4e-3 },
            (n, _) => loss(n, pictures.index_select(0, randint(pictures.size(0), [(long)CodeBatch], ScalarType.Int64))));
    }
}
