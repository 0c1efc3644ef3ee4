using Langevin.Data.Procedural;
using Langevin.Denoisers;
using Langevin.Metrics.Distributions;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Systems.Sampling;

/// <summary>A noise schedule for few steps, learnt after the denoiser and read off the condition.</summary>
public sealed class LearnedNoiseSchedule : DiffusionSystem
{
    private const string Slot = "history";
    private const int Few = 6;
    private const double Low = -10, High = 6;
    private static readonly LogSnrPreconditioning Told = new(Low, High, 4);

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "learned-noise-schedule",
        Reference = "§9.3, [36]",
        Title = "conditional noise-scheduling network",
        Paper = "Yan et al. 2022 (TFDPM), after Lam et al. 2022 (BDDM); Kingma et al. 2021, equation 13; re-implementation from description",
        Domain = "sampling",
        Mechanism = "ε̂ is trained and frozen. A small network then reads the condition c and gives the levels of S steps, γ_k(c) = γ_0 + (γ_S − γ_0) Σ_{j ≤ k} softmax_j, "
            + "learnt by the divergence of the S steps themselves, ½ Σ_k (e^{γ_k − γ_{k−1}} − 1) E‖ε − ε̂(z_k, c)‖². A condition that foretells small values gets its steps at small noise.",
        Faithful = "schedule apart from and after ε̂, by the steps' divergence, from the condition; ancestral steps",
        StandIn = "all levels at once from the condition, where BDDM walks from level to level reading x_t; forecasts of synthetic series in place of plant sensors",
        Data = "series whose volatility spans a factor of 50, drawn on the spot: forecasts of 8 increments from 16, with exact answers",
        Metric = new("sliced Wasserstein distance of the forecasts as shocks", Direction.Lower),
        Time = TimeClass.S,
        Remark = "The learnt levels have the smallest divergence of all with six steps, which is what they are learnt by: 7.9 nats a dimension, without history 8.2, by the variance 10.7, even in γ 12.8, linear β 52 and 576. The distance of the samples does not follow it, and three times the steps are far better than any six.",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("γ(history)", trial => Run(trial, (net, c) => Learned(trial, net, VolatileSeries.Told).call(c))),
        Arm.Baseline("linear β, even in t", trial => Run(trial, (_, c) => Same(c, Linear(u => u)))),
        Arm.Baseline("linear β, quadratic in t", trial => Run(trial, (_, c) => Same(c, Linear(u => u * u)))),
        Arm.Baseline("ddim, even in γ", trial => Run(trial, (_, c) => Same(c, u => u), deterministic: true)),
        Arm.Ablation("thrice the steps, even in γ", trial => Run(trial, (_, c) => Same(c, u => u, 3 * Few)), Effect.None),
        Arm.Ablation("without history", trial => Run(trial, (net, c) => Learned(trial, net, 0).call(c))),
        Arm.Ablation("even in γ", trial => Run(trial, (_, c) => Same(c, u => u))),
        Arm.Ablation("γ by the variance, as vdm's", trial => Run(trial, (net, c) => Same(c, VdmGamma(trial, net)))),
        Arm.Ablation("random levels", trial => Run(trial, (_, c) => Random(trial, c))),
    ];

    private static Network Trained(Trial trial)
    {
        using var series = VolatileSeries.Create(trial.Pick(200, 20_000, 100_000));
        var process = LogSnrProcess.Linear(Low, High);
        return trial.Fit("volatile-series", $"{trial.Pick(200, 20_000, 100_000)}",
            trial.Seeded(() => new Beside(new ResidualMlp(new() { Dimensions = VolatileSeries.Ahead + VolatileSeries.Told, Hidden = 128, Blocks = 3 }, zeroOutput: true), Slot)),
            new(trial.Steps(1500, 4000)) { LearningRate = 2e-3 }, (net, _) =>
            {
                var (x0, condition) = Some(series, 256);
                var t = Times.Each(ScheduledBound.EvenTimes(256).data<double>().ToArray());
                return new DenoisingObjective(Weighting.Simple).Loss(new NetworkDenoiser(net, process, Told), x0, condition, t, randn_like(x0)).mean();
            });
    }

    private static (Tensor Future, Condition History) Some(VolatileSeries series, int count)
    {
        var index = randint(0, series.Future.size(0), [count], ScalarType.Int64);
        return (series.Future.index_select(0, index), Condition.None.With(Slot, series.Context.index_select(0, index)));
    }

    // The schedule of the steps' divergence, from the whole history or from nothing.
    private static StepSchedule Learned(Trial trial, Network net, int inputs)
    {
        using var series = VolatileSeries.Create(trial.Pick(200, 20_000, 50_000), seed: 1);
        foreach (var p in net.parameters()) p.requires_grad = false;
        return trial.Fit("step-schedule", $"{Few} {Low} {High}", trial.Seeded(() => new StepSchedule(Few, Low, High, inputs), stream: 1), new(trial.Steps(400, 1000)) { LearningRate = 1e-2 }, (schedule, _) =>
        {
            var (x0, condition) = Some(series, 128);
            var noise = randn([x0.size(0), Few, x0.size(1)]);
            return new StepBound(Told).Terms(net, schedule.call(condition[Slot]!), x0, condition, noise).sum(1).mean();
        });
    }

    // The interior of vdm's schedule: even variance of the continuous bound, whatever the number of steps.
    private static Func<double, double> VdmGamma(Trial trial, Network net)
    {
        using var series = VolatileSeries.Create(trial.Pick(200, 20_000, 50_000), seed: 1);
        foreach (var p in net.parameters()) p.requires_grad = false;
        using var schedule = trial.Fit("vdm-schedule", $"{Low} {High}", trial.Seeded(() => new MonotoneSchedule(Low, High), stream: 1), new(trial.Steps(400, 1000)) { LearningRate = 1e-2 }, (schedule, _) =>
        {
            var (x0, condition) = Some(series, 256);
            return new ScheduledBound(Told, Decoder.Density).Terms(net, schedule, x0, condition, ScheduledBound.EvenTimes(256), randn_like(x0)).Spread;
        });
        var (gamma, _) = schedule.Freeze();
        return u => (gamma(u) - gamma(0)) / (gamma(1) - gamma(0));
    }

    // Levels that are the same for all: shares of the way from γ_0 to γ_S at even u.
    private static Tensor Same(Tensor context, Func<double, double> share, int steps = Few) =>
        tensor(Enumerable.Range(0, steps + 1).Select(k => Low + (High - Low) * share((double)k / steps)).ToArray()).expand(context.size(0), steps + 1);

    // Of the VP SDE between the same ends, at times by their place.
    private static Func<double, double> Linear(Func<double, double> place)
    {
        var process = VariancePreserving.Linear();
        double first = process.TimeOfLambda(-Low / 2), last = process.TimeOfLambda(-High / 2);
        return u => (-2 * process.Lambda(first + place(u) * (last - first)) - Low) / (High - Low);
    }

    private static Tensor Random(Trial trial, Tensor context)
    {
        using var generator = new Generator((ulong)trial.Seed);
        var inner = rand([context.size(0), Few - 1], ScalarType.Float64, generator: generator).sort(1).Values;
        return Low + (High - Low) * cat([zeros([context.size(0), 1], ScalarType.Float64), inner, ones([context.size(0), 1], ScalarType.Float64)], 1);
    }

    private static Outcome Run(Trial trial, Func<Network, Tensor, Tensor> levels, bool deterministic = false)
    {
        using var net = Trained(trial);
        using var off = no_grad();
        using var scope = NewDisposeScope();
        int count = trial.Count(2000, 5000);
        var process = LogSnrProcess.Linear(Low, High);
        var denoiser = new NetworkDenoiser(net, process, Told);
        using var series = VolatileSeries.Create(count, seed: 2);
        Tensor gamma;
        using (enable_grad()) gamma = levels(net, series.Context).detach();
        int steps = (int)gamma.size(1) - 1;

        // Times of the linear process, from the noise down and then to clean data.
        var times = ((gamma - Low) / (High - Low)).clamp(0, 1).flip(1);
        var columns = Enumerable.Range(0, steps + 1).Select(k => times.select(1, k).contiguous().data<double>().ToArray()).ToArray();
        Draft Draft(int first, int length)
        {
            var own = new OwnTimes([.. columns.Select(c => Times.Each(c[first..(first + length)])), process.DataTime]);
            return new(denoiser, deterministic ? new Ddim() : own, Condition.None.With(Slot, series.Context.narrow(0, first, length)));
        }
        var grid = new TimeGrid([.. columns.Select(c => c[0]), process.DataTime]);
        using var forecasts = Batches.Draw(Draft, count, 500, [VolatileSeries.Ahead], grid, trial.Seed, cancellation: trial.Cancellation).Samples;
        Tensor shocks = series.Shocks(forecasts), exact = series.Shocks(series.Future);
        trial.Show(Figure.Of("forecasts as shocks: their mean and their spread", new Chart { Square = true }.Points("exact", Plane(exact)).Points("forecasts", Plane(shocks))));
        trial.Show(Figure.Of("levels by log volatility", new Chart("log of the history's size", "γ") { }.Points("", Spread(series.Context, gamma))));
        var noise = randn([count, steps, VolatileSeries.Ahead], generator: new Generator((ulong)trial.Seed));
        var bound = new StepBound(Told).Terms(net, gamma, series.Future, Condition.None.With(Slot, series.Context), noise).sum(1);
        return new Outcome(Score.Of(shocks, s => TwoSample.SlicedWasserstein1(s, exact, 64, 1), trial.Seed, trial.Pick(10, 50, 100)))
            .With("divergence of the steps, nats/dim", bound.mean().item<double>())
            .With("evaluations", steps + 1);
    }

    // The break's way, and one shock across it.
    private static Tensor Plane(Tensor z) => stack([z.mean([1]) * Math.Sqrt(VolatileSeries.Ahead), (z[.., 0] - z[.., 1]) / Math.Sqrt(2)], 1);

    private static Tensor Spread(Tensor context, Tensor gamma)
    {
        var size = context.narrow(0, 0, Math.Min(200, context.size(0)))[.., VolatileSeries.Past].to(ScalarType.Float64);
        return stack([size.repeat_interleave(gamma.size(1)), gamma.narrow(0, 0, size.size(0)).flatten()], 1);
    }
}
