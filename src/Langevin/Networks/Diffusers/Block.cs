using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>A part of a U-Net or an autoencoder: images [N, C, H, W] and the activated embedding [N, E], where there is one, to images. It never disposes its arguments.</summary>
internal abstract class Block(string name) : nn.Module<Tensor, Tensor?, Tensor>(name);

/// <summary>What all blocks of one U-Net share.</summary>
/// <param name="Embedding">Width E of the time embedding; null for blocks that are given none.</param>
/// <param name="Groups">Groups of each norm; null for a quarter of the channels, at most 32.</param>
/// <param name="Epsilon">Added to the variance in norms.</param>
/// <param name="ScaleShift">Whether the embedding scales and shifts after the second norm, rather than being added before it.</param>
/// <param name="Dropout">Probability of dropping an activation.</param>
/// <param name="Act">Non-linearity.</param>
internal sealed record BlockOptions(long? Embedding, int? Groups, double Epsilon, bool ScaleShift, double Dropout, Layers.Activation Act)
{
    public long GroupsOf(long channels) => Groups ?? Math.Min(channels / 4, 32);
}
