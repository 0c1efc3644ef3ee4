using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using Langevin.Networks.Transformers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Langevin.Networks.Layers.Conv2d;
using Linear = Langevin.Networks.Layers.Linear;

namespace Langevin.Networks;

/// <summary>
/// A transformer over the patches of a picture, DiT (Peebles and Xie 2023, section 3.2, adaLN-Zero) and its captioned relative PixArt-α
/// (Chen et al. 2023), with the structure and state-dict keys of diffusers' <c>DiTTransformer2DModel</c> and <c>Transformer2DModel</c>.
/// </summary>
/// <remarks>
/// <c>forward(x [N, in_channels, H, W], noise [N], condition)</c> gives [N, out_channels, H, W]; height and width must be multiples of the
/// patches'. DiT reads the labels, PixArt the slot <c>context</c> with a caption's tokens [N, L, caption_channels] and their
/// <c>context_mask</c> [N, L].
/// </remarks>
public sealed class DiffusionTransformer : Network
{
    private readonly PatchEmbedding pos_embed;
    private readonly Layers.ModuleList<DitBlock> transformer_blocks = new();
    private readonly Linear? proj_out_1, proj_out_2;               // DiT's
    private readonly SingleNorm? adaln_single;                     // PixArt's, as all below
    private readonly TimestepEmbedding? caption_projection;
    private readonly Parameter? scale_shift_table;
    private readonly Linear? proj_out;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public DiffusionTransformer(DiffusionTransformerConfig config) : base(nameof(DiffusionTransformer))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        int width = config.Width, patch = config.PatchSize * config.PatchSize * Outputs;
        pos_embed = new(config);
        for (int i = 0; i < config.NumLayers; i++) transformer_blocks.Add(new(config, $"transformer_blocks.{i}"));
        if (config.Captioned)
        {
            adaln_single = new(width, config.FreqShift ?? 0);
            caption_projection = new(config.CaptionChannels!.Value, width, Activation.GeluTanh);
            scale_shift_table = nn.Parameter(randn(2, width) / Math.Sqrt(width));
            proj_out = new(width, patch);
        }
        else (proj_out_1, proj_out_2) = (new(width, 2 * width), new(width, patch));
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public DiffusionTransformerConfig Config { get; }

    /// <summary>Features of the patches' places for pictures of sample_size, float32 [patches, width]: sines and cosines, to be overwritten where a checkpoint brings its own.</summary>
    public Tensor Positions => pos_embed.Positions;

    private int Outputs => Config.OutChannels ?? Config.InChannels;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or tokens or labels are missing.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        Check.Image(x, Config.InChannels, Config.PatchSize, nameof(DiffusionTransformer));
        Check.Noise(noise, x, nameof(DiffusionTransformer));
        using var scope = NewDisposeScope();
        var (rows, columns) = (x.size(2) / Config.PatchSize, x.size(3) / Config.PatchSize);
        var input = new DitInput(noise, condition.Attention, rows, columns);
        Tensor? embedded = null;
        if (Config.Captioned)
        {
            (embedded, var modulation) = adaln_single!.Run(noise, x.dtype);
            input = input with { Modulation = modulation, Context = caption_projection!.call(ContextTokens.Of(condition, Config.CaptionChannels!.Value, x, nameof(DiffusionTransformer))), Bias = ContextTokens.Bias(condition, x) };
        }
        else input = input with { Label = Check.ClassRow(condition, x, Config.NumEmbedsAdaNorm!.Value + 1, nameof(DiffusionTransformer)) };
        var h = pos_embed.call(x);
        foreach (var block in transformer_blocks) h = block.Run(h, input);
        var parts = Config.Captioned
            ? (scale_shift_table!.unsqueeze(0) + embedded!.unsqueeze(1)).chunk(2, 1)
            : proj_out_1!.call(transformer_blocks[0].Embed(input, x.dtype).silu()).unsqueeze(1).chunk(2, -1);
        h = DitBlock.Modulated(h, parts[1], parts[0], 1e-6);
        int p = Config.PatchSize;
        return (proj_out ?? proj_out_2!).call(h).view(-1, rows, columns, p, p, Outputs).permute(0, 5, 1, 3, 2, 4).reshape(x.size(0), Outputs, rows * p, columns * p).MoveToOuterDisposeScope();
    }
}
