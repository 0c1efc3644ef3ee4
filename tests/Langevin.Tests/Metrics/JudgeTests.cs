using Langevin.Hub;
using Langevin.Metrics;
using Langevin.Metrics.Judging;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class JudgeTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Generator random = new(5);
    private readonly TempFolder folder = new();

    public void Dispose()
    {
        folder.Dispose();
        random.Dispose();
        scope.Dispose();
    }

    /// <summary>Four classes of bright 3 × 3 squares, one a corner, with noise: [N, 1, 12, 12] in [−1, 1].</summary>
    private (Tensor samples, Tensor labels) Corners(long n)
    {
        var labels = arange(n, int64) % 4;
        var corners = zeros([4, 1, 12, 12]);
        for (int k = 0; k < 4; k++) corners[k].narrow(1, k / 2 * 6 + 1, 3).narrow(2, k % 2 * 6 + 1, 3).fill_(1.2);
        var noise = randn([n, 1, 12, 12], generator: random) * 0.2;
        return ((corners.index_select(0, labels) + noise - 0.6).clamp(-1, 1), labels);
    }

    private RealSet Real(long training = 400, long heldOut = 200)
    {
        var ((x, y), (hx, hy)) = (Corners(training), Corners(heldOut));
        return new(x, y, hx, hy, 4);
    }

    private JudgeCache Cache => JudgeCache.In(folder.Path);

    private static JudgeOptions Quick => new() { Steps = 40, BatchSize = 64, LearningRate = 1e-2 };

    private static ReportOptions Few => new() { Resamples = 20, Draws = 3, Subsets = 5, SubsetSize = 50 };

    [Fact]
    public void A_labelled_judge_learns_the_classes_and_passes_real_samples()
    {
        using var judge = Judge.For(Real(), Quick, JudgeCache.None);
        Assert.True(judge.HeldOutAccuracy()!.Accuracy > 0.98);
        var (samples, labels) = Corners(200);
        var report = judge.Report(samples, labels, Few);
        Assert.True(report.Agreement!.Accuracy > 0.98);
        Assert.InRange(report.Frechet.Ratio, 0.4, 2.5);
        Assert.InRange(report.Frechet.WithinRatio, 0.1, 2.5);
        Assert.True(report.Frechet.Interval.Contains(report.Frechet.Distance));
        Assert.True(report.PrecisionRecall.Precision > 0.8 && report.PrecisionRecall.Recall > 0.8);
        Assert.InRange(report.MemorisationByValues.MedianRatio, 0.95, 1.05);
        Assert.InRange(report.ClassScore!.Mean, 3, 4);
        Assert.Equal((200, 400, 200), (report.Samples, report.Training, report.HeldOut));
    }

    [Fact]
    public void Bad_samples_fail_where_they_should()
    {
        var real = Real();
        using var judge = Judge.For(real, Quick, JudgeCache.None);
        var (samples, labels) = Corners(200);
        var noise = judge.Report(randn(samples.shape, generator: random).clamp(-1, 1), labels, Few);
        Assert.True(noise.Frechet.Ratio > 5);
        Assert.True(noise.PrecisionRecall.Precision < 0.2);
        Assert.True(noise.Agreement!.Accuracy < 0.6);
        var copies = judge.Report(real.Training.narrow(0, 0, 200), real.TrainingLabels!.narrow(0, 0, 200), Few);
        Assert.Equal(200, copies.MemorisationByValues.Duplicates);
        Assert.Equal(0, copies.MemorisationByValues.MedianRatio);
        Assert.Equal(1, copies.MemorisationByFeatures.NearerShare);
        var one = judge.Report(samples.index_select(0, labels.eq(2).nonzero().flatten()), null, Few);
        Assert.True(one.PrecisionRecall.Recall < 0.6);
        Assert.Null(one.Agreement);
    }

    [Fact]
    public void Features_are_scaled_to_the_training_set()
    {
        var real = Real();
        using var judge = Judge.For(real, Quick, JudgeCache.None);
        var features = judge.Extractor.Features(real.Training);
        Assert.True(features.mean([0]).abs().max().item<float>() < 1e-3);
        Assert.True((features.std(0) - 1).abs().max().item<float>() < 1e-3);
    }

    [Fact]
    public void The_same_seed_makes_the_same_judge()
    {
        var real = Real();
        using var first = Judge.For(real, Quick, JudgeCache.None);
        using var second = Judge.For(real, Quick, JudgeCache.None);
        using var other = Judge.For(real, Quick with { Seed = 1 }, JudgeCache.None);
        Assert.Equal(first.Extractor.Hash, second.Extractor.Hash);
        Assert.NotEqual(first.Extractor.Hash, other.Extractor.Hash);
        Assert.Equal(first.Report(real.HeldOut, real.HeldOutLabels, Few).ToJson(), second.Report(real.HeldOut, real.HeldOutLabels, Few).ToJson());
    }

    [Fact]
    public void The_cache_returns_the_same_judge_for_the_same_data_and_options_only()
    {
        var real = Real();
        using var made = Judge.For(real, Quick, Cache);
        using var kept = Judge.For(real, Quick, Cache);
        Assert.False(made.FromCache);
        Assert.True(kept.FromCache);
        Assert.Equal(made.Extractor.Hash, kept.Extractor.Hash);
        Assert.Equal(made.Report(real.HeldOut, real.HeldOutLabels, Few).ToJson(), kept.Report(real.HeldOut, real.HeldOutLabels, Few).ToJson());
        using var other = Judge.For(real, Quick with { Steps = 41 }, Cache);
        Assert.False(other.FromCache);
        var changed = real.Training.clone();
        changed[0, 0, 0, 0] += 0.01;
        using var moved = Judge.For(new(changed, real.TrainingLabels, real.HeldOut, real.HeldOutLabels, 4), Quick, Cache);
        Assert.False(moved.FromCache);
    }

    [Fact]
    public void A_damaged_cache_file_is_made_anew_and_an_unwritable_folder_is_no_error()
    {
        var real = Real();
        using (var made = Judge.For(real, Quick, Cache)) Assert.False(made.FromCache);
        string file = Assert.Single(Directory.GetFiles(folder.Path));
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^100]);
        using (var again = Judge.For(real, Quick, Cache)) Assert.False(again.FromCache);
        SafeTensors.Save(file, [new("weights.wrong", zeros(2))]);
        using (var again = Judge.For(real, Quick, Cache)) Assert.False(again.FromCache);
        using (var kept = Judge.For(real, Quick, Cache)) Assert.True(kept.FromCache);
        // A file where the folder should be cannot be written to by anyone.
        using var blocked = Judge.For(real, Quick, JudgeCache.In(Path.Combine(file, "below")));
        Assert.False(blocked.FromCache);
    }

    [Fact]
    public void Data_without_labels_are_judged_by_principal_components()
    {
        var (x, h) = (Corners(300).samples, Corners(150).samples);
        using var made = Judge.For(new(x, null, h, null, 0), null, Cache);
        using var kept = Judge.For(new(x, null, h, null, 0), null, Cache);
        Assert.True(kept.FromCache);
        Assert.Equal("principal components, 64 of 144", made.Extractor.Name);
        var report = kept.Report(Corners(150).samples, null, Few);
        Assert.Null(report.Agreement);
        Assert.Null(report.Extractor.HeldOutAccuracy);
        Assert.InRange(report.Frechet.Ratio, 0.8, 1.25);
        Assert.Contains(report.Warnings, w => w.Contains("no labels"));
        Assert.True(kept.Report(Corners(150).samples * 0.5, null, Few).Frechet.Ratio > 1.5);
    }

    [Fact]
    public void Vectors_keep_all_their_dimensions()
    {
        using var judge = Judge.For(new(randn([200, 2], generator: random), null, randn([100, 2], generator: random), null, 0), null, JudgeCache.None);
        Assert.Equal(2, judge.Extractor.Width);
        var x = randn([50, 2], generator: random);
        var y = judge.Extractor.Features(x);
        Assert.True(Distances.Squared(x, x).allclose(Distances.Squared(y, y), 1e-4, 1e-4));
    }

    [Fact]
    public void Principal_components_equal_the_eigenvectors_of_the_covariance()
    {
        var x = randn([500, 30], generator: random) * arange(30, 0, -1).to(float32) + 3;
        using var components = PrincipalComponents.Of(x, 5);
        var centred = (x - x.mean([0])).to(float64);
        var (values, vectors) = linalg.eigh(centred.t().mm(centred));
        var expected = centred.mm(vectors.flip(1).narrow(1, 0, 5)).abs();
        Assert.True(components.Features(x).to(float64).abs().allclose(expected, 1e-3, 2e-2));
    }

    [Fact]
    public void Bytes_are_read_as_images()
    {
        var real = Real(200, 100);
        Tensor Bytes(Tensor x) => (x * 127.5 + 127.5).round().clamp(0, 255).to(uint8);
        using var bytes = Judge.For(new(Bytes(real.Training), null, Bytes(real.HeldOut), null, 0), null, JudgeCache.None);
        using var floats = Judge.For(new(real.Training, null, real.HeldOut, null, 0), null, JudgeCache.None);
        var (a, b) = (bytes.Report(Bytes(real.HeldOut), null, Few), floats.Report(real.HeldOut, null, Few));
        Assert.Equal(b.Frechet.Distance, a.Frechet.Distance, 0.01 * b.Frechet.Distance);
    }

    [Fact]
    public void A_report_survives_JSON()
    {
        var real = Real(200, 100);
        using var judge = Judge.For(real, Quick, JudgeCache.None);
        var report = judge.Report(real.HeldOut, real.HeldOutLabels, Few);
        string json = report.ToJson();
        Assert.Equal(json, JudgeReport.FromJson(json).ToJson());
        Assert.Contains(report.Extractor.Hash, json);
        Assert.Throws<InvalidDataException>(() => JudgeReport.FromJson("{\"samples\": 3}"));
        Assert.Throws<InvalidDataException>(() => JudgeReport.FromJson(json[..^20]));
    }

    [Fact]
    public void Shifts_move_whole_pixels_and_nothing_else()
    {
        var x = zeros([64, 1, 14, 14]);
        x[TensorIndex.Colon, 0, 7, 7] = 1;
        var shifted = ClassifierTraining.Shifted(x, 1.0 / 14, random);
        Assert.True(shifted.sum([1, 2, 3]).eq(1).all().item<bool>());
        var places = shifted.flatten(1).argmax(1);
        long[] rows = (places / 14).to(int64).data<long>().ToArray(), columns = (places % 14).data<long>().ToArray();
        Assert.Equal([6, 7, 8], rows.Distinct().Order());
        Assert.Equal([6, 7, 8], columns.Distinct().Order());
    }

    [Fact]
    public void Wrong_input_is_named()
    {
        var real = Real(100, 50);
        using var judge = Judge.For(real, Quick with { Steps = 2 }, JudgeCache.None);
        Assert.Throws<ArgumentException>(() => judge.Report(zeros(20, 1, 10, 12)));
        Assert.Throws<ArgumentException>(() => judge.Report(zeros(5, 1, 12, 12)));
        Assert.Throws<ArgumentException>(() => judge.Report(zeros(20, 1, 12, 12) * float.NaN));
        Assert.Throws<ArgumentException>(() => judge.Report(real.HeldOut, zeros(3, int64)));
        Assert.Throws<ArgumentException>(() => new RealSet(real.Training, real.TrainingLabels, real.HeldOut, null, 4));
        Assert.Throws<ArgumentException>(() => new RealSet(real.Training, null, zeros(9, 1, 12, 11), null, 0));
        Assert.Throws<ArgumentException>(() => Judge.For(new(real.Training, real.TrainingLabels, real.HeldOut, real.HeldOutLabels, 3), Quick, JudgeCache.None));
        Assert.Throws<ArgumentException>(() => Judge.For(new(real.Training * float.NaN, null, real.HeldOut, null, 0), Quick, JudgeCache.None));
    }

    [Fact]
    public void Stops_when_asked()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => Judge.For(Real(), Quick, JudgeCache.None, null, source.Token));
    }
}
