using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Guided;

/// <summary>What the U-Net and the encoder share: the way down and the middle.</summary>
internal static class GuidedDown
{
    /// <summary>The blocks of the way down, with the channels that each leaves.</summary>
    public static IEnumerable<(GuidedSequence Block, int Channels)> Blocks(GuidedUNetConfig config, int inputs)
    {
        int channels = config.Channels(0), factor = 1;
        yield return (new(new GuidedConv(config.Dims, inputs, channels)), channels);
        for (int level = 0; level < config.ChannelMult.Count; level++)
        {
            for (int i = 0; i < config.NumResBlocks; i++)
            {
                int next = config.Channels(level);
                yield return (new(new GuidedResBlock(config, channels, next), config.AttentionResolutions.Contains(factor) ? new GuidedAttention(config, next) : null), next);
                channels = next;
            }
            if (level == config.ChannelMult.Count - 1) break;
            yield return (new(config.ResblockUpdown ? new GuidedResBlock(config, channels, channels, up: false) : new GuidedDownsample(config, channels)), channels);
            factor *= 2;
        }
    }

    /// <summary>The middle.</summary>
    public static GuidedSequence Middle(GuidedUNetConfig config, int channels) =>
        new(new GuidedResBlock(config, channels, channels), new GuidedAttention(config, channels), new GuidedResBlock(config, channels, channels));

    /// <summary>The layers of the step's embedding, which the reference numbers 0 and 2.</summary>
    public static ModuleList<nn.Module<Tensor, Tensor>> TimeEmbed(GuidedUNetConfig config) =>
        new(new Linear(config.ModelChannels, 4 * config.ModelChannels), nn.Identity(), new Linear(4 * config.ModelChannels, 4 * config.ModelChannels));

    /// <summary>The embedding of steps, [N, 4 model_channels].</summary>
    public static Tensor Embed(ModuleList<nn.Module<Tensor, Tensor>> layers, GuidedUNetConfig config, Tensor noise, Tensor x) =>
        layers[2].call(layers[0].call(NoiseFeatures.Sinusoidal(x.dtype == ScalarType.Float64 ? noise.to(x.dtype) : noise, config.ModelChannels).to(x.dtype)).silu());

    public static void CheckInput(GuidedUNetConfig config, Tensor x, Tensor noise, string network)
    {
        int multiple = 1 << config.ChannelMult.Count - 1;
        if (config.Dims == 2) Check.Image(x, config.InChannels, multiple, network);
        else if (x.dim() != 3 || x.size(1) != config.InChannels || x.size(2) % multiple != 0)
            throw new ArgumentException($"{network}: the input is [{string.Join(", ", x.shape)}], expected [N, {config.InChannels}, L] with L a multiple of {multiple}.", nameof(x));
        Check.Noise(noise, x, network);
    }
}
