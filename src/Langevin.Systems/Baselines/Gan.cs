using Langevin.Metrics;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Baselines;

/// <summary>A generative adversarial network.</summary>
public sealed class Gan : DiffusionSystem
{
    private const int Batch = 64, PenaltyEvery = 8;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "gan",
        Reference = "[20], [60], [91], §9.6",
        Title = "generative adversarial network",
        Paper = "Goodfellow et al. 2014; Radford, Metz and Chintala 2016; Mescheder, Geiger and Nowozin 2018, equation 9",
        Domain = "baselines",
        Mechanism = "A generator G makes pictures of noise z; a discriminator D learns to tell them from real ones by −log σ(D(x)) − log(1 − σ(D(G(z)))); "
            + "G learns by −log σ(D(G(z))). The penalty γ/2 E‖∇D(x)‖² on real pictures keeps the two from circling each other.",
        Faithful = "losses, convolutional networks of DCGAN's kind, gradient penalty (eightfold in every eighth step, as Karras et al. 2020, appendix B, do it), averaged generator",
        StandIn = "16 to 64 channels, both players moved in each step, group norm in place of batch norm",
        Data = "written digits, drawn on the spot",
        Metric = new("FID-t", Direction.Lower),
        Time = TimeClass.M,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("non-saturating, R1", trial => Run(trial, AdversarialLoss.NonSaturating, gamma: 1)),
        Arm.Baseline("Gaussian fit", Gaussian),
        Arm.Baseline("variational autoencoder", Vae),
        Arm.Ablation("no penalty", trial => Run(trial, AdversarialLoss.NonSaturating, gamma: 0)),
        Arm.Ablation("saturating", trial => Run(trial, AdversarialLoss.Saturating, gamma: 1)),
        Arm.Ablation("hinge", trial => Run(trial, AdversarialLoss.Hinge, gamma: 1), Effect.None),
    ];

    private static DcganConfig Config(PictureSet pictures) => new() { BaseWidth = 16, Channels = (int)pictures.Shape[0], Height = (int)pictures.Shape[1], Width = (int)pictures.Shape[2] };

    private static Outcome Run(Trial trial, AdversarialLoss loss, double gamma)
    {
        using var digits = PictureSet.Digits(trial);
        var config = Config(digits);
        var real = PictureSet.First(digits.Training, digits.Training.Count).Pictures;
        using var gan = trial.Fit("gan", $"{loss.Name}|{gamma}|{PenaltyEvery}|{real.size(0)}", trial.Seeded(() => new Dcgan(config)), Plan(trial), (g, step) =>
        {
            var x = real.index_select(0, randint(real.size(0), [(long)Batch], ScalarType.Int64));
            var fake = g.Generator.call(randn(Batch, config.Latent));
            // The generator's loss moves the generator alone, the discriminator's the discriminator alone: their sum moves both at once.
            Freeze(g.Discriminator, true);
            var whole = loss.Generator(g.Discriminator.call(fake));
            Freeze(g.Discriminator, false);
            whole = whole + loss.Discriminator(g.Discriminator.call(x), g.Discriminator.call(fake.detach()));
            return gamma > 0 && step % PenaltyEvery == 0 ? whole + PenaltyEvery * gamma * AdversarialLoss.GradientPenalty(g.Discriminator.call, x) : whole;
        });
        return Measure(trial, digits, gan.Generator, config, $"{loss.Name}, γ = {gamma}");
    }

    // The same networks as encoder and decoder: E‖x − G(z)‖²/(2 s²) + KL, with s the size of the errors.
    internal static Outcome Vae(Trial trial)
    {
        using var digits = PictureSet.Digits(trial);
        var config = Config(digits);
        var real = PictureSet.First(digits.Training, digits.Training.Count).Pictures;
        using var vae = trial.Fit("vae", $"{real.size(0)}", trial.Seeded(() => new Autoencoder(config)), Plan(trial) with { Beta1 = 0.9 }, (v, _) =>
        {
            var x = real.index_select(0, randint(real.size(0), [(long)Batch], ScalarType.Int64));
            var moments = v.Encoder.call(x).chunk(2, 1);
            var (mean, log) = (moments[0], moments[1].clamp(-10, 10));
            var error = (v.Decoder.call(mean + (0.5 * log).exp() * randn_like(mean)) - x).square().flatten(1).sum(1) / (2 * 0.2 * 0.2);
            return (error + 0.5 * (mean.square() + log.exp() - 1 - log).sum(1)).mean() / x.size(2) / x.size(3);
        });
        return Measure(trial, digits, vae.Decoder, config, "variational autoencoder");
    }

    private sealed class Autoencoder : nn.Module
    {
        private readonly PictureEncoder encoder;
        private readonly PictureDecoder decoder;

        public Autoencoder(DcganConfig config) : base(nameof(Autoencoder))
        {
            (encoder, decoder) = (new(config, 2 * config.Latent), new(config));
            RegisterComponents();
        }

        public PictureEncoder Encoder => encoder;

        public PictureDecoder Decoder => decoder;
    }

    private static FitPlan Plan(Trial trial) => new(trial.Steps(200, 600)) { LearningRate = 1e-3, Beta1 = 0.5, EmaDecay = 0.99, ClipNorm = 100 };

    private static void Freeze(nn.Module module, bool frozen)
    {
        foreach (var p in module.parameters()) p.requires_grad = !frozen;
    }

    private static Outcome Measure(Trial trial, PictureSet digits, PictureDecoder generator, DcganConfig config, string what)
    {
        using var still = no_grad();
        using var noise = new Generator((ulong)trial.Seed);
        return Judged(trial, digits, generator.call(randn([trial.Count(200, 500), config.Latent], generator: noise)), what);
    }

    internal static Outcome Gaussian(Trial trial)
    {
        using var digits = PictureSet.Digits(trial);
        return Judged(trial, digits, GaussianFit.Sample(PictureSet.First(digits.Training, 2000).Pictures, trial.Count(200, 500), 200, trial.Seed).clamp(-1, 1), "Gaussian fit");
    }

    // With the number of different bins, so that modes that were dropped are seen.
    private static Outcome Judged(Trial trial, PictureSet digits, Tensor samples, string what)
    {
        trial.Show(Figure.Images(what, samples.narrow(0, 0, Math.Min(60, samples.size(0))), 12));
        var real = PictureSet.First(digits.HeldOut, digits.HeldOut.Count).Pictures;
        var bins = DifferentBins.Between(digits.Judge.Extractor.Features(real), digits.Judge.Extractor.Features(samples), trial.Pick(5, 20, 40), seed: trial.Seed);
        return digits.Measure(samples).With("different bins, share", bins.Share);
    }
}
