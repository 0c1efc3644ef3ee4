using Langevin.Metrics.Segmentation;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class AggregatedJaccardTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    /// <summary>Two grids of rectangles, shifted and of different periods; every fifth true object is taken out.</summary>
    private static (Tensor truth, Tensor prediction) Grids()
    {
        var (truth, prediction) = (new long[24, 24], new long[24, 24]);
        for (int y = 0; y < 24; y++)
            for (int x = 0; x < 24; x++)
            {
                int label = y % 6 < 5 && x % 6 < 4 ? y / 6 * 4 + x / 6 + 1 : 0;
                truth[y, x] = label % 5 == 0 ? 0 : label;
                prediction[y, x] = (y + 1) % 7 < 5 && (x + 2) % 7 < 5 ? (y + 1) / 7 * 4 + (x + 2) / 7 + 1 : 0;
            }
        return (tensor(truth), tensor(prediction));
    }

    // get_fast_aji of HoVer-Net's metrics/stats_utils.py, whose IoU has 1e-6 in its denominator (choosing the same pairs here).
    [Fact]
    public void Index_of_overlapping_grids_equals_that_of_HoVer_Net()
    {
        var (truth, prediction) = Grids();
        Assert.Equal(0.4491315136476427, AggregatedJaccard.Index(truth, prediction), 1e-14);
        // Numbers and their gaps do not matter, negative ones included.
        var renamed = where(prediction.eq(0), prediction, prediction * 7 - 40);
        Assert.Equal(0.4491315136476427, AggregatedJaccard.Index(truth.to(int32), renamed), 1e-14);
    }

    [Fact]
    public void Index_by_hand()
    {
        // Object 1 of 4 pixels shares 2 with a prediction of 3: union 5. Object 2 of 2 pixels is missed. A prediction of 1 is spurious.
        var truth = tensor(new long[] { 1, 1, 1, 1, 0, 2, 2, 0, 0 }).view(1, 9);
        var prediction = tensor(new long[] { 0, 0, 5, 5, 5, 0, 0, 0, 3 }).view(1, 9);
        Assert.Equal(2.0 / (5 + 2 + 1), AggregatedJaccard.Index(truth, prediction), 1e-14);
        Assert.Equal(1, AggregatedJaccard.Index(truth, where(truth.eq(0), truth, 9 - truth)));
        Assert.Equal(0, AggregatedJaccard.Index(truth, truth * 0));
        Assert.Equal(0, AggregatedJaccard.Index(truth * 0, truth));
        Assert.Equal(1, AggregatedJaccard.Index(truth * 0, truth * 0));
    }

    [Fact]
    public void Bad_input_is_refused_and_nothing_is_left_behind()
    {
        var (truth, prediction) = Grids();
        Assert.Throws<ArgumentException>(() => AggregatedJaccard.Index(truth, prediction.narrow(0, 0, 12)));
        Assert.Throws<ArgumentException>(() => AggregatedJaccard.Index(truth.to(float32), prediction));
        Assert.Throws<ArgumentException>(() => AggregatedJaccard.Index(truth.flatten(), prediction.flatten()));
        Leak.None(() => AggregatedJaccard.Index(truth, prediction));
    }
}
