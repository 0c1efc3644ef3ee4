using Langevin.Data;
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
    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "ldm",
        Reference = "[4]",
        Title = "latent diffusion",
        Paper = "Rombach, Blattmann, Lorenz, Esser and Ommer 2022, sections 3.1 to 3.3, equation 2, appendix G",
        Domain = "foundations",
        Mechanism = "An autoencoder learns E‖x − D(z)‖₁ + w KL(q(z | x), N(0, 1)) with z f times smaller than x on each side, or rounds z to the vectors of a codebook. "
            + "Then L = E‖ε − ε_θ(z_t, t, y)‖² on codes divided by their deviation, at a fraction of a step's time; D makes pictures of what is drawn.",
        Faithful = "two stages, w = 1e-6, codebook with straight-through gradients, scaling by 1/std, class condition",
        StandIn = "absolute errors alone, without perceptual and adversarial parts; digits of 28 × 28, codes of 4 × 7 × 7; v in place of ε",
        Data = "written digits, drawn on the spot",
        Metric = new("FID-t at equal training time", Direction.Lower),
        Time = TimeClass.L,
    };

    // Equal time is counted in multiplications: a step of a sample takes 61 million of them (forwards) in the network of pixels, 23 in that
    // of 7 × 7 codes, 42 in that of 14 × 14, and 15 and 11 in the autoencoders with f = 4 and 2.
    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("latent, f = 4", trial => Run(trial, Gaussian(levels: 3))),
        Arm.Baseline("pixels, same time", Pixels),
        Arm.Ablation("f = 2", trial => Run(trial, Gaussian(levels: 2)), Effect.None),
        Arm.Ablation("codebook", trial => Run(trial, Rounded), Effect.None),
        Arm.Ablation("no scaling", trial => Run(trial, Gaussian(levels: 3), scaled: false)),
        Arm.Ablation("no KL term, no scaling", trial => Run(trial, Gaussian(levels: 3, weight: 0), scaled: false)),
    ];

    // An autoencoder with what becomes codes and pictures; disposed by the present scope of modules.
    private sealed record Stage(string Name, nn.Module Module, Func<Tensor, Tensor> Encode, Func<Tensor, Tensor> Decode);

    private static Outcome Run(Trial trial, Func<Trial, PictureSet, Stage> first, bool scaled = true)
    {
        using var digits = PictureSet.Digits(trial);
        var stage = first(trial, digits);
        using var module = stage.Module;
        var space = LatentSpace.Of($"{stage.Name}-{(scaled ? "scaled" : "plain")}", digits.Training, stage.Encode, stage.Decode, scaled, out var codes);
        using var held = codes;
        bool fine = codes.ItemShape[1] > 7;
        using var model = trial.Model(new()
        {
            Name = "ldm",
            Data = codes,
            Formulation = new() { Name = "ddpm", PredictionType = "v_prediction" },
            // About as many parameters as the network of pixels: 64 channels for 7 × 7, 32 and 64 for 14 × 14.
            Network = () => new UNet2D(SmallNetworks.Image((int)codes.ItemShape[0], (int)codes.ItemShape[1], (int)codes.ItemShape[2], codes.ClassCount, baseWidth: fine ? 32 : 64)),
            Steps = fine ? trial.Steps(40, 400) : trial.Steps(65, 650),
            Labelled = true,
        });
        var truth = PictureSet.First(digits.HeldOut, trial.Count(200, 500)).Pictures;
        using var again = space.Decode(space.Encode(truth));
        return Drawn(trial, digits, model, space.Decode)
            .With("PSNR of the autoencoder, dB", ImageError.PeakSignalToNoise(truth, again, 2).mean().item<double>())
            .With("FID-t of held-out pictures through the autoencoder", digits.Measure(again).Score.Value)
            .With("1/std of the codes", space.Scale);
    }

    private static Outcome Pixels(Trial trial)
    {
        using var digits = PictureSet.Digits(trial);
        using var model = trial.Model(digits.Plan("ldm-pixels", new() { Name = "ddpm", PredictionType = "v_prediction" }, labelled: true) with { Steps = trial.Steps(32, 325) });
        return Drawn(trial, digits, model, x => x.clamp(-1, 1));
    }

    private static Outcome Drawn(Trial trial, PictureSet digits, Hub.DiffusionModel model, Func<Tensor, Tensor> decode)
    {
        using var labels = arange(trial.Count(200, 500), ScalarType.Int64).remainder(digits.Training.ClassCount);
        using var drawn = trial.Draw(model.Denoiser, new Ddim(), TimeGrid.Uniform(model.Denoiser.Process, trial.Pick(2, 25, 50), toData: true), (int)labels.numel(), model.Description.ItemShape, labels);
        using var pictures = decode(drawn);
        trial.Show(Figure.Images("draws, a class a column", pictures.narrow(0, 0, Math.Min(60, pictures.size(0))), 10));
        return digits.Measure(pictures, labels).With("parameters", model.Network.parameters().Sum(p => p.numel()));
    }

    private static Func<Trial, PictureSet, Stage> Gaussian(int levels, double weight = 1e-6) => (trial, digits) =>
    {
        var config = new AutoencoderKLConfig
        {
            InChannels = (int)digits.Shape[0],
            OutChannels = (int)digits.Shape[0],
            BlockOutChannels = [.. new[] { 8, 16, 32 }.Take(levels)],
            DownBlockTypes = [.. Enumerable.Repeat("DownEncoderBlock2D", levels)],
            UpBlockTypes = [.. Enumerable.Repeat("UpDecoderBlock2D", levels)],
            NormNumGroups = 4,
        };
        var network = Fit(trial, digits, $"kl-{levels}-{weight}", () => new AutoencoderKL(config), (n, x) =>
        {
            var code = n.Encode(x);
            return ((n.Decode(code.Sample()) - x).abs().flatten(1).sum(1) + weight * code.KullbackLeibler()).mean() / x[0].numel();
        });
        return new($"kl-{levels}-{weight}", network, x => network.Encode(x).Mean, network.Decode);
    };

    private static Stage Rounded(Trial trial, PictureSet digits)
    {
        var config = new VQModelConfig
        {
            InChannels = (int)digits.Shape[0],
            OutChannels = (int)digits.Shape[0],
            BlockOutChannels = [8, 16, 32],
            DownBlockTypes = [.. Enumerable.Repeat("DownEncoderBlock2D", 3)],
            UpBlockTypes = [.. Enumerable.Repeat("UpDecoderBlock2D", 3)],
            NormNumGroups = 4,
            LatentChannels = 4,
        };
        var network = Fit(trial, digits, "vq", () => new VQModel(config), (n, x) =>
        {
            var code = n.Quantize(n.Encode(x));
            return (n.DecodeRounded(code.Values) - x).abs().mean() + code.Codebook + 0.25 * code.Commitment;
        });
        return new("vq", network, network.Encode, network.Decode);
    }

    private static T Fit<T>(Trial trial, PictureSet digits, string key, Func<T> build, Func<T, Tensor, Tensor> loss) where T : nn.Module
    {
        var pictures = PictureSet.First(digits.Training, digits.Training.Count).Pictures;
        return trial.Fit("ldm-autoencoder", $"{key}|{pictures.size(0)}", trial.Seeded(build), new(trial.Steps(80, 400)) { LearningRate = 4e-3 },
            (n, _) => loss(n, pictures.index_select(0, randint(pictures.size(0), [32L], ScalarType.Int64))));
    }
}
