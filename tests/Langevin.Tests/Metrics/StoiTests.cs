using Langevin.Metrics.Signals;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class StoiTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    private static (Tensor clean, Tensor noise) Signals(int rate, double seconds = 1.7)
    {
        int length = (int)(seconds * rate);
        return (TestSignals.Voice(length, rate).unsqueeze(0), TestSignals.Noise(length, 1).unsqueeze(0));
    }

    // pystoi 0.4.1 (NumPy 1.24.2, SciPy 1.10.1), stoi(x, x + a·noise, rate, extended). It adds noise of 2e-16 in the extended
    // measure, which shows where a band is as quiet as that.
    [Theory]
    [InlineData(10000, 0.1, 0.8727653536804209, 0.7158047483840241)]
    [InlineData(10000, 1, 0.7765186576841739, 0.471087966127706)]
    [InlineData(10000, 5, 0.4550840047951352, 0.07726186317762779)]
    [InlineData(16000, 0.1, 0.8659930379542304, 0.6245115762815185)]
    [InlineData(16000, 1, 0.7966974047604355, 0.4507597888015354)]
    [InlineData(16000, 5, 0.5072544043765235, 0.13114039977896916)]
    [InlineData(8000, 1, 0.7412215258848678, 0.40085504561777174)]
    [InlineData(44100, 0.1, 0.8525295470337537, 0.7094352901820666)]
    [InlineData(44100, 5, 0.6120218124097996, 0.2883019246048745)]
    public void Intelligibility_equals_that_of_pystoi(int rate, double noise, double classical, double extended)
    {
        var (x, w) = Signals(rate);
        Assert.Equal(classical, Stoi.Between(x, x + noise * w, rate)[0].item<double>(), 1e-9);
        Assert.Equal(extended, Stoi.Between(x, x + noise * w, rate, extended: true)[0].item<double>(), 1e-9);
    }

    [Fact]
    public void The_clean_signal_is_wholly_intelligible_at_any_volume_and_noise_lowers_it()
    {
        var (x, w) = Signals(10000);
        // A little noise, so that no band is silent: silence has no envelope to follow.
        x = x + 0.02 * w;
        foreach (bool extended in (bool[])[false, true])
        {
            double[] scores = Stoi.Between(x.expand(4, -1), cat([0.1 * x, x + 0.2 * w.flip(1), x + w.flip(1), x + 5 * w.flip(1)]), 10000, extended).data<double>().ToArray();
            Assert.Equal(1, scores[0], 1e-9);
            Assert.Equal(scores.OrderDescending(), scores);
            Assert.InRange(Stoi.Between(x, w.flip(1), 10000, extended).item<double>(), -0.1, 0.35);
        }
    }

    [Fact]
    public void Items_are_judged_each_by_itself_and_silence_is_left_out()
    {
        var (x, w) = Signals(10000);
        var y = x + w;
        // Silence put in front, by whole frames, changes nothing where the speech begins and ends as softly.
        var two = Stoi.Between(cat([x, x]), cat([y, x + 0.1 * w]), 10000);
        Assert.Equal(Stoi.Between(x, y, 10000).item<double>(), two[0].item<double>(), 1e-12);
        Assert.True(two[1].item<double>() > two[0].item<double>());
        Tensor Late(Tensor t) => cat([zeros(1, 128 * 20, float64), t], 1);
        Assert.Equal(two[0].item<double>(), Stoi.Between(Late(x), Late(y), 10000).item<double>(), 0.01);
    }

    [Fact]
    public void Bad_input_is_refused_and_nothing_is_left_behind()
    {
        var (x, w) = Signals(10000);
        Assert.Contains("0.4 s", Assert.Throws<ArgumentException>(() => Stoi.Between(x.narrow(1, 0, 3000), w.narrow(1, 0, 3000), 10000)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Stoi.Between(x.narrow(1, 0, 200), w.narrow(1, 0, 200), 10000));
        Assert.Throws<ArgumentException>(() => Stoi.Between(x * 0 + double.NaN, w, 10000));
        Assert.Throws<ArgumentException>(() => Stoi.Between(x, w.narrow(1, 0, 3000), 10000));
        Assert.Throws<ArgumentException>(() => Stoi.Between(x[0], w[0], 10000));
        Leak.None(() => Stoi.Between(x, w, 16000).Dispose());
    }
}
