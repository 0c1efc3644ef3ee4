using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public sealed class LesionsTests
{
    [Fact]
    public void Raters_nest_and_miss_faint_lesions()
    {
        using var scope = NewDisposeScope();
        using var data = Lesions.Create(400);
        using var again = Lesions.Create(10, first: 5);
        Assert.True(data.Items[5].eq(again.Items[0]).all().item<bool>());
        var masks = data.Items.narrow(1, 1, Lesions.Raters).gt(0);
        // Any two raters' masks are nested: they cut the same depth at levels of their own.
        for (int a = 0; a < 4; a++)
            for (int b = a + 1; b < 4; b++)
            {
                var (first, second) = (masks.select(1, a).flatten(1), masks.select(1, b).flatten(1));
                Assert.True(((first & ~second).any(1) & (second & ~first).any(1)).any().item<bool>() == false);
            }
        double missed = 1 - masks.flatten(2).any(2).to(float64).mean().item<double>();
        Assert.InRange(missed, 0.15, 0.4); // 0.6 E(1 − contrast) = 0.255
        // Where a rater marked, the scan is brighter than where none did.
        var scan = data.Items.select(1, 0).to(float64);
        Assert.True(scan.masked_select(masks.any(1)).mean().item<double>() > scan.masked_select(~masks.any(1)).mean().item<double>() + 30);
    }
}
