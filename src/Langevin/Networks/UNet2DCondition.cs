using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The U-Net of latent diffusion (Rombach et al. 2022, section 3.3), whose pixels attend to the tokens of a context, with the structure,
/// options and state-dict keys of diffusers' <c>UNet2DConditionModel</c> as Stable Diffusion 1 and 2 have it.
/// </summary>
/// <remarks>
/// <c>forward(x [N, in_channels, H, W], noise [N], condition)</c> gives [N, out_channels, H, W]; height and width must be multiples of
/// 2^(levels − 1). The condition's slot <c>context</c> holds the tokens, [N, L, cross_attention_dim], and <c>context_mask</c>, if there,
/// [N, L] is 0 where a token is not to be read.
/// </remarks>
public sealed class UNet2DCondition : Network
{
    private readonly Conv2d conv_in, conv_out;
    private readonly TimestepEmbedding time_embedding;
    private readonly Embedding? class_embedding;
    private readonly ModuleList<DownBlock2D> down_blocks = new();
    private readonly MidBlock2D? mid_block;
    private readonly ModuleList<UpBlock2D> up_blocks = new();
    private readonly GroupNorm conv_norm_out;
    private readonly Activation act;

    /// <summary>Slot of the tokens, floating [N, L, cross_attention_dim].</summary>
    public const string ContextSlot = "context";

    /// <summary>Slot of the tokens' mask, [N, L]: 1 for those that are read, 0 for the others.</summary>
    public const string MaskSlot = "context_mask";

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public UNet2DCondition(UNet2DConditionConfig config) : base(nameof(UNet2DCondition))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        act = Activation.Of(config.ActFn);
        var channels = config.BlockOutChannels;
        int first = channels[0], levels = channels.Count;
        var options = new BlockOptions(4 * first, config.NormNumGroups, config.NormEps, ScaleShift: false, Dropout: 0, act);
        AttentionFactory? Attention(string type, int level) => type.StartsWith("CrossAttn", StringComparison.Ordinal) || type.EndsWith("CrossAttn", StringComparison.Ordinal)
            ? () => new Transformer2D(channels[level], config.HeadsAt(level), config.CrossAttentionDim, config.BlocksAt(level), config.NormNumGroups, config.UseLinearProjection)
            : null;

        conv_in = new(config.InChannels, first, 3, padding: 1);
        time_embedding = new(first, 4 * first, act);
        if (config.NumClassEmbeds is { } rows) class_embedding = new(rows, 4 * first);
        for (int i = 0; i < levels; i++)
            down_blocks.Add(new(default, channels[Math.Max(i - 1, 0)], channels[i], config.LayersPerBlock, halve: i < levels - 1,
                Attention(config.DownBlockTypes[i], i), config.DownsamplePadding, config.InChannels, options));
        if (config.MidBlockType is { } middle) mid_block = new(channels[^1], options, Attention(middle, levels - 1), 1);
        for (int i = 0; i < levels; i++)
        {
            int level = levels - 1 - i;
            up_blocks.Add(new(default, channels[Math.Min(level + 1, levels - 1)], channels[Math.Max(level - 1, 0)], channels[level], config.LayersPerBlock + 1, twice: level > 0,
                Attention(config.UpBlockTypes[i], level), config.OutChannels, options));
        }
        conv_norm_out = new(config.NormNumGroups, first, config.NormEps);
        conv_out = new(first, config.OutChannels, 3, padding: 1);
        RegisterComponents();
        SpatialAttention.NameAll(this);
    }

    /// <summary>The shape of the network.</summary>
    public UNet2DConditionConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or tokens or labels are missing.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        Check.Image(x, Config.InChannels, 1 << (Config.BlockOutChannels.Count - 1), nameof(UNet2DCondition));
        Check.Noise(noise, x, nameof(UNet2DCondition));
        using var scope = NewDisposeScope();
        var image = Config.CenterInputSample ? 2 * x - 1 : x;
        var embedding = Embed(noise, condition, x);
        var attention = new AttentionInput(condition.Attention, Context(condition, x), Bias(condition, x));

        var states = new Stack<Tensor>();
        states.Push(conv_in.call(image));
        foreach (var block in down_blocks) block.Run(states.Peek(), embedding, image, states, attention);
        // The decoder disposes what it is given, and still needs the last state itself.
        var h = mid_block is null ? states.Peek().alias() : mid_block.call(states.Peek(), embedding, attention);
        foreach (var block in up_blocks) (h, _) = block.Run(h, embedding, null, states, attention);
        return conv_out.call(act.Consume(conv_norm_out.call(h))).MoveToOuterDisposeScope();
    }

    private Tensor Embed(Tensor noise, Condition condition, Tensor x)
    {
        var features = NoiseFeatures.Sinusoidal(x.dtype == ScalarType.Float64 ? noise.to(x.dtype) : noise, Config.BlockOutChannels[0], Config.FreqShift, Config.FlipSinToCos);
        var embedding = time_embedding.call(features.to(x.dtype));
        if (class_embedding is { } table)
        {
            var label = Check.Label(condition, x, nameof(UNet2DCondition));
            embedding = embedding + table.call(Check.Index(where(label.eq(-1), table.Rows - 1, label), table.Rows, "label", nameof(UNet2DCondition)));
        }
        return act.Consume(embedding);
    }

    private Tensor Context(Condition condition, Tensor x)
    {
        var context = condition[ContextSlot] ?? throw new ArgumentException($"UNet2DCondition: the condition has no slot '{ContextSlot}': give tokens [N, L, {Config.CrossAttentionDim}].", nameof(condition));
        if (context.dim() != 3 || context.size(0) != x.size(0) || context.size(2) != Config.CrossAttentionDim)
            throw new ArgumentException($"UNet2DCondition: the tokens are [{string.Join(", ", context.shape)}], expected [{x.size(0)}, L, {Config.CrossAttentionDim}].", nameof(condition));
        return context.to(x.dtype);
    }

    private static Tensor? Bias(Condition condition, Tensor x) =>
        condition[MaskSlot] is { } mask ? ((1 - mask.to(x.dtype)) * -10_000).unsqueeze(1).unsqueeze(1) : null;
}
