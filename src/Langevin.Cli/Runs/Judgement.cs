using Langevin.Data;
using Langevin.Metrics.Judging;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Runs;

/// <summary>Judges samples against a data set: nine tenths of it, drawn at random, as what was trained on, and the rest as what was not.</summary>
internal sealed class Judgement : IDisposable
{
    private const double TrainingShare = 0.9;

    /// <summary>The part of a set that models are trained on.</summary>
    public static IDataset Training(IDataset set) => set.Split(TrainingShare).Train;

    /// <summary>The part that only judges see.</summary>
    public static IDataset HeldOut(IDataset set) => set.Split(TrainingShare).Test;

    private readonly Batch training, heldOut;
    private readonly Judge judge;
    private readonly int classes;

    /// <summary>Makes the judge of a set, or finds it in the cache.</summary>
    public Judgement(Terminal terminal, IDataset set, CancellationToken cancellation)
    {
        (training, heldOut, classes) = (All(Training(set)), All(HeldOut(set)), set.ClassCount);
        using var progress = new ProgressLine(terminal, "judging");
        judge = Judge.For(new RealSet(training.Samples, training.Labels, heldOut.Samples, heldOut.Labels, classes), new(), progress: new Relay(progress), cancel: cancellation);
    }

    /// <summary>The judge made from a real set, or found in the cache. The set's tensors are gone: only its extractor is of use.</summary>
    public static Judge JudgeOf(Terminal terminal, IDataset set, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        // Small sets still hold out the two items that a judge needs at least.
        var (train, test) = set.Split(Math.Min(TrainingShare, 1 - 2.0 / set.Count));
        var (training, heldOut) = (All(train), All(test));
        bool labelled = set.ClassCount > 1;
        var real = new RealSet(training.Samples, labelled ? training.Labels : null, heldOut.Samples, labelled ? heldOut.Labels : null, labelled ? set.ClassCount : 0);
        using var progress = new ProgressLine(terminal, "making the judge");
        return Judge.For(real, new(), progress: new Relay(progress), cancel: cancellation);
    }

    /// <summary>The report on samples, with the warnings that belong to it.</summary>
    public JudgeReport Report(Tensor samples, long[]? labels, long seed, CancellationToken cancellation)
    {
        using var asked = labels is null || labels.Contains(-1) || classes == 0 ? null : tensor(labels);
        return judge.Report(samples, asked, new ReportOptions { Seed = seed }, cancellation);
    }

    /// <summary>The report on one set of samples.</summary>
    public static JudgeReport Of(Terminal terminal, IDataset set, Tensor samples, long[]? labels, long seed, CancellationToken cancellation)
    {
        using var judgement = new Judgement(terminal, set, cancellation);
        return judgement.Report(samples, labels, seed, cancellation);
    }

    /// <summary>Frees the judge and the data.</summary>
    public void Dispose()
    {
        judge.Dispose();
        training.Dispose();
        heldOut.Dispose();
    }

    /// <summary>The figures worth a line each.</summary>
    public static IEnumerable<(string Name, string Value)> Lines(JudgeReport report)
    {
        yield return ("judge", $"{report.Extractor.Name} ({report.Extractor.Hash})");
        if (report.Extractor.HeldOutAccuracy is { } own) yield return ("judge's own accuracy on held-out data", $"{own.Accuracy:p1}");
        if (report.Agreement is { } agreement)
            yield return ("agreement with the asked class", $"{agreement.Accuracy:p1} [{agreement.Interval.Low:p1}, {agreement.Interval.High:p1}] of {agreement.Count}");
        var f = report.Frechet;
        yield return ("Fréchet distance (features of this judge)", $"{f.Distance:g4} [{f.Interval.Low:g4}, {f.Interval.High:g4}] of {report.Samples} samples to {report.Training}");
        yield return ($"Fréchet distance at {f.Size} a side", $"{f.Generated:g4}; real data {f.Real:g4} ± {f.RealSpread:g2}; ratio {f.Ratio:f2}");
        yield return ("kernel distance", $"{report.Kernel.Mean:g3} ± {report.Kernel.StandardDeviation:g2}; real data {report.RealKernel.Mean:g3} ± {report.RealKernel.StandardDeviation:g2}");
        var (p, r) = (report.PrecisionRecall, report.RealPrecisionRecall);
        yield return ("precision, recall", $"{p.Precision:f3}, {p.Recall:f3}; real data {r.Precision:f3}, {r.Recall:f3}");
        yield return ("density, coverage", $"{p.Density:f3}, {p.Coverage:f3}; real data {r.Density:f3}, {r.Coverage:f3}");
        var m = report.MemorisationByValues;
        yield return ("nearest training sample", $"median distance {m.MedianRatio:f2} of held-out data's; {m.NearerShare:p1} nearer than its closest {m.Percentile:g} %");
        foreach (string warning in report.Warnings) yield return ("note", warning);
    }

    private static Batch All(IDataset set) => set.Get([.. Enumerable.Range(0, set.Count).Select(i => (long)i)], 0);

    private sealed class Relay(ProgressLine line) : IProgress<JudgeProgress>
    {
        public void Report(JudgeProgress value) => line.Report(value.Total == 0 ? 0 : (double)value.Done / value.Total, () => value.Stage);
    }
}
