using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>What <see cref="UNet2DCondition"/> and <see cref="ControlNet"/> share: the way down, the middle and the embedding, which stand under the same keys in both.</summary>
internal static class ConditionParts
{
    public static BlockOptions Options(UNet2DConditionConfig config) => new(4 * config.BlockOutChannels[0], config.NormNumGroups, config.NormEps, ScaleShift: false, Dropout: 0, Activation.Of(config.ActFn));

    public static AttentionFactory? Attention(UNet2DConditionConfig config, string type, int level) =>
        type.StartsWith("CrossAttn", StringComparison.Ordinal) || type.EndsWith("CrossAttn", StringComparison.Ordinal)
            ? () => new Transformer2D(config.BlockOutChannels[level], config.HeadsAt(level), config.CrossAttentionDim, config.BlocksAt(level), config.NormNumGroups, config.UseLinearProjection)
            : null;

    public static ModuleList<DownBlock2D> Down(UNet2DConditionConfig config)
    {
        var channels = config.BlockOutChannels;
        var blocks = new ModuleList<DownBlock2D>();
        for (int i = 0; i < channels.Count; i++)
            blocks.Add(new(default, channels[Math.Max(i - 1, 0)], channels[i], config.LayersPerBlock, halve: i < channels.Count - 1,
                Attention(config, config.DownBlockTypes[i], i), config.DownsamplePadding, config.InChannels, Options(config)));
        return blocks;
    }

    public static MidBlock2D? Middle(UNet2DConditionConfig config) => config.MidBlockType is not { } middle ? null
        : new(config.BlockOutChannels[^1], Options(config), Attention(config, middle, config.BlockOutChannels.Count - 1), 1);

    /// <summary>What all blocks read of step and class, [N, 4 channels], activated.</summary>
    public static Tensor Embed(UNet2DConditionConfig config, TimestepEmbedding time, Embedding? classes, Tensor noise, Condition condition, Tensor x, string network)
    {
        var features = NoiseFeatures.Sinusoidal(x.dtype == ScalarType.Float64 ? noise.to(x.dtype) : noise, config.BlockOutChannels[0], config.FreqShift, config.FlipSinToCos);
        var embedding = time.call(features.to(x.dtype));
        if (classes is not null)
        {
            var label = Check.Label(condition, x, network);
            embedding = embedding + classes.call(Check.Index(where(label.eq(-1), classes.Rows - 1, label), classes.Rows, "label", network));
        }
        return Activation.Of(config.ActFn).Consume(embedding);
    }

    /// <summary>What attention is given.</summary>
    public static AttentionInput Attended(UNet2DConditionConfig config, Condition condition, Tensor x, string network) =>
        new(condition.Attention, ContextTokens.Of(condition, config.CrossAttentionDim, x, network), ContextTokens.Bias(condition, x));
}
