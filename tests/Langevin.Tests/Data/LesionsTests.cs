using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public sealed class LesionsTests
{
    [Fact]
    public void Raters_waver_and_miss_faint_lesions()
    {
        using var scope = NewDisposeScope();
        using var data = Lesions.Create(400);
        using var again = Lesions.Create(10, first: 5);
        Assert.True(data.Items[5].eq(again.Items[0]).all().item<bool>());
        var masks = data.Items.narrow(1, 1, Lesions.Raters).gt(0);
        // Outlines of two raters who both mark the lesion cross, as hands that waver do, about every other time; they agree on most of it.
        var marked = masks.flatten(2).any(2);
        var (crossed, overlaps) = (0.0, new List<double>());
        int pairs = 0;
        for (int a = 0; a < 4; a++)
            for (int b = a + 1; b < 4; b++)
            {
                var both = marked.select(1, a) & marked.select(1, b);
                var (first, second) = (masks.select(1, a).flatten(1)[both], masks.select(1, b).flatten(1)[both]);
                crossed += ((first & ~second).any(1) & (second & ~first).any(1)).sum().item<long>();
                overlaps.Add(((first & second).sum([1L]).to(float64) / (first | second).sum([1L])).mean().item<double>());
                pairs += (int)first.size(0);
            }
        Assert.InRange(crossed / pairs, 0.35, 0.8);
        Assert.InRange(overlaps.Average(), 0.6, 0.85);
        double missed = 1 - masks.flatten(2).any(2).to(float64).mean().item<double>();
        Assert.InRange(missed, 0.15, 0.4); // 0.6 E(1 − contrast) = 0.255
        // Where a rater marked, the scan is brighter than where none did.
        var scan = data.Items.select(1, 0).to(float64);
        Assert.True(scan.masked_select(masks.any(1)).mean().item<double>() > scan.masked_select(~masks.any(1)).mean().item<double>() + 30);
    }
}
