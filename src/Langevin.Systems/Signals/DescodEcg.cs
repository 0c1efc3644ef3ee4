using Langevin.Data;
using Langevin.Data.Procedural;
using Langevin.Denoisers;
using Langevin.Metrics.Signals;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Signals;

/// <summary>DeScoD-ECG: electrocardiograms without their noise, by a diffusion model that sees the noisy signal.</summary>
public sealed class DescodEcgSystem : DiffusionSystem
{
    private const int ManyShots = 10, Batch = 16;
    private const float Unit = 0.25f; // mV: about the deviation of a heartbeat
    private static readonly DiscreteProcess Process = DiscreteProcess.FromBetas(Betas.ScaledLinear(50, 1e-4, 0.5));
    private static readonly TimeGrid Grid = TimeGrid.Uniform(Process, 50, toData: true);

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "descod-ecg",
        Reference = "[68]",
        Title = "ECG denoising by a conditional diffusion model",
        Paper = "Li, Ditzler, Roveda and Li 2022, DeScoD-ECG, sections III and IV",
        Domain = "signals",
        Mechanism = "ε̂(√ᾱ x_0 + √(1 − ᾱ) ε, noisy signal, √ᾱ) under |ε − ε̂|, with √ᾱ ~ U[√ᾱ_n, √ᾱ_(n−1)], T = 50 and √β even from 0.01 to √0.5. One stream of half-normalised filters reads "
            + "x_t, one the noisy signal, joined by bridges that know √ᾱ. Of M samples for one noisy signal the mean is taken.",
        Faithful = "process, noise levels, blocks, bridges, loss, ancestral steps, averaging of 1, 3, 5 and 10 shots, noise of 0.2 to 2 times the signal, held-out patients and noise",
        StandIn = "16 channels for 64; windows anywhere in the signal, as in use, for single beats; electrocardiograms drawn on the spot for the QT database, at 180 Hz in a quick run",
        Data = "electrocardiograms with wander, muscle and electrode motion, drawn on the spot; records 100 and 118 of MIT-BIH under recorded noise beside them",
        Metric = new("PRD", Direction.Lower, "%"),
        Time = TimeClass.M,
        Remark = "The regression of the same network learns the squared error that PRD measures, and as many steps of training bring it nearer by nine points; on the records of MIT-BIH the two are level (67 and 69 %). One stream with as many weights is nearer than two by 1.6 points.",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("10 shots", trial => Run(trial, noisy => Sampled(trial, Network(trial), noisy, ManyShots), Show)),
        Arm.Baseline("band-pass", trial => Run(trial, noisy => EcgCases.Middle(ZeroPhase.Butterworth(noisy, Rate(trial), 0.67, 40).unsqueeze(1)))),
        Arm.Baseline("medians", trial => Run(trial, noisy => EcgCases.Middle(noisy - ZeroPhase.MedianBaseline(noisy, Rate(trial)).unsqueeze(1)))),
        Arm.Baseline("regression", trial => Run(trial, noisy => Regressed(Regression(trial), noisy))),
        Arm.Ablation("1 shot", trial => Run(trial, noisy => Sampled(trial, Network(trial), noisy, 1))),
        Arm.Ablation("one stream", trial => Run(trial, noisy => Sampled(trial, Network(trial, oneStream: true), noisy, ManyShots))),
    ];

    /// <inheritdoc/>
    public override string? Application =>
        "takes an electrocardiogram of any length, rate and number of channels, a WFDB record or a CSV table with its times, and writes it without wander, muscle and electrode noise, in the form that the output's name asks for";

    /// <inheritdoc/>
    public override void Apply(Trial trial, string input, string output)
    {
        ArgumentNullException.ThrowIfNull(trial);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var record = SignalFile.Load(input);
        using var network = Network(trial);
        int own = (int)Math.Round(record.Rate), window = Window(trial), hop = window * 3 / 4;
        var missing = record.Samples.isnan();
        var mean = record.Samples.nan_to_num(0).sum([1L], keepdim: true) / missing.logical_not().sum([1L], keepdim: true).clamp_min(1);
        var x = (record.Samples - mean).nan_to_num(0);
        var highest = x.abs().amax([1L], keepdim: true);
        x = Resampling.Convert(x, own, Rate(trial)).to(ScalarType.Float32);
        // Recordings differ in gain: bring the heartbeat to the height that the network knows.
        using var known = Electrocardiogram.Create(200, window, Rate(trial));
        var gain = Spread(known.Items.flatten(1), trial).mean() / Spread(x, trial).clamp_min(1e-9);
        var windows = Windows.Cut(x * gain, window, hop);
        using var clean = Shoot(trial, network, windows.flatten(0, 1).unsqueeze(1), trial.Pick(1, 3, ManyShots));
        var joined = Windows.Join(clean.mean([0L]).view(windows.shape), x.size(1), hop) / gain;
        var back = Resampling.Convert(joined, Rate(trial), own).narrow(1, 0, record.Samples.size(1)).to(ScalarType.Float32);
        back = back.minimum(highest).maximum(-highest); // beyond the recording's own range there is no heartbeat, and files have ends
        using var answer = record.With(back.masked_fill(missing, float.NaN));
        SignalFile.Save(output, answer);
    }

    private static int Rate(Trial trial) => trial.Pick(90, 180, 180);

    private static int Window(Trial trial) => 512 * Rate(trial) / 360;

    private static Tensor Spread(Tensor signals, Trial trial) => ZeroPhase.Butterworth(signals, Rate(trial), 5, 25).std(1, keepdim: true).to(ScalarType.Float32);

    private static BridgedStreams Build(Trial trial, bool oneStream = false) => trial.Seeded(() => new BridgedStreams(new()
    {
        Channels = trial.Pick(8, 16, 16) * (oneStream ? 3 : 2) / 2, // about as many weights
        Dilations = trial.Pick<int[]>([1], [1, 2, 4, 2, 1], [1, 2, 4, 2, 1]),
        OneStream = oneStream,
    }));

    private static BridgedStreams Network(Trial trial, bool oneStream = false)
    {
        var objective = new DenoisingObjective(Norm: ErrorNorm.Absolute);
        var times = new CellUniformTime { Points = Points.LowDiscrepancy }.Begin(Process, trial.Seed);
        return Learn(trial, oneStream ? "descod-one-stream" : "descod", Build(trial, oneStream), (network, clean, noisy, step) =>
            objective.Loss(Denoiser(network), clean, Condition.None.With(BridgedStreams.Slot, noisy), times.Draw(Batch, step).Times, randn_like(clean)));
    }

    private static BridgedStreams Regression(Trial trial) => Learn(trial, "descod-regression", Build(trial), (network, clean, noisy, _) => (Regress(network, noisy) - clean).square());

    private static BridgedStreams Learn(Trial trial, string name, BridgedStreams network, Func<BridgedStreams, Tensor, Tensor, long, Tensor> loss)
    {
        using var gradients = enable_grad();
        using var cores = new Cores(); // operations this small gain nothing from a second thread
        int count = trial.Pick(32, 2000, 6000);
        // Drawn only where there is something to learn.
        var sets = new Lazy<Tensor[]>(() =>
        [
            Electrocardiogram.Create(count, Window(trial), Rate(trial)).Items,
            .. Enum.GetValues<EcgNoise>().Select(k => Electrocardiogram.Noise(k, count, Window(trial), Rate(trial)).Items),
        ]);
        trial.Fit(name, $"{Rate(trial)} Hz, {count}", network, new(trial.Steps(120, 800)) { LearningRate = 5e-3 }, (n, step) =>
        {
            Tensor Some(Tensor items) => items.index_select(0, randint(0, count, [Batch], ScalarType.Int64));
            var cases = EcgCases.Of(Some(sets.Value[0]), [.. sets.Value[1..].Select(Some)], rand(Batch, 4));
            return loss(n, cases.Clean / Unit, cases.Noisy / Unit, step).mean();
        });
        if (sets.IsValueCreated) foreach (var items in sets.Value) items.Dispose();
        return network;
    }

    private static NetworkDenoiser Denoiser(BridgedStreams network) => new(network, Process, new LevelPreconditioning());

    private static Tensor Regress(BridgedStreams network, Tensor noisy) =>
        network.call(zeros_like(noisy), zeros(noisy.size(0)), Condition.None.With(BridgedStreams.Slot, noisy));

    private static Tensor Regressed(BridgedStreams network, Tensor noisy)
    {
        using (network) return Regress(network, EcgCases.Middle(noisy) / Unit) * Unit;
    }

    private static Tensor Sampled(Trial trial, BridgedStreams network, Tensor noisy, int shots)
    {
        using (network) return Shoot(trial, network, EcgCases.Middle(noisy), shots);
    }

    // [M, N, 1, L] in mV.
    private static Tensor Shoot(Trial trial, BridgedStreams network, Tensor noisy, int shots) =>
        Shots.Draw(Denoiser(network), new DdpmAncestral(), Grid, Condition.None.With(BridgedStreams.Slot, noisy / Unit), (int)noisy.size(0), shots, noisy.shape[1..], trial.Seed,
            progress: share => trial.Report(share, "denoising"), cancellation: trial.Cancellation).mul_(Unit);

    private static Outcome Run(Trial trial, Func<Tensor, Tensor> denoise, Action<Trial, EcgCases, Tensor>? show = null)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var cases = EcgCases.Drawn(trial.Pick(4, 32, 64), Window(trial), Rate(trial));
        var (truth, shots) = (EcgCases.Middle(cases.Clean), Several(denoise(cases.Noisy)));
        var estimate = shots.mean([0L]);
        var prd = SignalError.PercentageRootMeanSquare(truth, estimate);
        double Mean(Tensor values) => values.mean().item<double>();
        var outcome = new Outcome(Score.Of(prd))
            .With("SSD, mV²", Mean(SignalError.SumOfSquares(truth, estimate))).With("MAD, mV", Mean(SignalError.MaximumAbsolute(truth, estimate)))
            .With("cosine similarity", Mean(SignalError.CosineSimilarity(truth, estimate))).With("gain in SNR, dB", Mean(SignalError.SignalToNoise(truth, estimate) - SignalError.SignalToNoise(truth, EcgCases.Middle(cases.Noisy))));
        foreach (int m in new[] { 1, 3, 5 }.Where(m => m < shots.size(0)))
            outcome = outcome.With($"PRD of {m} {(m == 1 ? "shot" : "shots")}, %", Mean(SignalError.PercentageRootMeanSquare(truth, shots.narrow(0, 0, m).mean([0L]))));
        foreach (var (low, high) in new[] { (0.2, 0.6), (0.6, 1.0), (1.0, 1.5), (1.5, 2.0) })
        {
            var within = cases.Level.ge(low).logical_and(cases.Level.lt(high));
            if (within.any().item<bool>()) outcome = outcome.With(FormattableString.Invariant($"PRD under noise of {low} to {high}, %"), Mean(prd[within]));
        }
        show?.Invoke(trial, cases, shots);
        if (EcgCases.Recorded(trial, trial.Pick(2, 8, 16), Window(trial), Rate(trial)) is not { } real) return outcome;
        var heard = Several(denoise(real.Noisy)).mean([0L]);
        return outcome.With("PRD on MIT-BIH records, %", Mean(SignalError.PercentageRootMeanSquare(EcgCases.Middle(real.Clean), heard)));
    }

    private static Tensor Several(Tensor answer) => answer.dim() == 4 ? answer : answer.unsqueeze(0);

    private static void Show(Trial trial, EcgCases cases, Tensor shots)
    {
        for (int i = 0; i < 2; i++)
        {
            double step = 1.0 / Rate(trial);
            var (mean, spread) = (shots.select(1, i).mean([0L])[0], shots.select(1, i).std(0)[0]);
            trial.Show(Figure.Of("noisy, without noise, and the truth", new Chart("s", "mV").Line("noisy", EcgCases.Middle(cases.Noisy)[i, 0], step)
                .Band("spread", mean - spread, mean + spread, step).Line("mean of shots", mean, step).Line("truth", EcgCases.Middle(cases.Clean)[i, 0], step)));
        }
    }
}
