using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>Normalisation over the last dimension, with a scale of one and a shift of zero to begin with.</summary>
internal sealed class LayerNorm : nn.Module<Tensor, Tensor>
{
    private readonly double epsilon;
    private readonly Parameter weight, bias;

    public LayerNorm(long width, double epsilon = 1e-5) : base(nameof(LayerNorm))
    {
        this.epsilon = epsilon;
        weight = nn.Parameter(ones(width));
        bias = nn.Parameter(zeros(width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => nn.functional.layer_norm(x, [weight.size(0)], weight, bias, epsilon);
}
