using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Edm;

/// <summary>A fully connected layer with EDM's initialisation.</summary>
internal sealed class EdmLinear : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter? bias;

    public EdmLinear(long inputs, long outputs, WeightInit init, bool bias = true) : base(nameof(EdmLinear))
    {
        weight = nn.Parameter(init.Draw([outputs, inputs], inputs, outputs, init.Weight));
        if (bias) this.bias = nn.Parameter(init.Draw([outputs], inputs, outputs, init.Bias));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => nn.functional.linear(x, weight, bias);
}
