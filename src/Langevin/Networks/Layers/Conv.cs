using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>
/// A convolution with PyTorch's default initialisation, U(±1/√fan-in) for weight and bias, that computes in its input's
/// dtype: float32 weights stay the master copy when activations are bfloat16.
/// </summary>
internal abstract class Conv : nn.Module<Tensor, Tensor>
{
    protected readonly Parameter weight;
    protected readonly Parameter? bias;

    protected Conv(string name, long[] shape, bool hasBias, int outputs = 0) : base(name)
    {
        double bound = 1 / Math.Sqrt(shape.Skip(1).Aggregate(1L, (a, b) => a * b));
        weight = UnsetWeights.Uniform(bound, shape);
        if (hasBias) bias = UnsetWeights.Uniform(bound, shape[outputs]);
    }

    public long Inputs => weight.size(1);

    public long Outputs => weight.size(0);

    /// <summary>Sets weight and bias to zero, so that the layer answers zero until it has learned.</summary>
    public void Zero()
    {
        using var _ = no_grad();
        weight.zero_();
        bias?.zero_();
    }

    public override Tensor forward(Tensor x)
    {
        if (x.dtype == weight.dtype) return Apply(x, weight, bias);
        using var w = weight.to(x.dtype);
        using var b = bias?.to(x.dtype);
        return Apply(x, w, b);
    }

    protected abstract Tensor Apply(Tensor x, Tensor weight, Tensor? bias);
}

/// <summary>Convolution of images [N, C, H, W] with a square kernel.</summary>
internal sealed class Conv2d : Conv
{
    private readonly long[] stride, padding, dilation;

    public Conv2d(long inputs, long outputs, long kernel, long stride = 1, long padding = 0, bool bias = true, long dilation = 1)
        : base(nameof(Conv2d), [outputs, inputs, kernel, kernel], bias)
    {
        (this.stride, this.padding, this.dilation) = ([stride, stride], [padding, padding], [dilation, dilation]);
        RegisterComponents();
    }

    protected override Tensor Apply(Tensor x, Tensor weight, Tensor? bias) => nn.functional.conv2d(x, weight, bias, stride, padding, dilation);
}

/// <summary>Convolution of sequences [N, C, L].</summary>
internal sealed class Conv1d : Conv
{
    private readonly long stride, padding, dilation;

    public Conv1d(long inputs, long outputs, long kernel, long stride = 1, long padding = 0, long dilation = 1, bool bias = true)
        : base(nameof(Conv1d), [outputs, inputs, kernel], bias)
    {
        (this.stride, this.padding, this.dilation) = (stride, padding, dilation);
        RegisterComponents();
    }

    protected override Tensor Apply(Tensor x, Tensor weight, Tensor? bias) => nn.functional.conv1d(x, weight, bias, stride, padding, dilation);
}

/// <summary>Transposed convolution of sequences [N, C, L].</summary>
internal sealed class ConvTranspose1d : Conv
{
    private readonly long stride, padding;

    public ConvTranspose1d(long inputs, long outputs, long kernel, long stride, long padding)
        : base(nameof(ConvTranspose1d), [inputs, outputs, kernel], hasBias: true, outputs: 1)
    {
        (this.stride, this.padding) = (stride, padding);
        RegisterComponents();
    }

    protected override Tensor Apply(Tensor x, Tensor weight, Tensor? bias) => nn.functional.conv_transpose1d(x, weight, bias, stride, padding);
}

/// <summary>
/// Each pixel repeated 2×2 times, then a 3×3 convolution: computed as one transposed convolution with a 4×4 kernel and
/// stride 2, which is the same linear map at 4/9 of the multiplications and without the enlarged input.
/// </summary>
/// <remarks>
/// In one dimension y[m] = Σₖ w[k] z[m+k−1] with z[2i+a] = x[i], a ∈ {0, 1}, so that x[i] reaches y[2i−1+u] with weight
/// Σ w[k] over a − k + 2 = u: the rows (w₂, w₁+w₂, w₀+w₁, w₀). In two dimensions the kernel is the product of two such maps.
/// </remarks>
internal sealed class UpsampleConv2d : Conv
{
    private static readonly double[] Fold = Folding();

    public UpsampleConv2d(long inputs, long outputs) : base(nameof(UpsampleConv2d), [outputs, inputs, 3, 3], true) => RegisterComponents();

    protected override Tensor Apply(Tensor x, Tensor weight, Tensor? bias) => Folded(x, weight, bias);

    /// <summary>The same with weights [out, in, 3, 3] and biases [out] from elsewhere.</summary>
    public static Tensor Folded(Tensor x, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var fold = tensor(Fold, [16, 9], weight.dtype, weight.device);
        var kernel = nn.functional.linear(weight.transpose(0, 1).reshape(-1, 9), fold).view(weight.size(1), weight.size(0), 4, 4);
        var y = nn.functional.conv_transpose2d(x, kernel, null, [2, 2], [1, 1]);
        // oneDNN sums the bias' gradient with a scalar loop here, so it is added apart; the convolution does not need its own result.
        if (bias is not null) y = y.add_(bias.view(1, -1, 1, 1));
        return y.MoveToOuterDisposeScope();
    }

    private static double[] Folding()
    {
        int[,] one = { { 0, 0, 1 }, { 0, 1, 1 }, { 1, 1, 0 }, { 1, 0, 0 } };
        var fold = new double[16 * 9];
        for (int u = 0; u < 16; u++)
            for (int k = 0; k < 9; k++)
                fold[u * 9 + k] = one[u / 4, k / 3] * one[u % 4, k % 3];
        return fold;
    }
}
