using static TorchSharp.torch;

namespace Langevin.Tests.Native;

/// <summary>
/// Convolutions in single precision are libtorch's fast library's, whose choice of kernel hangs on what the processor says of itself;
/// in double precision they are libtorch's own. Both must give the same.
/// </summary>
public sealed class ConvolutionTests
{
    // Rounding of sums of at most 9 · 32 products of unit variance, each below 2^-24 of the running sum.
    private const double Tolerance = 1e-4;

    public static TheoryData<int, int> Channels => new(from input in new[] { 1, 3, 8, 12, 32 } from output in new[] { 1, 4, 16, 24 } select (input, output));

    [Theory]
    [MemberData(nameof(Channels))]
    public void Single_precision_agrees_with_double(int input, int output)
    {
        manual_seed(input * 100 + output);
        foreach (int kernel in new[] { 1, 3 })
            foreach (int stride in new[] { 1, 2 })
                foreach (int size in new[] { 7, 8 })
                {
                    using var scope = NewDisposeScope();
                    var weight = randn(output, input, kernel, kernel, float64);
                    var bias = randn(output, float64);
                    Agree($"2-D, kernel {kernel}, stride {stride}, size {size}", randn(2, input, size, size, float64), weight, x => x, (x, w) => nn.functional.conv2d(x, w, bias.to(x.dtype), [stride, stride], [kernel / 2, kernel / 2]));
                    Agree($"channels last, kernel {kernel}, stride {stride}, size {size}", randn(2, input, size, size, float64), weight, x => x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), (x, w) => nn.functional.conv2d(x, w, bias.to(x.dtype), [stride, stride], [kernel / 2, kernel / 2]));
                    Agree($"1-D, kernel {kernel}, stride {stride}, size {size}", randn(2, input, size, float64), weight[.., .., 0], x => x, (x, w) => nn.functional.conv1d(x, w, bias.to(x.dtype), stride, kernel / 2));
                    Agree($"transposed, kernel {kernel}, stride {stride}, size {size}", randn(2, output, size, size, float64), weight, x => x, (x, w) => nn.functional.conv_transpose2d(x, w, strides: [stride, stride]));
                }
    }

    private static void Agree(string what, Tensor x, Tensor weight, Func<Tensor, Tensor> layout, Func<Tensor, Tensor, Tensor> convolve)
    {
        using var scope = NewDisposeScope();
        var expected = Run(x, weight, layout, convolve);
        var actual = Run(x.to(float32), weight.to(float32), layout, convolve);
        string[] names = ["result", "gradient of the input", "gradient of the weights"];
        for (int i = 0; i < names.Length; i++)
        {
            double error = ((actual[i].to(float64) - expected[i]).abs().max() / expected[i].abs().max().clamp_min(1e-3)).item<double>();
            Assert.True(error < Tolerance, $"{what}, {names[i]}: relative error {error}");
        }
    }

    private static Tensor[] Run(Tensor x, Tensor weight, Func<Tensor, Tensor> layout, Func<Tensor, Tensor, Tensor> convolve)
    {
        Tensor input = layout(x.detach()).requires_grad_(), w = weight.detach().contiguous().requires_grad_();
        var y = convolve(input, w);
        var gradients = autograd.grad([(y * y).sum() / 2], [input, w]);
        return [y.detach(), gradients[0], gradients[1]];
    }
}
