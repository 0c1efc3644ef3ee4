using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>x Wᵀ + b with PyTorch's default initialisation, U(±1/√inputs), computed in the input's dtype.</summary>
internal sealed class Linear : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter? bias;

    public Linear(long inputs, long outputs, bool bias = true) : base(nameof(Linear))
    {
        double bound = 1 / Math.Sqrt(inputs);
        weight = UnsetWeights.Uniform(bound, outputs, inputs);
        if (bias) this.bias = UnsetWeights.Uniform(bound, outputs);
        RegisterComponents();
    }

    /// <summary>Sets weight and bias to zero.</summary>
    public void Zero()
    {
        using var _ = no_grad();
        weight.zero_();
        bias?.zero_();
    }

    /// <summary>Draws the weight from N(0, 1), as for inputs that are one channel of ones.</summary>
    public void Normal()
    {
        using var _ = no_grad();
        weight.normal_();
    }

    /// <summary>Sets the bias alone to zero.</summary>
    public void ZeroBias()
    {
        using var _ = no_grad();
        bias?.zero_();
    }

    public override Tensor forward(Tensor x)
    {
        if (x.dtype == weight.dtype) return nn.functional.linear(x, weight, bias);
        using var w = weight.to(x.dtype);
        using var b = bias?.to(x.dtype);
        return nn.functional.linear(x, w, b);
    }
}
