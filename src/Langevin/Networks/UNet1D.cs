using Langevin.Networks.Layers;
using Langevin.Networks.Sequences;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The U-Net of DDPM (Ho et al. 2020) in one dimension, for audio and time series: residual blocks on every level, strided
/// convolutions down, repetition and a convolution up, skips by concatenation, self-attention at the bottom.
/// </summary>
/// <remarks>
/// <c>forward(x [N, in_channels, L], noise [N], condition)</c> gives [N, out_channels, L]; L must be a multiple of
/// 2^(levels − 1). The noise may be in integer steps (0 to 1000), in ln σ / 4, or a time in [0, 1]. The condition's labels
/// are int64 [N]; −1 is "no class".
/// </remarks>
public sealed class UNet1D : Network
{
    private readonly NoiseClassEmbedding embedding;
    private readonly Conv1d conv_in, conv_out;
    private readonly ModuleList<DownBlock1D> down_blocks = new();
    private readonly MidBlock1D mid_block;
    private readonly ModuleList<UpBlock1D> up_blocks = new();
    private readonly GroupNorm norm_out;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="zeroOutput">Whether the last convolution starts at zero, so that the untrained network answers zero.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public UNet1D(UNet1DConfig config, bool zeroOutput = false) : base(nameof(UNet1D))
    {
        config.Validate();
        Config = config;
        var channels = config.BlockOutChannels;
        int first = channels[0], levels = channels.Count, current = first;
        var options = new BlockOptions1D(4 * first, config.NormNumGroups, config.Dropout);
        embedding = new(first, options.Embedding, config.ClassCount, nameof(UNet1D));
        conv_in = new(config.InChannels, first, 3, padding: 1);

        // What the encoder leaves for the decoder, in channels: the decoder takes it from the top.
        var skips = new Stack<int>([first]);
        for (int level = 0; level < levels; level++)
        {
            bool halve = level < levels - 1;
            down_blocks.Add(new(current, channels[level], config.LayersPerBlock, halve, options));
            current = channels[level];
            for (int i = 0; i < config.LayersPerBlock + (halve ? 1 : 0); i++) skips.Push(current);
        }
        mid_block = new(current, config.AttentionHeadDim, options);
        for (int level = levels - 1; level >= 0; level--)
        {
            var taken = Enumerable.Range(0, config.LayersPerBlock + 1).Select(_ => skips.Pop()).ToArray();
            up_blocks.Add(new(current, taken, channels[level], twice: level > 0, options));
            current = channels[level];
        }
        norm_out = new(config.NormNumGroups, first, BlockOptions1D.Epsilon);
        conv_out = new(first, config.OutChannels, 3, padding: 1);
        if (zeroOutput) conv_out.Zero();
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public UNet1DConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or labels are missing, out of range, or given to an unconditional network.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        RequireShape(x.shape);
        using var scope = NewDisposeScope();
        var e = embedding.call(x, noise, condition);
        var states = new Stack<Tensor>();
        states.Push(conv_in.call(x));
        foreach (var block in down_blocks) block.Run(e, states);
        var h = mid_block.call(states.Peek(), e);
        foreach (var block in up_blocks) h = block.Run(h, e, states);
        return conv_out.call(Activation.SiLU.Consume(norm_out.call(h))).MoveToOuterDisposeScope();
    }

    private void RequireShape(long[] shape)
    {
        if (shape.Length != 3 || shape[1] != Config.InChannels)
            throw new ArgumentException($"UNet1D: the input is [{string.Join(", ", shape)}], expected [N, {Config.InChannels}, L].", "x");
        int multiple = 1 << (Config.BlockOutChannels.Count - 1);
        if (shape[2] == 0 || shape[2] % multiple != 0)
            throw new ArgumentException($"UNet1D: a length of {shape[2]} cannot be halved as often as the network has levels: it must be a multiple of {multiple} (pad or crop).", "x");
    }
}
