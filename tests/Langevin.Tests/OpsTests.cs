using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests;

/// <summary>Every script gives what its managed fallback gives.</summary>
public class OpsTests
{
    private static readonly long[][] Shapes = [[3, 5], [7], [2, 3, 4, 5], [], [1000, 37]];

    private static Tensor[] Random(ScalarType type, int seed)
    {
        using var generator = new Generator((ulong)seed);
        return [.. Shapes.Select(s => randn(s, type, generator: generator))];
    }

    private static void Both(Action<bool> run)
    {
        bool before = Ops.Scripts;
        try
        {
            foreach (bool scripts in (bool[])[true, false])
            {
                Ops.Scripts = scripts;
                run(scripts);
            }
        }
        finally { Ops.Scripts = before; }
    }

    private static void Close(Tensor[] a, Tensor[] b, double tolerance)
    {
        for (int i = 0; i < a.Length; i++)
            Assert.True(a[i].sub(b[i]).abs().max().to(ScalarType.Float64).item<double>() <= tolerance * (1 + b[i].abs().max().to(ScalarType.Float64).item<double>()), $"tensor {i}");
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1e-6)]
    [InlineData(ScalarType.Float64, 1e-13)]
    public void Lists_agree_with_fallback(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        var results = new Dictionary<bool, Tensor[]>();
        var norms = new Dictionary<bool, double>();
        Both(scripts =>
        {
            var a = Random(type, 1);
            Ops.Lerp(a, Random(type, 2), 0.3);
            norms[scripts] = Ops.Norm(a).to(ScalarType.Float64).item<double>();
            Ops.Scale(a, tensor(0.7, type));
            var copy = Random(ScalarType.Float32, 3);
            Ops.Copy(copy, a);
            results[scripts] = [.. a, .. copy];
        });
        Close(results[true], results[false], tolerance);
        Assert.Equal(norms[false], norms[true], Math.Abs(norms[false]) * tolerance);
        var expected = Random(type, 1).Zip(Random(type, 2)).Select(p => p.First + 0.3 * (p.Second - p.First)).ToArray();
        Assert.Equal(Math.Sqrt(expected.Sum(t => t.to(ScalarType.Float64).pow(2).sum().item<double>())), norms[true], norms[true] * 10 * tolerance);
        Close(results[true][..5], [.. expected.Select(t => 0.7 * t)], tolerance);
        Close(results[true][5..], [.. expected.Select(t => (0.7 * t).to(ScalarType.Float32))], 1e-6);
    }

    [Fact]
    public void A_list_of_one_is_a_list()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(5, Ops.Norm([tensor(new float[] { 3, 4 })]).item<float>(), 1e-6);
        Assert.Equal(0, Ops.Norm([]).item<float>());
    }

    [Fact]
    public void Channels_last_keeps_values_and_gradients()
    {
        using var scope = NewDisposeScope();
        Both(_ =>
        {
            var x = randn(2, 3, 4, 5, requires_grad: true);
            var y = Ops.ChannelsLast(x);
            Assert.Equal([60, 1, 15, 3], y.stride());
            Assert.True(y.SameAs(x));
            y.pow(2).sum().backward();
            Assert.True(x.grad!.allclose(2 * x));
        });
        Assert.Throws<ArgumentException>(() => Ops.ChannelsLast(ones(2, 3)));
    }

    [Fact]
    public void Nothing_is_left_alive()
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        var (a, b) = (Random(ScalarType.Float32, 1), Random(ScalarType.Float32, 2));
        Both(_ =>
        {
            void Once()
            {
                Ops.Lerp(a, b, 0.1);
                Ops.Copy(b, a);
                using var norm = Ops.Norm(a);
                Ops.Scale(a, norm);
            }
            Once();
            long before = Tensor.TotalCount;
            for (int i = 0; i < 50; i++) Once();
            Assert.InRange(Tensor.TotalCount, 0, before);
        });
    }
}
