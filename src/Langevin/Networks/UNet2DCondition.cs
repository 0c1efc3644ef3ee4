using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The U-Net of latent diffusion (Rombach et al. 2022, section 3.3), whose pixels attend to the tokens of a context, with the structure,
/// options and state-dict keys of diffusers' <c>UNet2DConditionModel</c> as Stable Diffusion 1, 2 and XL have it.
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
    private readonly TimestepEmbedding? add_embedding;
    private readonly ModuleList<DownBlock2D> down_blocks;
    private readonly MidBlock2D? mid_block;
    private readonly ModuleList<UpBlock2D> up_blocks = new();
    private readonly GroupNorm conv_norm_out;
    private readonly Activation act;

    /// <summary>Slot of the tokens, floating [N, L, cross_attention_dim].</summary>
    public const string ContextSlot = "context";

    /// <summary>Slot of the tokens' mask, [N, L]: 1 for those that are read, 0 for the others.</summary>
    public const string MaskSlot = "context_mask";

    /// <summary>Slot of a vector of the whole text, [N, width], where addition_embed_type is "text_time".</summary>
    public const string TextVectorSlot = "text_vector";

    /// <summary>Slot of the numbers beside it, [N, count]: in Stable Diffusion XL the original height and width, the crop's top and left, the wanted height and width.</summary>
    public const string NumbersSlot = "numbers";

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

        conv_in = new(config.InChannels, first, 3, padding: 1);
        time_embedding = new(first, 4 * first, act);
        if (config.NumClassEmbeds is { } rows) class_embedding = new(rows, 4 * first);
        add_embedding = ConditionParts.Added(config);
        down_blocks = ConditionParts.Down(config);
        mid_block = ConditionParts.Middle(config);
        for (int i = 0; i < levels; i++)
        {
            int level = levels - 1 - i;
            up_blocks.Add(new(default, channels[Math.Min(level + 1, levels - 1)], channels[Math.Max(level - 1, 0)], channels[level], config.LayersPerBlock + 1, twice: level > 0,
                ConditionParts.Attention(config, config.UpBlockTypes[i], level), config.OutChannels, ConditionParts.Options(config)));
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
    public override Tensor forward(Tensor x, Tensor noise, Condition condition) => Run(x, noise, condition, null);

    /// <summary>The same, with something added to the states.</summary>
    internal Tensor Run(Tensor x, Tensor noise, Condition condition, ControlStates? control)
    {
        Check.Image(x, Config.InChannels, 1 << (Config.BlockOutChannels.Count - 1), nameof(UNet2DCondition));
        Check.Noise(noise, x, nameof(UNet2DCondition));
        using var scope = NewDisposeScope();
        var image = Config.CenterInputSample ? 2 * x - 1 : x;
        var embedding = ConditionParts.Embed(Config, time_embedding, class_embedding, add_embedding, noise, condition, x, nameof(UNet2DCondition));
        var attention = ConditionParts.Attended(Config, condition, x, nameof(UNet2DCondition));

        var states = new Stack<Tensor>();
        states.Push(conv_in.call(image));
        foreach (var block in down_blocks) block.Run(states.Peek(), embedding, image, states, attention);
        // The decoder disposes what it is given, and still needs the last state itself.
        var h = mid_block is null ? states.Peek().alias() : mid_block.call(states.Peek(), embedding, attention);
        if (control is not null)
        {
            if (control.Down.Count != states.Count) throw new ArgumentException($"UNet2DCondition: {control.Down.Count} states are to be added to {states.Count}: the ControlNet was made for another U-Net.", nameof(control));
            states = new(states.Reverse().Zip(control.Down, (state, more) => state + more));
            h = h + control.Middle;
        }
        foreach (var block in up_blocks) (h, _) = block.Run(h, embedding, null, states, attention);
        return conv_out.call(act.Consume(conv_norm_out.call(h))).MoveToOuterDisposeScope();
    }
}
