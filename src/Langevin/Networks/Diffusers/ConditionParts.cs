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

    /// <summary>What all blocks read of step, class and added conditions, [N, 4 channels], activated.</summary>
    public static Tensor Embed(UNet2DConditionConfig config, TimestepEmbedding time, Embedding? classes, TimestepEmbedding? added, Tensor noise, Condition condition, Tensor x, string network)
    {
        Tensor Sines(Tensor numbers, long width) => NoiseFeatures.Sinusoidal(x.dtype == ScalarType.Float64 ? numbers.to(x.dtype) : numbers, width, config.FreqShift, config.FlipSinToCos).to(x.dtype);
        var embedding = time.call(Sines(noise, config.BlockOutChannels[0]));
        if (classes is not null) embedding = embedding + classes.call(Check.ClassRow(condition, x, classes.Rows, network)).to(x.dtype);
        if (added is not null)
        {
            long features = config.AdditionTimeEmbedDim!.Value, whole = config.ProjectionClassEmbeddingsInputDim!.Value;
            var (text, numbers) = (Slot(condition, UNet2DCondition.TextVectorSlot, x, network), Slot(condition, UNet2DCondition.NumbersSlot, x, network));
            if (text.size(1) + numbers.size(1) * features != whole)
                throw new ArgumentException($"{network}: {UNet2DCondition.TextVectorSlot} [{string.Join(", ", text.shape)}] and {UNet2DCondition.NumbersSlot} [{string.Join(", ", numbers.shape)}], of {features} features each, make {text.size(1) + numbers.size(1) * features} numbers, expected {whole}.", nameof(condition));
            embedding = embedding + added.call(cat([text.to(x.dtype), Sines(numbers.flatten().to(ScalarType.Float32), features).view(x.size(0), -1)], 1));
        }
        return Activation.Of(config.ActFn).Consume(embedding);
    }

    /// <summary>The layers that read the added conditions, if there are any.</summary>
    public static TimestepEmbedding? Added(UNet2DConditionConfig config) =>
        config.AdditionEmbedType is null ? null : new(config.ProjectionClassEmbeddingsInputDim!.Value, 4 * config.BlockOutChannels[0], Activation.Of(config.ActFn));

    private static Tensor Slot(Condition condition, string name, Tensor x, string network)
    {
        var value = condition[name] ?? throw new ArgumentException($"{network}: the condition has no slot '{name}', which the network was trained with.", nameof(condition));
        return value.dim() == 2 && value.size(0) == x.size(0) ? value : throw new ArgumentException($"{network}: the condition's {name} are [{string.Join(", ", value.shape)}], expected [{x.size(0)}, n].", nameof(condition));
    }

    /// <summary>What attention is given.</summary>
    public static AttentionInput Attended(UNet2DConditionConfig config, Condition condition, Tensor x, string network) =>
        new(condition.Attention, ContextTokens.Of(condition, config.CrossAttentionDim, x, network), ContextTokens.Bias(condition, x));
}
