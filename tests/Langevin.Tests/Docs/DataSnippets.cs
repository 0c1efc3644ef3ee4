using Langevin.Data;
using Langevin.Data.Formats;
using Langevin.Data.Procedural;
using Langevin.Inverse;
using Langevin.Metrics.Series;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/data.md.</summary>
public class DataSnippets
{
    [Fact]
    public void Scenes_and_mixtures_are_known_exactly()
    {
        using var scope = NewDisposeScope();
        GaussianProcess process = new EdmProcess();
        using var shapes = Shapes.Create(count: 100, seed: 1);
        Scene scene = shapes.SceneAt(3);
        string caption = scene.Caption;                          // such as "a large red star above a small blue circle"
        Box box = scene.Objects[0].BoundingBox;                  // pixels
        byte[] mask = scene.Mask();                              // 32 × 32: 0 is background, k the k-th object
        using var exact = Toys.EightGaussiansMixture(process);
        Assert.StartsWith("a medium red star", caption);
        Assert.Contains((byte)1, mask);
        Assert.True(box.Right > box.Left);
        Assert.Same(process, exact.Process);
    }

    [Fact]
    public void A_folder_is_opened_split_augmented_and_loaded()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        for (int i = 0; i < 20; i++) ImageGrid.Save(folder[$"{i % 2}/{i}.png"], rand(3, 20 + i, 24) * 2 - 1);
        string path = folder.Path;
        IDataset data = Datasets.Open(path, new DataOptions { Size = 16, Grey = true });
        var (train, test) = data.Split(0.9, seed: 0);
        var loader = new DataLoader(train.Flipped().Shifted(2), batchSize: 8, seed: 0);
        foreach (var batch in loader.Batches(startStep: 100))
            using (batch)
            {
                Tensor samples = batch.Samples;                  // float32 [8, 1, 16, 16] in [−1, 1]
                Tensor? labels = batch.Labels;                   // int64 [8]
                break;
            }
        Assert.Equal((18, 2), (train.Count, test.Count));
        using var first = loader.At(100);
        Assert.Equal([8L, 1, 16, 16], first.Samples.shape);
        Assert.Equal([8L], first.Labels!.shape);
    }

    [Fact]
    public void Heartbeats_are_drawn_and_disturbed()
    {
        using var scope = NewDisposeScope();
        using var beats = Electrocardiogram.Create(count: 100, length: 2560, rate: 256, seed: 1);
        using var wander = Electrocardiogram.Noise(EcgNoise.BaselineWander, count: 100, length: 2560, rate: 256, seed: 1);
        Tensor noisy = beats.Items + 0.8 * wander.Items;         // float32 [100, 1, 2560] in mV
        Assert.Equal([100L, 1, 2560], noisy.shape);
    }

    [Theory]
    [InlineData("half.hea")]
    [InlineData("half.csv")]
    public void A_recording_is_read_and_written(string name)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string path = folder.Write("ecg.csv", "time (s),II (mV),V5 (mV)\n0,0.5,-1\n0.004,1,\n0.008,0,2\n"), copy = folder[name];
        using SignalRecord record = SignalFile.Load(path);       // "100.hea", "100.dat", "100" or "ecg.csv"
        Tensor samples = record.Samples;                         // float32 [channels, T], in the unit of record.Channels[i]
        using SignalRecord half = record.With(samples / 2);
        SignalFile.Save(copy, half);                             // "half.hea" with half.dat, or "half.csv"
        using var again = SignalFile.Load(copy);
        Assert.Equal((250.0, "V5"), (again.Rate, again.Channels[1].Name));
        Assert.Equal([0.25f, 0.5f, 0, -0.5f, float.NaN, 1], again.Samples.flatten().data<float>().ToArray());
    }

    [Fact]
    public void Stays_are_filled_in_and_judged()
    {
        string archive = Shared.Data("physionet2012/set-a.tar.xz");
        Assert.InRange(ErrorOf(archive), 0.2, 0.8); // of standardised values: the paper's linear baselines lie near 0.4

        static double ErrorOf(string path)
        {
            using var all = PhysioNet2012.Open(path);                     // 10 % of each stay kept back
            var (train, validation, test) = PhysioNet2012.Fold(all.Count, fold: 0);
            using var held = all.Take(test);
            using var filled = Imputation.Linear(held.Values, held.Given);
            var (mae, rmse) = ForecastError.Pooled(filled, held.Values, held.Judged);
            Assert.True(mae < rmse && train.Length > validation.Length);
            return mae;
        }
    }

    [Fact]
    public void Tensors_become_a_set()
    {
        using var own = new ArrayDataset("own", items: rand(100, 3), labels: randint(0, 2, [100], ScalarType.Int64), classNames: ["no", "yes"]);
        DatasetInfo info = DatasetInfo.Of(own);
        Assert.Equal((100, 2), (info.Count, info.Classes.Count));
    }
}
