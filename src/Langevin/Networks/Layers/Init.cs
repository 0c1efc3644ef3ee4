using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>Initialisations beyond PyTorch's own.</summary>
internal static class Init
{
    /// <summary>Sets weight and bias of a convolution to zero.</summary>
    public static void Zero(Convolution convolution)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        convolution.weight.zero_();
        convolution.bias?.zero_();
    }
}
