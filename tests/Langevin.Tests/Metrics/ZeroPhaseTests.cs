using Langevin.Metrics.Signals;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public class ZeroPhaseTests
{
    // cos(π k (i + ½)/T) is even about both ends, so it is an eigenfunction, of frequency k/(2T) times the rate.
    [Theory]
    [InlineData(0.67, null, 2)]
    [InlineData(null, 40.0, 3)]
    [InlineData(0.67, 40.0, 2)]
    public void A_tone_of_the_mirrored_signal_is_scaled_by_the_squared_gain(double? low, double? high, int order)
    {
        using var scope = NewDisposeScope();
        const int length = 720;
        const double rate = 360;
        double Gain(double f)
        {
            double w = Math.Tan(Math.PI * f / rate), gain = 1;
            if (low is { } l) gain *= 1 / (1 + Math.Pow(Math.Tan(Math.PI * l / rate) / w, 2 * order));
            if (high is { } h) gain *= 1 / (1 + Math.Pow(w / Math.Tan(Math.PI * h / rate), 2 * order));
            return gain;
        }
        foreach (int k in new[] { 1, 3, 40, 160, 500, 719 })
        {
            var tone = ((arange(length, float64) + 0.5) * (Math.PI * k / length)).cos().unsqueeze(0);
            var filtered = ZeroPhase.Butterworth(tone, rate, low, high, order);
            Assert.Equal(0, (filtered - Gain(k * rate / (2 * length)) * tone).abs().max().item<double>(), 1e-10);
        }
        var constant = ZeroPhase.Butterworth(ones(1, 50, float64), rate, low, high, order);
        Assert.Equal(low is null ? 1 : 0, constant.mean().item<double>(), 1e-12);
    }

    // The recursion of a Butterworth low-pass of first order, forwards and backwards over a pulse far from the ends.
    [Fact]
    public void A_pulse_is_answered_as_by_the_recursion_run_both_ways()
    {
        using var scope = NewDisposeScope();
        const double rate = 100, cut = 5;
        double c = Math.Tan(Math.PI * cut / rate), b = c / (1 + c), a = (1 - c) / (1 + c);
        var x = new double[801];
        x[400] = 1;
        double[] Once(double[] v)
        {
            var y = new double[v.Length];
            for (int i = 0; i < v.Length; i++) y[i] = b * (v[i] + (i > 0 ? v[i - 1] : 0)) + a * (i > 0 ? y[i - 1] : 0);
            return y;
        }
        double[] both = [.. Once([.. Once(x).Reverse()]).Reverse()];
        var filtered = ZeroPhase.Butterworth(tensor(x).unsqueeze(0), rate, null, cut, order: 1)[0].data<double>().ToArray();
        for (int i = 0; i < x.Length; i++) Assert.Equal(both[i], filtered[i], 1e-12);
    }

    [Fact]
    public void Medians_follow_a_slope_and_pass_over_beats()
    {
        using var scope = NewDisposeScope();
        const double rate = 100;
        var slope = arange(1000, float64) * 0.01;
        var beats = zeros(1000, float64);
        for (int at = 50; at < 1000; at += 80) beats.narrow(0, at, 9).fill_(1); // 90 ms, above which the first median is blind
        var baseline = ZeroPhase.MedianBaseline((slope + beats).unsqueeze(0), rate)[0];
        Assert.Equal(0, (baseline - slope).narrow(0, 60, 880).abs().max().item<double>(), 0.12); // a beat moves the rank, by at most its length along the slope
        var flat = ZeroPhase.MedianBaseline(full([2, 1, 30], 3.0, float64), rate);
        Assert.Equal([2L, 30], flat.shape);
        Assert.True(flat.eq(3).all().item<bool>());
    }

    [Fact]
    public void Says_what_is_wrong()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("half the rate", Assert.Throws<ArgumentOutOfRangeException>(() => ZeroPhase.Butterworth(ones(1, 9), 10, null, 5)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => ZeroPhase.Butterworth(ones(1, 9), 10, 1, null, 0));
    }
}
