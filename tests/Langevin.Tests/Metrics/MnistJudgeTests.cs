using System.Diagnostics;
using System.IO.Compression;
using Langevin.Metrics.Judging;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

/// <summary>The judge on real digits: its accuracy, its time, and what it says of real data.</summary>
public class MnistJudgeTests(ITestOutputHelper output)
{
    [Fact(Explicit = true), Trait("Category", "Slow")]
    public void Learns_MNIST_and_finds_real_digits_real()
    {
        using var scope = NewDisposeScope();
        var images = Idx("mnist/t10k-images-idx3-ubyte.gz", 16).view(-1, 1, 28, 28);
        var labels = Idx("mnist/t10k-labels-idx1-ubyte.gz", 8).to(int64);
        // Half of the held-out digits play the samples; the file is in the order of the writers, so they are mixed first.
        using var random = new Generator(1);
        var order = randperm(1000, generator: random) + 9000;
        var (mine, theirs) = (order.narrow(0, 0, 500), order.narrow(0, 500, 500));
        var real = new RealSet(
            images.narrow(0, 0, 9000), labels.narrow(0, 0, 9000), images.index_select(0, mine), labels.index_select(0, mine), 10);
        var watch = Stopwatch.StartNew();
        using var judge = Judge.For(real, new(), JudgeCache.None, null, TestContext.Current.CancellationToken);
        output.WriteLine($"made in {watch.Elapsed.TotalSeconds:f1} s, {Environment.CpuUsage.TotalTime.TotalSeconds:f1} s of processor time");
        watch.Restart();
        var report = judge.Report(images.index_select(0, theirs), labels.index_select(0, theirs));
        output.WriteLine($"judged in {watch.Elapsed.TotalSeconds:f1} s");
        output.WriteLine($"held-out accuracy {report.Extractor.HeldOutAccuracy!.Accuracy}, agreement {report.Agreement!.Accuracy} {report.Agreement.Interval}");
        output.WriteLine($"{report.Frechet}\n{report.Kernel} real {report.RealKernel}\n{report.PrecisionRecall} real {report.RealPrecisionRecall}");
        Assert.True(report.Extractor.HeldOutAccuracy!.Accuracy >= 0.975);
        Assert.True(report.Agreement!.Accuracy >= 0.975);
        Assert.InRange(report.Frechet.Ratio, 0.6, 1.6);
    }

    private static Tensor Idx(string file, int header)
    {
        using var gzip = new GZipStream(File.OpenRead(Shared.Data(file)), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        gzip.CopyTo(bytes);
        return tensor(bytes.ToArray()[header..], dtype: uint8);
    }
}
