using System.Diagnostics;
using System.Text.Json.Nodes;
using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Inverse;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>
/// Restores many pictures of a data set and compares with the classical methods. These have their numbers tuned on pictures of the training part,
/// and the best of them on the pictures reported is what counts.
/// </summary>
internal static class HeldOutTable
{
    /// <summary>Pictures on which the classical methods are tuned, and rows in a task's picture.</summary>
    private const int Tuning = 16, Rows = 6;

    private static readonly string[] Heads = ["task", "measure", "method", "one sample", "mean of samples", "best classical", "mean's gain", "better in"];

    /// <summary>The pictures to restore and those to tune on, both [N, C, H, W]; the training part begins with those to tune on.</summary>
    public static (Tensor Truth, Tensor Tuning) Pictures(IDataset set, int count, bool heldOut)
    {
        var training = Judgement.Training(set);
        int tuning = Math.Min(Tuning, training.Count);
        var (part, first) = heldOut ? (Judgement.HeldOut(set), 0) : (training, tuning);
        if (count > part.Count - first) throw new ArgumentException($"--count {count}: {(heldOut ? "the held-out part" : "the rest of the training part")} of '{set.Name}' has {part.Count - first} pictures.");
        return (Get(part, first, count), Get(training, 0, tuning));
    }

    private static Tensor Get(IDataset set, int first, int count)
    {
        using var batch = set.Get([.. Enumerable.Range(first, count).Select(i => (long)i)], 0);
        return batch.Samples.to(ScalarType.Float32).alias();
    }

    /// <summary>Restores the pictures under one task.</summary>
    /// <returns>The figures, and a row of pictures for each of the first few.</returns>
    public static (JsonObject Figures, List<Tensor> Rows) Row(Canvas canvas, RestorationTask task, Method method, Tensor truth, Tensor tuning, Action<double> progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var clock = Stopwatch.StartNew();
        var learnt = task.Measure(tuning, canvas.Seed + 1);
        var baselines = task.Baselines.Select(b => b.Tuned(learnt, tuning)).ToList();
        var measured = task.Measure(truth, canvas.Seed);
        var classical = baselines.Select(b => (b, b.Restore(measured))).ToList();
        double classicalSeconds = clock.Elapsed.TotalSeconds;
        clock.Restart();
        var y = measured.to(canvas.Device);
        var (answers, evaluations) = method.Draw(canvas, task, y, classical[0].Item2.to(canvas.Device), progress, cancellation);
        using (answers)
        {
            var figures = new JsonObject
            {
                ["task"] = task.Name, ["noise"] = task.Sigma, ["method"] = method.Name, ["steps"] = method.Steps, ["scale"] = method.Scale, ["evaluations"] = evaluations,
                ["misfit"] = new Measurement(task.Operator, measured, task.Sigma).Misfit(answers.select(1, 0)).square().mean().sqrt().to(ScalarType.Float64).item<double>() / Math.Sqrt((double)measured.numel() / measured.shape[0]),
                ["spread"] = answers.shape[1] > 1 ? answers.std(1, unbiased: true).mean().to(ScalarType.Float64).item<double>() : null,
                ["seconds"] = clock.Elapsed.TotalSeconds, ["classical_seconds"] = classicalSeconds,
            };
            var scores = Quality.Measures(canvas.Height, canvas.Width).Select(m => Scores.Of(m.Name, m.Of, answers, classical, truth)).ToList();
            foreach (var score in scores) figures[score.Name] = score.ToJson();
            var (_, shown) = classical.First(c => ReferenceEquals(c.b, scores[0].Best.Method));
            var view = task.View(measured);
            var rows = Enumerable.Range(0, (int)Math.Min(Rows, truth.shape[0])).Select(i => Comparison.Row(view.narrow(0, i, 1), shown.narrow(0, i, 1), answers[i], truth.narrow(0, i, 1)));
            return (figures, [.. rows.Select(r => r.MoveToOuterDisposeScope())]);
        }
    }

    /// <summary>The table of all tasks.</summary>
    public static void Print(Terminal terminal, IEnumerable<JsonObject> tasks) => terminal.Table(Heads, tasks.SelectMany(t => new[] { "psnr", "ssim" }.Where(m => t[m] is not null).Select(m => Line(t, m))));

    private static string[] Line(JsonObject task, string measure)
    {
        string format = measure == "psnr" ? "f2" : "f3";
        string Of(JsonNode f) => $"{((double)f["mean"]!).ToString(format)} [{((double)f["low"]!).ToString(format)}, {((double)f["high"]!).ToString(format)}]";
        var (scores, best) = (task[measure]!, (string)task[measure]!["best_classical"]!);
        var mean = scores["mean"]!;
        return
        [
            (string)task["task"]!, measure.ToUpperInvariant(), $"{(string)task["method"]!}, {(int)task["evaluations"]!} evaluations", Of(scores["sample"]!), Of(mean),
            $"{Of(scores["classical"]![best]!)} {best}", Of(mean["gain"]!), $"{(double)mean["better"]!["share"]!:p0}",
        ];
    }
}
