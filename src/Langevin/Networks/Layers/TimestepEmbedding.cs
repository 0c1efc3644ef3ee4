using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>Two linear layers with an activation between: features of a noise level to the vector that all blocks read.</summary>
internal sealed class TimestepEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Linear linear_1, linear_2;
    private readonly Activation activation;

    public TimestepEmbedding(long inputs, long width, Activation activation, long? outputs = null) : base(nameof(TimestepEmbedding))
    {
        this.activation = activation;
        linear_1 = new(inputs, width);
        linear_2 = new(width, outputs ?? width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor features)
    {
        using var hidden = activation.Consume(linear_1.call(features));
        return linear_2.call(hidden);
    }
}
