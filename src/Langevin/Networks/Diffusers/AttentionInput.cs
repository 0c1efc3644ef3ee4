using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>What the attention layers of a U-Net are given besides the features.</summary>
/// <param name="Control">What takes place in them instead of attention, if anything.</param>
/// <param name="Context">Tokens [N, L, width] that cross-attention reads; null where there is none.</param>
/// <param name="Bias">Added to cross-attention's logits, [N, 1, 1, L]; null for nothing.</param>
internal readonly record struct AttentionInput(AttentionControl? Control = null, Tensor? Context = null, Tensor? Bias = null);

/// <summary>A layer in which the pixels of [N, C, H, W] exchange what they know.</summary>
internal abstract class SpatialAttention(string name) : nn.Module<Tensor, AttentionInput, Tensor>(name)
{
    /// <summary>Its name in the network, by which an <see cref="AttentionControl"/> knows it.</summary>
    public virtual string Name { get; set; } = "";

    /// <summary>Tells each layer of a network its name in it.</summary>
    public static void NameAll(nn.Module network)
    {
        foreach (var (name, module) in network.named_modules())
            if (module is SpatialAttention layer) layer.Name = name;
    }
}

/// <summary>Builds the attention layers of one level.</summary>
internal delegate SpatialAttention AttentionFactory();
