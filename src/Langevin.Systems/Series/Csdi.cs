using System.Collections.Concurrent;
using Langevin.Data;
using Langevin.Data.Formats;
using Langevin.Data.Procedural;
using Langevin.Denoisers;
using Langevin.Inverse;
using Langevin.Metrics.Series;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Systems.Series;

/// <summary>CSDI: gaps of multivariate series filled in by draws given what is known.</summary>
public sealed class CsdiSystem : DiffusionSystem
{
    private const int Steps = 50;
    private const string Judged = "judged";

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "csdi",
        Reference = "§8, imputation",
        Title = "conditional score-based diffusion for imputing time series",
        Paper = "Tashiro, Song, Song and Ermon 2021, equations 3, 5, 7 and 8, algorithms 1 and 2",
        Domain = "time series",
        Mechanism = "The network sees two channels, what is given and the noisy rest (1 − m) ⊙ x_t, each place's time, its feature's vector and m; residual blocks attend over time, then over "
            + "features. It learns from series that have gaps themselves: of what is known a random share is held back, and the loss is ‖ε − ε̂‖² there alone. Ancestral steps draw the rest.",
        Faithful = "network, self-masking, loss, process (T = 50, √β even from √10⁻⁴ to √0.5), sampler, CRPS; with the authors' weights the library's network answers as theirs",
        StandIn = "two blocks of 32 channels, no dropout, a few hundred to a few thousand steps of training",
        Data = "correlated Gaussian series of eight features with gaps of 10 to 90 % and an outage each; in a full run with --data the stays of PhysioNet 2012, fold 0, 10 % held back",
        Metric = new("CRPS, normalised", Direction.Lower),
        Time = TimeClass.M,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("csdi", trial => Run(trial)),
        Arm.Baseline("linear interpolation", trial => Classical(trial, Imputation.Linear)),
        Arm.Baseline("last observation", trial => Classical(trial, Imputation.LastObserved)),
        Arm.Baseline("mean", trial => Classical(trial, Imputation.Mean)),
        Arm.Ablation("no feature attention", trial => Run(trial, c => c with { FeatureAttention = false })),
        Arm.Ablation("unconditional, replacement", trial => Run(trial, c => c with { IsUnconditional = true })),
        Arm.Ablation("one draw", trial => Run(trial, samples: 1)),
    ];

    private static DiscreteProcess Process { get; } = DiscreteProcess.FromBetas(Betas.ScaledLinear(Steps, 1e-4, 0.5));

    private static DenoisingObjective Objective { get; } = new(Weighting.Simple, Reduction.Sum) { JudgedSlot = Judged };

    private static Outcome Run(Trial trial, Func<CsdiConfig, CsdiConfig>? change = null, int? samples = null)
    {
        using var data = Data(trial);
        var config = new CsdiConfig
        {
            TargetDim = data.Train.Features, Layers = 2, Channels = 32, Nheads = 4, DiffusionEmbeddingDim = 64, Timeemb = 32, Featureemb = 8, Dropout = 0,
        };
        config = change?.Invoke(config) ?? config;
        using var network = trial.Fit("csdi", config.ToJson() + data.Train.Name, trial.Seeded(() => new Csdi(config)), new(trial.Steps(150, 800)) { LearningRate = 2e-3 }, Loss);
        var denoiser = new NetworkDenoiser(network, Process, new PlainPreconditioning());
        var holes = new ConcurrentBag<Inpainting>();
        var grid = TimeGrid.Uniform(Process, trial.Pick(3, Steps, Steps), toData: true);
        using var forecast = Imputation.Draw(Draft, grid, data.Test.Values, data.Test.Given, samples ?? trial.Pick(3, 16, 32), trial.Seed,
            progress: share => trial.Report(share, "imputations"), cancellation: trial.Cancellation);
        foreach (var hole in holes) hole.Dispose();
        var outcome = Measure(data.Test, forecast);
        if (change is not null || samples is not null) return outcome;
        Show(trial, data.Test, forecast);
        return data.IsReal ? outcome : outcome.With("CRPS of the exact posterior", OfPosterior(data.Test));

        Tensor Loss(Csdi net, long step)
        {
            var index = randint(0, data.Train.Count, [trial.Pick(8, 16, 16)]);
            var (values, known) = (data.Train.Values.index_select(0, index), data.Train.Observed.index_select(0, index));
            var given = config.IsUnconditional ? zeros_like(known) : SelfMasking.Random(known);
            var judged = known - given;
            var times = new UniformTime { Points = Points.LowDiscrepancy }.Begin(Process, trial.Seed).Draw((int)index.shape[0], step).Times;
            var loss = Objective.Loss(new NetworkDenoiser(net, Process, new PlainPreconditioning()), values, Csdi.Given(values, given).With(Judged, judged), times, randn_like(values));
            return loss.sum() / judged.sum().clamp_min(1);
        }

        Draft Draft(Tensor values, Tensor mask)
        {
            if (!config.IsUnconditional) return new(denoiser, new DdpmAncestral(), Csdi.Given(values, mask));
            // What is given replaced by its noisy self after every step: RePaint that never goes back.
            var hole = new Inpainting(mask);
            holes.Add(hole);
            return new(denoiser, new RePaint(new(hole, values), Jump: 1, Resamplings: 1), Condition.None);
        }
    }

    private static Outcome Classical(Trial trial, Func<Tensor, Tensor, Tensor> fill)
    {
        using var data = Data(trial);
        using var filled = fill(data.Test.Values, data.Test.Given);
        return Measure(data.Test, filled.unsqueeze(1));
    }

    // Where the truth is Gaussian of known covariance nothing can do better than its posterior, here by a hundred of its quantiles.
    private static double OfPosterior(PartialSeries test)
    {
        using var scope = NewDisposeScope();
        var (mean, std) = CorrelatedSeries.Posterior(test.Values, test.Given);
        var normal = (arange(-99, 100, 2, ScalarType.Float64) / 100).erfinv() * Math.Sqrt(2);
        return Crps.Normalised(mean.unsqueeze(1) + std.unsqueeze(1) * normal.view(1, -1, 1, 1), test.Values, test.Judged);
    }

    private sealed record Parts(PartialSeries Train, PartialSeries Test, bool IsReal) : IDisposable
    {
        public void Dispose()
        {
            Train.Dispose();
            Test.Dispose();
        }
    }

    private static Parts Data(Trial trial)
    {
        string? stays = trial.Scale != Scale.Full ? null : trial.RealData("physionet2012/set-a.tar.xz") ?? trial.RealData("physionet2012/set-a");
        if (stays is null) return new(CorrelatedSeries.Create(trial.Pick(64, 2000, 5000)), CorrelatedSeries.Create(trial.Count(24, 80), seed: 1), IsReal: false);
        using var all = PhysioNet2012.Open(stays);
        var fold = PhysioNet2012.Fold(all.Count, fold: 0);
        return new(all.Take(fold.Train), all.Take(fold.Test.Take(trial.Count(8, 40))), IsReal: true);
    }

    private static Outcome Measure(PartialSeries test, Tensor forecast)
    {
        using var scope = NewDisposeScope();
        var (absolute, squared) = ForecastError.Pooled(Imputation.Median(forecast), test.Values, test.Judged);
        return new Outcome(Score.Of(Crps.NormalisedItems(forecast, test.Values, test.Judged))).With("MAE of the median", absolute).With("RMSE of the median", squared);
    }

    // The feature with the most values kept back, which the outage mostly is in.
    private static void Show(Trial trial, PartialSeries test, Tensor forecast)
    {
        using var scope = NewDisposeScope();
        long k = test.Judged[0].sum(1).argmax().item<long>();
        Tensor Level(double q) => Crps.Quantile(forecast[0].select(1, k).unsqueeze(0), q)[0];
        IEnumerable<(double, double)> Places(Tensor mask) => Enumerable.Range(0, test.Length).Where(t => mask[0, k, t].item<float>() > 0).Select(t => ((double)t, (double)test.Values[0, k, t].item<float>()));
        Tensor Pairs(Tensor mask) => tensor(Places(mask).SelectMany(p => new[] { p.Item1, p.Item2 }).ToArray()).view(-1, 2);
        trial.Show(Figure.Of($"{test.FeatureNames[(int)k]} of the first series: the draws' middle 90 % and median, what was given and what was kept back",
            new Chart("time", "value").Band("5 to 95 %", Level(0.05), Level(0.95)).Line("median", Level(0.5)).Points("given", Pairs(test.Given)).Points("kept back", Pairs(test.Judged))));
    }
}
