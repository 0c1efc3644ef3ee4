using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A small autoencoder that speaks the code of a large one (madebyollin's TAESD and its relatives), for previews and for little memory,
/// with the structure and state-dict keys of diffusers' <c>AutoencoderTiny</c>.
/// </summary>
public sealed class AutoencoderTiny : nn.Module
{
    private readonly TinyEncoder encoder;
    private readonly TinyDecoder decoder;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public AutoencoderTiny(AutoencoderTinyConfig config) : base(nameof(AutoencoderTiny))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        (encoder, decoder) = (new(config), new(config));
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public AutoencoderTinyConfig Config { get; }

    /// <summary>How much smaller than a picture its code is, in height and in width.</summary>
    public int Factor => 1 << Config.NumEncoderBlocks.Count - 1 + (Config.EncoderStemChannels is { } stem ? stem.Count + 1 : 0);

    /// <summary>The encoder alone, for weights that come without a decoder.</summary>
    public nn.Module Encoder => encoder;

    /// <summary>Codes of pictures; the caller's.</summary>
    /// <param name="x">[N, in_channels, H, W] in [−1, 1]; height and width must be multiples of <see cref="Factor"/>.</param>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    public Tensor Encode(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        Check.Image(x, Config.InChannels, Factor, nameof(AutoencoderTiny));
        return WrappedTensorDisposeScope(() => encoder.call((x + 1) / 2));
    }

    /// <summary>Pictures of codes, about in [−1, 1]; the caller's.</summary>
    /// <param name="z">[N, latent_channels, h, w].</param>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    public Tensor Decode(Tensor z)
    {
        ArgumentNullException.ThrowIfNull(z);
        Check.Image(z, Config.LatentChannels, 1, nameof(AutoencoderTiny));
        return WrappedTensorDisposeScope(() => decoder.call(z) * 2 - 1);
    }

    // The reference's list of layers, in which those without weights have numbers too.
    private abstract class Stack(string name) : nn.Module<Tensor, Tensor>(name)
    {
        protected readonly ModuleList<nn.Module<Tensor, Tensor>> layers = new();

        protected void Add(nn.Module<Tensor, Tensor> layer) => layers.Add(layer);

        protected void AddBlocks(int count, int width, bool norm)
        {
            for (int i = 0; i < count; i++) layers.Add(new TinyBlock(width, norm));
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return layers.Aggregate(x, (h, layer) => layer.call(h)).MoveToOuterDisposeScope();
        }
    }

    private sealed class TinyEncoder : Stack
    {
        public TinyEncoder(AutoencoderTinyConfig config) : base(nameof(TinyEncoder))
        {
            int width = config.EncoderBlockOutChannels[0], from = config.InChannels;
            if (config.EncoderStemChannels is { } stem)
                foreach (int next in stem.Append(width))
                {
                    Add(new Conv2d(from, next, 3, stride: 2, padding: 1));
                    Add(nn.ReLU());
                    from = next;
                }
            else Add(new Conv2d(from, width, 3, padding: 1));
            for (int i = 0; i < config.NumEncoderBlocks.Count; i++)
            {
                if (i > 0) Add(new Conv2d(width, width, 3, stride: 2, padding: 1, bias: false));
                AddBlocks(config.NumEncoderBlocks[i], width, config.MidblockGroupNorm && i == config.NumEncoderBlocks.Count - 1);
            }
            Add(new Conv2d(width, config.LatentChannels, 3, padding: 1));
            register_module("layers", layers);
        }
    }

    private sealed class TinyDecoder : Stack
    {
        public TinyDecoder(AutoencoderTinyConfig config) : base(nameof(TinyDecoder))
        {
            int width = config.DecoderBlockOutChannels[0];
            Add(new Conv2d(config.LatentChannels, width, 3, padding: 1));
            Add(nn.ReLU());
            for (int i = 0; i < config.NumDecoderBlocks.Count; i++)
            {
                bool last = i == config.NumDecoderBlocks.Count - 1;
                AddBlocks(config.NumDecoderBlocks[i], width, config.MidblockGroupNorm && i == 0);
                if (!last) Add(nn.Upsample(scale_factor: [2, 2], mode: UpsampleMode.Nearest));
                Add(new Conv2d(width, last ? config.OutChannels : width, 3, padding: 1, bias: last));
            }
            register_module("layers", layers);
        }

        // Codes far out are brought near gently.
        public override Tensor forward(Tensor z)
        {
            using var near = (z / 3).tanh() * 3;
            return base.forward(near);
        }
    }

    /// <summary>relu(x + conv³ x), for x with a normed part of itself added where asked for.</summary>
    private sealed class TinyBlock : nn.Module<Tensor, Tensor>
    {
        private readonly ModuleList<nn.Module<Tensor, Tensor>> conv;
        private readonly ModuleList<nn.Module<Tensor, Tensor>>? pool;

        public TinyBlock(int width, bool norm) : base(nameof(TinyBlock))
        {
            Conv2d Three() => new(width, width, 3, padding: 1);
            conv = new(Three(), nn.ReLU(), Three(), nn.ReLU(), Three());
            if (norm) pool = new(new Conv2d(width, 4 * width, 1, bias: false), new GroupNorm(4, 4 * width, 1e-5), nn.ReLU(), new Conv2d(4 * width, width, 1, bias: false));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            if (pool is not null) x = x + pool.Aggregate(x, (h, layer) => layer.call(h));
            return (conv.Aggregate(x, (h, layer) => layer.call(h)) + x).relu().MoveToOuterDisposeScope();
        }
    }
}
