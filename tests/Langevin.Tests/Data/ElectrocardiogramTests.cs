using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class ElectrocardiogramTests
{
    private const double Rate = 180;

    // Share of the power between two frequencies, item by item, the mean taken off.
    private static Tensor Share(Tensor items, double low, double high)
    {
        var x = items.flatten(1).to(float64);
        x = (x - x.mean([1], keepdim: true)) * hann_window(x.size(1), periodic: true, float64);
        var power = fft.rfft(x).abs().square();
        var f = arange(power.size(1), float64) * (Rate / x.size(1));
        return (power * f.ge(low).logical_and(f.lt(high))).sum(1) / power.sum(1);
    }

    [Fact]
    public void An_item_depends_on_seed_and_number_alone()
    {
        using var scope = NewDisposeScope();
        using var many = Electrocardiogram.Create(20, 300, Rate, seed: 4);
        using var some = Electrocardiogram.Create(3, 300, Rate, seed: 4, first: 7);
        Assert.True(many.Items.narrow(0, 7, 3).equal(some.Items).all().item<bool>());
        using var other = Electrocardiogram.Create(20, 300, Rate, seed: 5);
        Assert.False(other.Items.equal(many.Items).flatten(1).all(1).any().item<bool>());
        using var finer = Electrocardiogram.Create(20, 600, 2 * Rate, seed: 4);
        Assert.Equal(0, (finer.Items.slice(2, 0, 600, 2) - many.Items).abs().max().item<float>(), 1e-5f);
        foreach (var kind in Enum.GetValues<EcgNoise>())
        {
            using var a = Electrocardiogram.Noise(kind, 9, 200, Rate);
            using var b = Electrocardiogram.Noise(kind, 2, 200, Rate, first: 5);
            Assert.True(a.Items.narrow(0, 5, 2).equal(b.Items).all().item<bool>());
        }
    }

    [Fact]
    public void Heartbeats_have_their_height_rate_and_baseline()
    {
        using var scope = NewDisposeScope();
        using var set = Electrocardiogram.Create(300, (int)(20 * Rate), Rate);
        var x = set.Items.squeeze(1);
        var height = x.amax([1]) - x.amin([1]);
        Assert.InRange(height.min().item<float>(), 0.3f, 5);
        Assert.InRange(height.max().item<float>(), 0.3f, 5);
        Assert.InRange(height.mean().item<float>(), 0.9f, 2f);
        // Between the waves there is nothing: the commonest value is 0.
        Assert.InRange(x.abs().lt(0.02).to(float32).mean().item<float>(), 0.25f, 0.8f);
        // Beats: places above 0.6 of the height whose neighbours within a quarter of a second lie lower.
        var sharp = (x - x.roll(4, 1)).abs();
        var peaks = nn.functional.max_pool1d(sharp.unsqueeze(1), 45, 1, 22).squeeze(1).eq(sharp).logical_and(sharp.gt(0.5 * sharp.amax([1], keepdim: true)));
        var perMinute = peaks.sum(1).to(float32) * 3;
        Assert.InRange(perMinute.mean().item<float>(), 65, 100);
        Assert.InRange(perMinute.ge(35).logical_and(perMinute.le(150)).to(float32).mean().item<float>(), 0.95f, 1);
        // The power of an ECG lies below 40 Hz.
        Assert.True(Share(x, 0, 40).min().item<double>() > 0.9);
    }

    [Theory]
    [InlineData(EcgNoise.BaselineWander, 0, 1.0, 0.95)]
    [InlineData(EcgNoise.Muscle, 8, 90, 0.95)]
    [InlineData(EcgNoise.ElectrodeMotion, 0, 10, 0.95)]
    public void Disturbances_lie_in_their_bands_and_are_one_high(EcgNoise kind, double low, double high, double share)
    {
        using var scope = NewDisposeScope();
        using var set = Electrocardiogram.Noise(kind, 200, (int)(10 * Rate), Rate);
        var x = set.Items.squeeze(1);
        Assert.Equal(0, (x.amax([1]) - x.amin([1]) - 1).abs().max().item<float>(), 1e-4f);
        double got = Share(x, low, high).mean().item<double>();
        Assert.True(got > share, $"{kind}: {got:f3} of the power lies between {low} and {high} Hz");
    }

    [Fact]
    public void Says_what_is_wrong()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Electrocardiogram.Create(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Electrocardiogram.Create(1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Electrocardiogram.Create(1, rate: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Electrocardiogram.Create(2_000_000_000));
        Assert.Throws<ArgumentOutOfRangeException>(() => Electrocardiogram.Noise((EcgNoise)9));
    }
}
