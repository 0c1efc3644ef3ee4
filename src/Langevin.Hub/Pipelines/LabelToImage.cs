using Langevin.Guidance;
using Langevin.Hub.Schedulers;
using Langevin.Networks;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>What pictures are wanted of a model without prompts.</summary>
public sealed record LabelToImageRequest
{
    /// <summary>How many.</summary>
    public int Count { get; init; } = 1;

    /// <summary>A class for each, for a model that knows classes; null for a model that does not.</summary>
    public IReadOnlyList<long>? Labels { get; init; }

    /// <summary>w of classifier-free guidance towards the classes; 1 is none.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>Steps of the model's scheduler.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>Decides the noise: picture i is the same whatever the number of pictures.</summary>
    public long Seed { get; init; }

    /// <summary>Number of the first picture, where many are made in several requests.</summary>
    public long First { get; init; }
}

/// <summary>
/// Pictures from noise, or from noise and a class, by a model in the diffusers layout: a U-Net (<c>DDPMPipeline</c>, <c>DDIMPipeline</c>,
/// <c>ScoreSdeVePipeline</c>, ...) or a diffusion transformer (<c>DiTPipeline</c>), over pictures or over the codes of an autoencoder (<c>LDMPipeline</c>).
/// </summary>
public sealed class LabelToImage : IDisposable
{
    private readonly Network network;
    private readonly PictureCodec? codec;
    private readonly int channels, height, width;
    private readonly long? classes;

    private LabelToImage(Network network, PictureCodec? codec, DiffusersScheduler scheduler, IReadOnlyDictionary<string, long> names)
    {
        (Network, this.codec, Scheduler, Names) = (network, codec, scheduler, names);
        (channels, height, width, classes, int given) = network switch
        {
            UNet2D { Config: { SampleSize: { } size } c } => (c.InChannels, size[0], size[^1], c.NumClassEmbeds, c.OutChannels),
            DiffusionTransformer { Config: var c } => (c.InChannels, c.SampleSize, c.SampleSize, c.NumEmbedsAdaNorm, c.OutChannels ?? c.InChannels),
            _ => throw new InvalidDataException("A U-Net that makes pictures must have a sample_size."),
        };
        if (codec is not null && codec.Channels != channels) throw new InvalidDataException($"The network denoises {channels} channels, and the autoencoder's codes have {codec.Channels}.");
        // A learned variance that the scheduler does not read.
        this.network = given > channels && scheduler.Compose(1).Variance is null ? new FirstChannels(network) : network;
    }

    /// <summary>The network that denoises.</summary>
    public Network Network { get; }

    /// <summary>How the model is sampled; another may take its place.</summary>
    public DiffusersScheduler Scheduler { get; set; }

    /// <summary>The classes' names with their labels; empty where the folder has none.</summary>
    public IReadOnlyDictionary<string, long> Names { get; }

    /// <summary>Number of classes; null where the model knows none.</summary>
    public long? Classes => classes;

    /// <summary>Reads a folder.</summary>
    /// <exception cref="DirectoryNotFoundException">No such folder.</exception>
    /// <exception cref="InvalidDataException">A part is missing, damaged or of another architecture.</exception>
    public static LabelToImage Load(string path, LoadOptions? options = null)
    {
        options ??= new();
        var folder = ModelFolder.Open(path);
        foreach (string needed in (string[])[folder.DenoisingPart, "scheduler"])
            if (!folder.Parts.ContainsKey(needed)) throw new InvalidDataException($"'{path}' is a {folder.ClassName} without a part '{needed}'.");
        if (folder.Parts.Keys.FirstOrDefault(p => p.StartsWith("text_encoder", StringComparison.Ordinal)) is { } text) throw new InvalidDataException($"'{path}' has a part '{text}': it makes pictures from prompts.");
        var scheduler = DiffusersScheduler.Parse(folder.Config("scheduler", "scheduler_config.json"));
        Network? network = null;
        PictureCodec? codec = null;
        try
        {
            network = folder.LoadDenoisingNetwork(options.Type);
            if (folder.Parts.Keys.FirstOrDefault(p => p is "vae" or "vqvae") is { } coder) codec = PictureCodec.Load(folder, coder, options.Type);
            if (codec is not null) codec.TileSize = options.TileSize;
            return new(network, codec, scheduler, folder.Labels());
        }
        catch
        {
            network?.Dispose();
            codec?.Dispose();
            throw;
        }
    }

    /// <summary>Makes pictures, [N, channels, height, width] in [−1, 1]; the caller's.</summary>
    /// <param name="request">Which.</param>
    /// <param name="progress">Told the share of the steps that is done.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <exception cref="ArgumentException">A class that the model does not know, classes for a model without, or none for one with.</exception>
    public Tensor Generate(LabelToImageRequest request, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        int count = request.Labels?.Count ?? request.Count;
        if (count < 1) throw new ArgumentOutOfRangeException(nameof(request), count, "At least one picture must be wanted.");
        if (request.Labels is null != classes is null) throw new ArgumentException(classes is null ? "This model knows no classes." : $"This model makes pictures of classes: give one of 0 to {classes - 1} for each.", nameof(request));
        if (request.Labels?.FirstOrDefault(l => l < 0 || l >= classes, 0) is { } wrong and not 0) throw new ArgumentOutOfRangeException(nameof(request), wrong, $"The classes are 0 to {classes - 1}.");
        using var still = no_grad();
        using var scope = NewDisposeScope();
        var composition = Scheduler.Compose(request.Steps);
        var noise = new SeededNoise(request.Seed, request.First);
        var start = noise.Next(empty(count, channels, height, width)).mul_(composition.InitialStd);
        var condition = request.Labels is { } labels ? Condition.OfLabel(tensor(labels.ToArray())) : Condition.None;
        Tensor? result = null;
        foreach (var step in composition.Sampler.Steps(composition.Denoiser(network).Guided(request.Guidance), start, composition.Grid, condition, noise, cancellation))
        {
            result = step.X;
            progress?.Invoke((step.Index + 1.0) / step.Count);
        }
        using (result) return (codec is null ? result!.clamp(-1, 1) : codec.Decode(result!)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Network.Dispose();
        codec?.Dispose();
    }

    /// <summary>A network without the channels of its answer that its input does not have.</summary>
    private sealed class FirstChannels : Network
    {
        private readonly Network inner;

        public FirstChannels(Network inner) : base(nameof(FirstChannels))
        {
            this.inner = inner;
            RegisterComponents();
        }

        public override Tensor forward(Tensor x, Tensor noise, Condition condition)
        {
            using var all = inner.call(x, noise, condition);
            return all.narrow(1, 0, x.size(1));
        }
    }
}
