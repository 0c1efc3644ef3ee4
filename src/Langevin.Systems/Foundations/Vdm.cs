using Langevin.Data;
using Langevin.Denoisers;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Foundations;

/// <summary>Variational diffusion models: the bound as the loss, under a noise schedule that learns.</summary>
public sealed class Vdm : DiffusionSystem
{
    private static readonly LogSnrPreconditioning Told = new();

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "vdm",
        Reference = "[21]",
        Title = "variational diffusion models",
        Paper = "Kingma et al. 2021, equations 3, 8, 11 and 17, sections 4 and 5, appendices C, H and I.1",
        Domain = "foundations",
        Mechanism = "γ(t) = −log SNR is a monotone network, σ² = sigmoid(γ). −log p(x) ≤ KL(q(z_1|x) ‖ N(0, I)) − E log p(x|z_0) + ½ E γ'(t)‖ε − ε̂(z_t; γ)‖², which depends on "
            + "the schedule by its ends alone: the ends learn by the bound, what lies between by the variance of its estimate, so that training is faster. p(x|z_0) compares the 256 levels. The network also "
            + "reads sin and cos of 2ⁿ π z, n = 7, 8; the times of a batch are (u + i/N) mod 1.",
        Faithful = "the bound with all three terms, the learned schedule and what it learns by, Fourier features, even times",
        StandIn = "a U-Net of 16 and 32 channels and minutes of training; digits of 14 × 14. The gradient of the variance comes from its own closed form and not through the network",
        Data = "written digits of 14 × 14 in 256 levels, drawn on the spot; in a full run with --data those of MNIST beside them",
        Metric = new("bound", Direction.Lower, "bits/dim"),
        Time = TimeClass.M,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("learned γ, Fourier features", trial => Run(trial, hidden: 64, fourier: true, real: true)),
        Arm.Baseline("ddpm: linear, β", trial => Ddpm(trial, ReverseVariance.Large)),
        Arm.Baseline("ddpm: linear, β̃", trial => Ddpm(trial, ReverseVariance.Small)),
        Arm.Baseline("PNG", Png),
        Arm.Ablation("no Fourier features", trial => Run(trial, hidden: 64, fourier: false)),
        Arm.Ablation("γ straight between learned ends", trial => Run(trial, hidden: 0, fourier: true), Effect.None),
    ];

    /// <summary>A network of ε with the schedule that it learns under.</summary>
    private sealed class Pair : nn.Module
    {
        private readonly Network network;
        private readonly MonotoneSchedule schedule;

        public Pair(int hidden, bool fourier) : base(nameof(Pair))
        {
            int[] exponents = fourier ? [7, 8] : [];
            var config = SmallNetworks.Image(1, 14, 14, inputs: FourierInput.Channels(exponents.Length));
            network = new FourierInput(new UNet2D(config, zeroOutput: true), exponents);
            schedule = new(hidden: hidden);
            RegisterComponents();
        }

        public Tensor Loss(Tensor x0)
        {
            using var scope = NewDisposeScope();
            return new ScheduledBound(Told).Loss(network, schedule, x0, Condition.None, ScheduledBound.EvenTimes(x0.size(0)), randn_like(x0)).MoveToOuterDisposeScope();
        }

        public NetworkDenoiser Denoiser()
        {
            var (gamma, slope) = schedule.Freeze();
            return new(network, new LogSnrProcess(gamma, slope), Told);
        }
    }

    private static Outcome Run(Trial trial, int hidden, bool fourier, bool real = false)
    {
        using var digits = SmallDigits.Training(trial);
        using var model = Trained(trial, digits, hidden, fourier);
        var denoiser = model.Denoiser();
        var process = (LogSnrProcess)denoiser.Process;
        using var heldOut = SmallDigits.HeldOut(trial.Count(128, 512));
        var x0 = SmallDigits.Pictures(heldOut);
        using var bound = Bound(trial, denoiser, x0);
        using var samples = trial.Draw(denoiser, new DdpmAncestral(ReverseVariance.Small), TimeGrid.Uniform(process, trial.Pick(3, 100, 100), toData: true), trial.Count(24, 60), digits.ItemShape);
        trial.Show(Figure.Images("ancestral steps, even in t", samples, 12));
        trial.Show(Figure.Of("γ(t)", new Chart("t", "γ").Line("γ", Enumerable.Range(0, 101).Select(i => (i / 100.0, process.Gamma(i / 100.0))))));
        var (mean, std) = Estimate(trial, denoiser, process, x0);
        var outcome = new Outcome(Score.Of(bound.Total))
            .With("prior, bits/dim", bound.Prior.mean().item<double>())
            .With("reconstruction, bits/dim", bound.Terms.select(1, -1).mean().item<double>())
            .With("diffusion by one t a sample, bits/dim", mean)
            .With("its standard deviation", std)
            .With("γ(0)", process.Gamma(0)).With("γ(1)", process.Gamma(1));
        return !real ? outcome : OnMnist(trial, outcome, (training, x) =>
        {
            using var other = Trained(trial, training, hidden, fourier);
            return Bound(trial, other.Denoiser(), x);
        });
    }

    private static Pair Trained(Trial trial, ArrayDataset digits, int hidden, bool fourier)
    {
        var pictures = SmallDigits.Pictures(digits);
        return trial.Fit("vdm", $"{digits.Name} {digits.Count}", trial.Seeded(() => new Pair(hidden, fourier)), new(trial.Steps(150, 1500)) { LearningRate = 2e-3 },
            (pair, _) => pair.Loss(pictures.index_select(0, randint(digits.Count, [32], ScalarType.Int64))));
    }

    private static BoundEstimate Bound(Trial trial, NetworkDenoiser denoiser, Tensor x0) =>
        new ContinuousBound(new LevelPosterior()) { FromObservation = true }.Evaluate(denoiser, x0, Condition.None, trial.Pick(2, 32, 64), seed: trial.Seed);

    // The same on MNIST, where it is at hand.
    private static Outcome OnMnist(Trial trial, Outcome outcome, Func<ArrayDataset, Tensor, BoundEstimate> bound)
    {
        if (SmallDigits.Mnist(trial) is not var (training, heldOut)) return outcome;
        using (training)
        using (heldOut)
        {
            using var on = bound(training, SmallDigits.Pictures(heldOut));
            return outcome.With("bound on MNIST, bits/dim", on.Total.mean().item<double>());
        }
    }

    // What a training step sees: the diffusion term at one uniform time a sample.
    private static (double Mean, double Std) Estimate(Trial trial, NetworkDenoiser denoiser, LogSnrProcess process, Tensor x0)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        random.manual_seed(trial.Seed);
        var t = Times.Each(ScheduledBound.EvenTimes(x0.size(0)).data<double>().ToArray());
        var noise = randn_like(x0);
        var error = (denoiser.Denoise(process.Corrupt(x0, t, noise), t, Condition.None).Epsilon - noise).square().flatten(1).mean([1]);
        var loss = 0.5 / Math.Log(2) * t.Vector(process.GammaDot) * error.to(ScalarType.Float64);
        return (loss.mean().item<double>(), loss.size(0) > 1 ? loss.std().item<double>() : 0);
    }

    private static Outcome Ddpm(Trial trial, ReverseVariance variance)
    {
        using var digits = SmallDigits.Training(trial);
        using var heldOut = SmallDigits.HeldOut(trial.Count(128, 512));
        BoundEstimate Bound(ArrayDataset training, Tensor x0)
        {
            using var model = trial.Model(new()
            {
                Name = "ddpm",
                Data = training,
                Formulation = new() { Name = "ddpm", BetaSchedule = "linear" },
                Network = () => new UNet2D(SmallNetworks.Image(1, 14, 14), zeroOutput: true),
                Steps = trial.Steps(150, 1500),
            });
            return new VariationalBound(variance).Evaluate(model.Denoiser, x0, Condition.None, terms: trial.Pick(3, 33, 65), seed: trial.Seed);
        }

        using var bound = Bound(digits, SmallDigits.Pictures(heldOut));
        return OnMnist(trial, Score.Of(bound.Total), Bound);
    }

    // All pictures on one sheet, so that the file's head counts for little.
    private static Outcome Png(Trial trial)
    {
        using var heldOut = SmallDigits.HeldOut(trial.Count(128, 512));
        var pictures = SmallDigits.Pictures(heldOut);
        return new Score(8.0 * ImageGrid.Png(pictures, columns: 16, padding: 0).Length / pictures.numel());
    }
}
