using System.Globalization;
using Langevin.Data;
using Langevin.Metrics.Series;
using Langevin.Networks;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Systems.Baselines;

/// <summary>SMOTE: rows between neighbours, so that a rare class is learnt as well as a common one.</summary>
public sealed class Smote : DiffusionSystem
{
    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "smote",
        Reference = "[96]",
        Title = "synthetic minority oversampling, against a diffusion model of the minority",
        Paper = "Chawla, Bowyer, Hall and Kegelmeyer 2002, section 4.2; Han, Wang and Mao 2005 (borderline)",
        Domain = "baselines",
        Mechanism = "Rows of the rare class are added until both classes are as large: x + u (x_nn − x) with x_nn one of the k nearest rows of the class and u uniform in [0, 1]. "
            + "The classifier then sees regions instead of points.",
        Faithful = "interpolation, k = 5, balance of the classes; tables of the paper where there are files of them",
        StandIn = "a perceptron in place of decision trees",
        Data = "generated tables of two classes, one row in twenty in the rare one; with data files mammography, phoneme, oil-spill and pima too",
        Metric = new("F1 of the rare class", Direction.Higher),
        Time = TimeClass.S,
        Remark = "Filled up to as many rows as the common class has, the rare class is called too often for F1: a quarter of that is better than no resampling, and so is no resampling with another threshold. Rows of a diffusion model of the rare class are worse than all of these, as the survey says.",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("smote, k = 5", trial => Run(trial, "smote", (t, n) => Oversampling.Smote(t.Rare, n, seed: trial.Seed).Rows)),
        Arm.Baseline("no resampling", trial => Run(trial, "none", null)),
        Arm.Baseline("no resampling, threshold of the best F1", trial => Run(trial, "none", null, moved: true)),
        Arm.Baseline("rows repeated", trial => Run(trial, "repeated", (t, n) => t.Rare.index_select(0, arange(n, ScalarType.Int64).remainder(t.Rare.size(0))))),
        Arm.Baseline("borderline", trial => Run(trial, "borderline", (t, n) => Oversampling.Borderline(t.Rare, t.Common, n, seed: trial.Seed).Rows)),
        Arm.Baseline("diffusion model of the rare rows", trial => Run(trial, "diffusion", (t, n) => Diffused(trial, t, n))),
        Arm.Ablation("k = 1", trial => Run(trial, "k1", (t, n) => Oversampling.Smote(t.Rare, n, 1, trial.Seed).Rows)),
        Arm.Ablation("any two rows", trial => Run(trial, "any", (t, n) => Oversampling.Smote(t.Rare, n, int.MaxValue, trial.Seed).Rows)),
        Arm.Ablation("a quarter of the balance", trial => Run(trial, "quarter", (t, n) => Oversampling.Smote(t.Rare, Math.Max(1, n / 4), seed: trial.Seed).Rows)),
    ];

    /// <inheritdoc/>
    public override string Application => "Takes a CSV table whose last column is a class of two, all else numbers, and writes it with synthetic rows of the rarer class, as many of each in the end.";

    /// <inheritdoc/>
    public override void Apply(Trial trial, string input, string output)
    {
        ArgumentNullException.ThrowIfNull(trial);
        using var scope = NewDisposeScope();
        using var set = Data.Formats.Csv.Open(input, new() { Label = "-1" });
        var (rare, common) = TableSplit.Classes(set);
        var std = set.Items.std(0, unbiased: false, keepdim: true);
        var scale = where(std.gt(0), std, ones_like(std));
        var rows = set.Items;
        if (common.numel() > rare.numel())
            rows = cat([rows, Oversampling.Smote(rows.index_select(0, rare) / scale, (int)(common.numel() - rare.numel()), seed: trial.Seed).Rows * scale]);
        long[] labels = [.. set.Labels!.data<long>(), .. Enumerable.Repeat(set.Labels![rare[0]].item<long>(), (int)(rows.size(0) - set.Count))];
        var lines = rows.contiguous().data<float>().ToArray().Chunk((int)rows.size(1)).Zip(labels, (r, l) => string.Join(',', [.. r.Select(v => v.ToString("r", CultureInfo.InvariantCulture)), set.ClassNames[(int)l]]));
        File.WriteAllLines(output, set.ColumnNames.Count > 0 ? lines.Prepend(string.Join(',', [.. set.ColumnNames, "class"])) : lines);
    }

    // F1 of the same perceptron on each table, after its rare rows have been added to.
    private static Outcome Run(Trial trial, string name, Func<TableSplit, int, Tensor>? more, bool moved = false)
    {
        var tables = TableSplit.All(trial, trial.Pick(1, 3, 8), trial.Pick(200, 2000, 4000), trial.Pick(1, 2, 3)).ToArray();
        var detections = new List<Detection>();
        double area = 0;
        foreach (var table in tables)
        {
            using var scope = NewDisposeScope();
            int missing = (int)(table.Common.size(0) - table.Rare.size(0));
            var rare = more is null || missing < 1 ? table.Rare : cat([table.Rare, more(table, missing)]);
            var x = cat([rare, table.Common]);
            var y = cat([ones(rare.size(0)), zeros(table.Common.size(0))]);
            using var classifier = Fit(trial, name + "|" + table.Name, x, y);
            using var still = no_grad();
            double threshold = moved ? AnomalyDetection.BestF1(classifier.call(x).squeeze(1), y).Threshold : 0;
            var scores = classifier.call(table.Test).squeeze(1);
            detections.Add(AnomalyDetection.At(scores, table.IsRare, threshold));
            area += AnomalyDetection.RocArea(scores, table.IsRare) / tables.Length;
            if (table == tables[0]) trial.Show(Figure.Of($"rows of {table.Name} learnt from, first two columns", new Chart { Square = true }
                .Points("common", table.Common.narrow(1, 0, 2)).Points("made", rare.narrow(1, 0, 2)).Points("rare", table.Rare.narrow(1, 0, 2))));
        }
        using var f1 = tensor(detections.Select(d => d.F1).ToArray());
        return new Outcome(Score.Of(f1)).With("area under the ROC curve", area).With("recall", detections.Average(d => d.Recall)).With("precision", detections.Average(d => d.Precision));
    }

    // A perceptron of one hidden layer, by cross-entropy on random rows.
    private static nn.Module<Tensor, Tensor> Fit(Trial trial, string key, Tensor x, Tensor y) => trial.Fit("smote-classifier", key,
        trial.Seeded(() => nn.Sequential(("hidden", nn.Linear(x.size(1), 32)), ("act", nn.SiLU()), ("out", nn.Linear(32, 1)))),
        new(trial.Steps(200, 400)) { LearningRate = 1e-2, WeightDecay = 1e-3 }, (module, _) =>
        {
            var rows = randint(x.size(0), [256L], ScalarType.Int64);
            return nn.functional.binary_cross_entropy_with_logits(module.call(x.index_select(0, rows)).squeeze(1), y.index_select(0, rows));
        });

    // A diffusion model of the standardised rows, as of TabDDPM's numerical columns (Kotelnikov et al. 2023).
    private static Tensor Diffused(Trial trial, TableSplit table, int count)
    {
        using var rows = new ArrayDataset($"smote-{table.Name}", table.Rare.clone());
        using var model = trial.Model(new()
        {
            Name = "smote-diffusion",
            Data = rows,
            Formulation = new() { Name = "ddpm" },
            Network = () => new ResidualMlp(new() { Dimensions = (int)table.Rare.size(1), Hidden = 64, Blocks = 2 }),
            Steps = trial.Steps(300, 1000),
            BatchSize = 128,
        });
        return trial.Draw(model.Denoiser, new Ddim(1), TimeGrid.Uniform(model.Denoiser.Process, trial.Pick(2, 20, 50), toData: true), count, rows.ItemShape);
    }
}
