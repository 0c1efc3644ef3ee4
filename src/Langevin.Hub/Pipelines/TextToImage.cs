using Langevin.Guidance;
using Langevin.Hub.Schedulers;
using Langevin.Networks;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>What pictures are wanted.</summary>
public sealed record TextToImageRequest
{
    /// <summary>One prompt a picture.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>What is not wanted, for all pictures.</summary>
    public string Negative { get; init; } = "";

    /// <summary>w of classifier-free guidance; 1 is none.</summary>
    public double Guidance { get; init; } = 7.5;

    /// <summary>Steps of the model's scheduler.</summary>
    public int Steps { get; init; } = 25;

    /// <summary>Decides the noise: picture i is the same whatever the number of pictures.</summary>
    public long Seed { get; init; }

    /// <summary>Number of the first picture, where many are made in several requests.</summary>
    public long First { get; init; }

    /// <summary>Height in pixels; null for what the model was made for.</summary>
    public int? Height { get; init; }

    /// <summary>Width in pixels; null for what the model was made for.</summary>
    public int? Width { get; init; }

    /// <summary>How many of the text model's last layers are left out.</summary>
    public int ClipSkip { get; init; }

    /// <summary>Whether prompts that are too long are read in stretches; otherwise they are an error.</summary>
    public bool Chunks { get; init; }
}

/// <summary>Pictures from prompts by a model in the diffusers layout: Stable Diffusion 1, 2 or XL.</summary>
public sealed class TextToImage : IDisposable
{
    private readonly bool zeroNegative;

    private TextToImage(PromptEncoder prompts, UNet2DCondition unet, AutoencoderKL autoencoder, DiffusersScheduler scheduler, bool zeroNegative) =>
        (Prompts, UNet, Autoencoder, Scheduler, this.zeroNegative) = (prompts, unet, autoencoder, scheduler, zeroNegative);

    /// <summary>The text models.</summary>
    public PromptEncoder Prompts { get; }

    /// <summary>The network that denoises codes.</summary>
    public UNet2DCondition UNet { get; }

    /// <summary>Codes to pictures.</summary>
    public AutoencoderKL Autoencoder { get; }

    /// <summary>How the model is sampled; another may take its place.</summary>
    public DiffusersScheduler Scheduler { get; set; }

    /// <summary>How much smaller than a picture its code is.</summary>
    public int Factor => 1 << Autoencoder.Config.BlockOutChannels.Count - 1;

    /// <summary>Reads a folder.</summary>
    /// <exception cref="DirectoryNotFoundException">No such folder.</exception>
    /// <exception cref="InvalidDataException">A part is missing, damaged or of another architecture.</exception>
    public static TextToImage Load(string path)
    {
        var folder = ModelFolder.Open(path);
        foreach (string part in (string[])["unet", "vae", "scheduler"])
            if (!folder.Parts.ContainsKey(part)) throw new InvalidDataException($"'{path}' is a {folder.ClassName} without a part '{part}': it makes no pictures from prompts.");
        var scheduler = DiffusersScheduler.Parse(folder.Config("scheduler", "scheduler_config.json"));
        PromptEncoder? prompts = null;
        UNet2DCondition? unet = null;
        AutoencoderKL? autoencoder = null;
        try
        {
            unet = new(UNet2DConditionConfig.Parse(folder.Config("unet")));
            autoencoder = new(AutoencoderKLConfig.Parse(folder.Config("vae")));
            prompts = PromptEncoder.Load(folder);
            if (prompts.IsDouble != (unet.Config.AdditionEmbedType == "text_time")) throw new InvalidDataException($"'{path}': a U-Net with added conditions goes with two text models, and none without.");
            folder.Load(unet, "unet");
            folder.Load(autoencoder, "vae", DiffusersKeys.Modern);
            return new(prompts, unet, autoencoder, scheduler, folder.Flag("force_zeros_for_empty_prompt"));
        }
        catch
        {
            prompts?.Dispose();
            unet?.Dispose();
            autoencoder?.Dispose();
            throw;
        }
    }

