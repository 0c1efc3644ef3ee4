using Langevin.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Tests.Training;

public class EmaTests
{
    private static nn.Module<Tensor, Tensor> Net() => nn.Sequential(("conv", nn.Conv2d(2, 3, 3)), ("norm", nn.BatchNorm2d(3)));

    private static void Shift(nn.Module module, double by)
    {
        using var none = no_grad();
        foreach (var (_, p) in module.named_parameters()) p.add_(by);
        foreach (var (_, b) in module.named_buffers()) b.add_(1);
    }

    [Fact]
    public void Update_is_the_recursion_and_buffers_are_copied()
    {
        using var scope = NewDisposeScope();
        using var net = Net();
        using var ema = new Ema(net, new ConstantEma(0.9));
        var expected = net.named_parameters().ToDictionary(p => p.name, p => p.parameter.detach().clone());
        for (int k = 1; k <= 5; k++)
        {
            Shift(net, 0.1 * k);
            ema.Update(k);
            foreach (var (name, p) in net.named_parameters()) expected[name] = 0.9 * expected[name] + 0.1 * p.detach();
        }
        foreach (var (name, value) in expected) Assert.True(ema.Weights[name].allclose(value, 1e-5, 1e-6), name);
        foreach (var (name, buffer) in net.named_buffers()) Assert.True(ema.Weights[name].SameAs(buffer), name);
        Assert.Contains("norm.num_batches_tracked", ema.Weights.Keys);
        Assert.Equal(net.state_dict().Keys.Order(), ema.Weights.Keys.Order());
    }

    [Fact]
    public void Power_average_is_the_weighted_mean_of_its_profile()
    {
        using var scope = NewDisposeScope();
        var p = new Parameter(zeros(1, ScalarType.Float64));
        using var ema = new Ema([("p", p)], [], new PowerEma(0.1));
        double gamma = PowerProfile.Exponent(0.1);
        const int steps = 400;
        var values = new double[steps + 1];
        using (no_grad())
            for (int k = 1; k <= steps; k++)
            {
                values[k] = Math.Sin(k * 0.02);
                p.fill_(values[k]);
                ema.Update(k);
            }
        // Unrolled: the weight of step k is Π_{j>k} β_j · (1 − β_k), which telescopes to (k^(γ+1) − (k−1)^(γ+1)) / n^(γ+1).
        double mean = 0;
        for (int k = 1; k <= steps; k++) mean += values[k] * (Math.Pow(k / (double)steps, gamma + 1) - Math.Pow((k - 1.0) / steps, gamma + 1));
        Assert.Equal(mean, ema.Weights["p"].item<double>(), 1e-12);
    }

    [Fact]
    public void Swap_puts_averages_in_and_brings_the_same_bits_back()
    {
        using var scope = NewDisposeScope();
        using var net = Net();
        using var ema = new Ema(net, new ConstantEma(0.5));
        Shift(net, 1);
        ema.Update(1);
        var own = net.state_dict().ToDictionary(s => s.Key, s => s.Value.clone());
        var swap = ema.Swap(net);
        foreach (var (name, value) in net.state_dict()) Assert.True(value.SameAs(ema.Weights[name]), name);
        Assert.False(net.state_dict()["conv.weight"].SameAs(own["conv.weight"]));
        swap.Dispose();
        swap.Dispose();
        foreach (var (name, value) in net.state_dict()) Assert.True(value.SameAs(own[name]), name);

        using var other = nn.Sequential(("conv", nn.Conv2d(2, 4, 3)), ("norm", nn.BatchNorm2d(4)));
        Assert.Throws<InvalidDataException>(() => ema.Swap(other));
        using var fewer = nn.Sequential(("conv", nn.Conv2d(2, 3, 3)));
        Assert.Throws<InvalidDataException>(() => ema.Swap(fewer));
    }

    [Fact]
    public void State_resumes_to_the_same_bits()
    {
        using var scope = NewDisposeScope();
        using var net = Net();
        using var ema = new Ema(net, new WarmUpEma());
        for (int k = 1; k < 5; k++) { Shift(net, 0.1); ema.Update(k); }
        var saved = ema.State().ToDictionary(s => s.Key, s => s.Value.clone());
        using var resumed = new Ema(net, new WarmUpEma());
        resumed.Load(saved);
        for (int k = 5; k < 9; k++) { Shift(net, 0.1); ema.Update(k); resumed.Update(k); }
        foreach (var (name, value) in ema.Weights) Assert.True(value.SameAs(resumed.Weights[name]), name);
        saved.Remove("conv.bias");
        Assert.Throws<InvalidDataException>(() => resumed.Load(saved));
    }

    [Fact]
    public void Updates_and_swaps_leak_nothing()
    {
        using var net = Net();
        using var ema = new Ema(net, new ConstantEma(0.99));
        Once(1);
        long before = Tensor.TotalCount;
        for (int k = 2; k < 40; k++) Once(k);
        Assert.InRange(Tensor.TotalCount, 0, before);

        void Once(int k)
        {
            ema.Update(k);
            using var swap = ema.Swap(net);
        }
    }

    [Fact]
    public void Bad_settings_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConstantEma(1.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WarmUpEma(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PowerEma(0.3));
        Assert.Throws<ArgumentException>(() => new Ema([], [], new ConstantEma(0.9)));
        using var p = new Parameter(zeros(1));
        Assert.Throws<ArgumentException>(() => new Ema([("p", p)], [("p", p)], new ConstantEma(0.9)));
        using var ema = new Ema([("p", p)], [], new ConstantEma(0.9));
        Assert.Throws<ArgumentOutOfRangeException>(() => ema.Update(0));
    }
}