    /// <summary>Adds low-rank changes to all parts that they concern; disposing the result takes them back. Several go one after another, back in the opposite order.</summary>
    /// <param name="lora">The changes, which may be disposed afterwards.</param>
    /// <param name="scale">What they are multiplied by.</param>
    /// <exception cref="InvalidDataException">They were made for another model; nothing is changed then.</exception>
    public IDisposable Apply(LoraWeights lora, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(lora);
        var modules = lora.Parts.ToDictionary(p => p, p => p == "unet" ? UNet : (nn.Module?)Prompts.Model(p) ?? throw new InvalidDataException($"The low-rank changes are also of '{p}', which this model does not have."));
        foreach (var (part, module) in modules) lora.Check(module, part);
        return new Stack([.. modules.Select(m => lora.Apply(m.Value, m.Key, scale))]);
    }

    private sealed class Stack(IDisposable[] applied) : IDisposable
    {
        public void Dispose()
        {
            foreach (var one in applied.Reverse()) one.Dispose();
        }
    }

    /// <summary>Makes pictures, [N, channels, height, width] in [−1, 1]; the caller's.</summary>
    /// <param name="request">Which.</param>
    /// <param name="progress">Told the share of the steps that is done.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <exception cref="ArgumentException">A prompt is too long, or a size does not fit.</exception>
    public Tensor Generate(TextToImageRequest request, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Prompts.Count == 0) throw new ArgumentException("There is no prompt.", nameof(request));
        int side = (UNet.Config.SampleSize?[0] ?? 64) * Factor, multiple = Factor << UNet.Config.BlockOutChannels.Count - 1;
        var (height, width) = (request.Height ?? side, request.Width ?? (UNet.Config.SampleSize is { Count: 2 } s ? s[1] * Factor : side));
        if (height < multiple || width < multiple || height % multiple != 0 || width % multiple != 0)
            throw new ArgumentException($"{width}×{height} pixels do not fit: width and height must be multiples of {multiple}.", nameof(request));
        using var still = no_grad();
        using var scope = NewDisposeScope();
        int count = request.Prompts.Count;
        // Both in as many chunks as the longer needs.
        var all = Prompts.Encode([.. request.Prompts, request.Negative], request.ClipSkip, request.Chunks);
        if (Prompts.IsDouble) all = all.With(UNet2DCondition.NumbersSlot, tensor(new float[] { height, width, 0, 0, height, width }).unsqueeze(0).expand(count + 1, 6));
        var wanted = all.Take(arange(count, ScalarType.Int64));
        var unwanted = all.Take(full(count, (long)count, ScalarType.Int64));
        if (zeroNegative && request.Negative.Length == 0)
            unwanted = unwanted.Map((slot, value) => slot == UNet2DCondition.NumbersSlot ? value : zeros_like(value));

        var composition = Scheduler.Compose(request.Steps);
        var denoiser = composition.Denoiser(UNet);
        if (request.Guidance != 1) denoiser = denoiser.GuidedBy(denoiser.Told(_ => unwanted), request.Guidance);
        var noise = new SeededNoise(request.Seed, request.First);
        var start = noise.Next(empty(count, UNet.Config.InChannels, height / Factor, width / Factor)).mul_(composition.InitialStd);
        Tensor? code = null;
        foreach (var step in composition.Sampler.Steps(denoiser, start, composition.Grid, wanted, noise, cancellation))
        {
            code?.Dispose();
            code = step.X.DetachFromDisposeScope();
            progress?.Invoke((step.Index + 1.0) / step.Count);
        }
        using (code) return Decode(code!).MoveToOuterDisposeScope();
    }

    /// <summary>Pictures of the codes that the U-Net denoises.</summary>
    public Tensor Decode(Tensor code) => WrappedTensorDisposeScope(() => Autoencoder.Decode(code / Autoencoder.Config.ScalingFactor + (Autoencoder.Config.ShiftFactor ?? 0)).clamp(-1, 1));

    /// <inheritdoc/>
    public void Dispose()
    {
        Prompts.Dispose();
        UNet.Dispose();
        Autoencoder.Dispose();
    }
}
