using Langevin.Guidance;
using Langevin.Hub.Schedulers;
using Langevin.Inverse;
using Langevin.Networks;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>
/// Pictures from prompts by a model in the diffusers layout, Stable Diffusion 1, 2, XL or XL's refiner; also models that fill in (a U-Net
/// of 2 codes and a mask) and that enlarge (a code and a small picture).
/// </summary>
public sealed class TextToImage : IDisposable
{
    private const string BesideSlot = "beside";
    private const double Good = 6, Bad = 2.5; // the refiner's scores of beauty, wanted and unwanted (Podell et al. 2023)

    private readonly Part<PromptEncoder> prompts;
    private readonly Part<UNet2DCondition> unet;
    private readonly Part<PictureCodec> codec;
    private readonly DiffusersScheduler? lowScheduler;
    private readonly bool zeroNegative, scored;

    private TextToImage(ModelFolder folder, LoadOptions options)
    {
        Config = UNet2DConditionConfig.Parse(folder.Config("unet"));
        Scheduler = DiffusersScheduler.Parse(folder.Config("scheduler", "scheduler_config.json"));
        if (folder.Parts.ContainsKey("low_res_scheduler")) lowScheduler = DiffusersScheduler.Parse(folder.Config("low_res_scheduler", "scheduler_config.json"));
        (zeroNegative, scored) = (folder.Flag("force_zeros_for_empty_prompt"), folder.Flag("requires_aesthetics_score"));
        bool keeps = !options.Sequential;
        foreach (string part in folder.Parts.Keys.Where(p => p is "unet" or "vae" or "text_encoder" or "text_encoder_2")) folder.WeightFile(part); // before any work
        if (folder.Parts.ContainsKey("text_encoder_2") != (Config.AdditionEmbedType == "text_time")) throw new InvalidDataException($"'{folder.Path}': a U-Net with added conditions goes with XL's text models, and none without.");
        prompts = new(() => PromptEncoder.Load(folder, options.Type), keeps);
        unet = new(() => folder.Load("unet", () => new UNet2DCondition(Config), options.Type), keeps);
        codec = new(() =>
        {
            var read = PictureCodec.Load(folder, "vae", options.Type);
            read.TileSize = options.TileSize;
            return read;
        }, keeps);
        try
        {
            codec.Begin();
            (Factor, CodeChannels, PictureChannels) = (codec.Value.Factor, codec.Value.Channels, codec.Value.PictureChannels);
            codec.Rest();
            prompts.Begin();
            unet.Begin();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The text models.</summary>
    public PromptEncoder Prompts => prompts.Value;

    /// <summary>The network that denoises codes.</summary>
    public UNet2DCondition UNet => unet.Value;

    /// <summary>Codes to pictures and back.</summary>
    public PictureCodec Codec => codec.Value;

    /// <summary>The shape of the U-Net.</summary>
    public UNet2DConditionConfig Config { get; }

    /// <summary>How the model is sampled; another may take its place.</summary>
    public DiffusersScheduler Scheduler { get; set; }

    /// <summary>How much smaller than a picture its code is.</summary>
    public int Factor { get; }

    /// <summary>Channels of a code.</summary>
    public int CodeChannels { get; }

    /// <summary>Channels of a picture.</summary>
    public int PictureChannels { get; }

    /// <summary>Whether the model was made for filling in: its U-Net sees a mask and the rest of the picture.</summary>
    public bool FillsIn => Config.InChannels == 2 * CodeChannels + 1;

    /// <summary>Whether the model enlarges: its U-Net sees a small picture, of the code's size.</summary>
    public bool Enlarges => Config.InChannels == CodeChannels + PictureChannels;

    /// <summary>Height and width must be multiples of this.</summary>
    public int Multiple => Factor << Config.BlockOutChannels.Count - 1;

    /// <summary>Reads a folder.</summary>
    /// <exception cref="DirectoryNotFoundException">No such folder.</exception>
    /// <exception cref="InvalidDataException">A part is missing, damaged or of another architecture.</exception>
    public static TextToImage Load(string path, LoadOptions? options = null)
    {
        var folder = ModelFolder.Open(path);
        foreach (string part in (string[])["unet", "vae", "scheduler"])
            if (!folder.Parts.ContainsKey(part)) throw new InvalidDataException($"'{path}' is a {folder.ClassName} without a part '{part}': it makes no pictures from prompts.");
        return new(folder, options ?? new());
    }

    /// <summary>Adds low-rank changes to all parts that they concern; disposing the result takes them back. Several go one after another, back in the opposite order.</summary>
    /// <param name="lora">The changes; where parts are read when they are needed, they must live as long as the model.</param>
    /// <param name="scale">What they are multiplied by.</param>
    /// <exception cref="InvalidDataException">They were made for another model; nothing is changed then.</exception>
    public IDisposable Apply(LoraWeights lora, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(lora);
        string[] texts = [.. lora.Parts.Where(p => p != "unet")];
        foreach (string part in texts)
            lora.Check(prompts.Value.Model(part) ?? throw new InvalidDataException($"The low-rank changes are also of '{part}', which this model does not have."), part);
        if (lora.Parts.Contains("unet")) lora.Check(unet.Value, "unet");
        var applied = new List<IDisposable>();
        foreach (string part in texts) applied.Add(prompts.Change(p => lora.Apply(p.Model(part)!, part, scale), p => lora.Merge(p.Model(part)!, part, scale)));
        if (lora.Parts.Contains("unet")) applied.Add(unet.Change(u => lora.Apply(u, "unet", scale), u => lora.Merge(u, "unet", scale)));
        return new Ending(() =>
        {
            foreach (var one in applied.AsEnumerable().Reverse()) one.Dispose();
        });
    }

    /// <summary>Teaches the text models a word.</summary>
    /// <param name="word">The word; where parts are read when they are needed, it must live as long as the model.</param>
    /// <exception cref="InvalidDataException">Its vectors do not fit.</exception>
    public void Add(TextualInversion word)
    {
        prompts.Value.Add(word); // whether it fits is seen at once
        _ = prompts.Change(_ => new Ending(() => { }), p => p.Add(word));
    }

    /// <summary>Makes pictures, [N, channels, height, width] in [−1, 1]; the caller's.</summary>
    /// <param name="request">Which.</param>
    /// <param name="progress">Told the share of the steps that is done.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <exception cref="ArgumentException">A prompt is too long, a size does not fit, or the model cannot do what is asked.</exception>
    public Tensor Generate(TextToImageRequest request, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var still = no_grad();
        using var scope = NewDisposeScope();
        var pictures = Decode(Codes(request, progress, cancellation));
        codec.Rest();
        if (request.Mask is { } mask) pictures = mask * pictures + (1 - mask) * request.Picture!;
        return pictures.MoveToOuterDisposeScope();
    }

    /// <summary>The codes of what <see cref="Generate"/> makes, as the U-Net denoises them: also of those left half way (<see cref="TextToImageRequest.Until"/>); the caller's.</summary>
    /// <inheritdoc cref="Generate"/>
    public Tensor Codes(TextToImageRequest request, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        int count = request.Prompts.Count;
        var (height, width) = Size(request);
        Check(request, height, width);
        using var still = no_grad();
        using var scope = NewDisposeScope();
        var noise = new SeededNoise(request.Seed, request.First);
        var (wanted, unwanted) = Texts(request, height, width);
        Tensor Rows(Tensor x) => x.size(0) == count ? x : x.expand([count, .. x.shape[1..]]);
        void Both(string slot, Tensor value) => (wanted, unwanted) = (wanted.With(slot, value), unwanted.With(slot, value));

        var picture = request.Picture is null || Enlarges ? null : Rows(Codec.Encode(request.Picture));
        var hole = request.Mask is { } mask ? Rows(nn.functional.interpolate(mask.to(ScalarType.Float32), [height / Factor, width / Factor], mode: InterpolationMode.Nearest).ge(0.5).to(ScalarType.Float32)) : null;
        if (FillsIn) Both(BesideSlot, cat([hole!, Rows(Codec.Encode(request.Picture! * request.Mask!.lt(0.5).to(ScalarType.Float32)))], 1));
        if (Enlarges)
        {
            var low = lowScheduler!.Compose(1).Process;
            var small = Rows(request.Picture!);
            Both(BesideSlot, low.Alpha(request.NoiseLevel) * small + low.Sigma(request.NoiseLevel) * noise.Next(small.contiguous()));
            Both(Condition.LabelSlot, full(count, (long)request.NoiseLevel, ScalarType.Int64));
        }
        codec.Rest();
        for (int i = 0; i < request.Controls.Count; i++) Both($"{ControlNet.PictureSlot}_{i}", Rows(request.Controls[i].Picture));
        Network network = request.Controls.Count > 0 ? new ControlledUNet(UNet, [.. request.Controls.Select((c, i) => (c.Net, c.Scale, $"{ControlNet.PictureSlot}_{i}"))])
            : FillsIn || Enlarges ? new Beside(UNet, BesideSlot) : UNet;

        bool starts = picture is not null && request.Code is null;
        int walked = starts ? Math.Max(1, Math.Min(request.Steps, (int)(request.Steps * request.Strength))) : request.Steps;
        int Before(double share)
        {
            double cut = Math.Round((Scheduler.Config["num_train_timesteps"]?.GetValue<int>() ?? 1000) * (1 - share));
            return Scheduler.Compose(request.Steps).Timesteps.Count(t => t >= cut);
        }
        int first = request.Code is null ? request.Steps - walked : Before(request.From), last = request.Until < 1 ? Before(request.Until) - first : int.MaxValue;
        var composition = Scheduler.Compose(new SchedulerRequest { Steps = request.Steps, First = first });
        var denoiser = composition.Denoiser(network);
        if (request.Guidance != 1) denoiser = denoiser.GuidedBy(denoiser.Told(_ => unwanted), request.Guidance);
        var sampler = starts && !(FillsIn && walked == request.Steps) ? new SdEdit(picture!, 1, composition.Sampler, FillsIn || hole is null ? null : 1 - hole) : composition.Sampler;
        var start = request.Code is { } code ? Rows(code) : noise.Next(empty(count, CodeChannels, height / Factor, width / Factor)).mul_(composition.InitialStd);
        Tensor? result = null;
        foreach (var step in sampler.Steps(denoiser, start, composition.Grid, wanted, noise, cancellation))
        {
            progress?.Invoke((step.Index + 1.0) / Math.Min(step.Count, last));
            if (step.Index + 1 < Math.Min(step.Count, last)) continue;
            result = step.X.alias();
            step.X.Dispose();
            break;
        }
        unet.Rest();
        return result!.MoveToOuterDisposeScope();
    }

    /// <summary>Pictures of the codes that the U-Net denoises.</summary>
    public Tensor Decode(Tensor code) => Codec.Decode(code);

    /// <inheritdoc/>
    public void Dispose()
    {
        prompts.Dispose();
        unet.Dispose();
        codec.Dispose();
    }

    private (Condition Wanted, Condition Unwanted) Texts(TextToImageRequest request, int height, int width)
    {
        int count = request.Prompts.Count;
        // Both in as many stretches as the longer needs.
        var all = prompts.Value.Encode([.. request.Prompts, request.Negative], request.Reading);
        prompts.Rest();
        var wanted = all.Take(arange(count, ScalarType.Int64));
        var unwanted = all.Take(full(count, (long)count, ScalarType.Int64));
        if (zeroNegative && request.Negative.Length == 0) unwanted = unwanted.Map((_, value) => zeros_like(value));
        if (Config.AdditionEmbedType is null) return (wanted, unwanted);
        Tensor Numbers(double score) => tensor(scored ? new float[] { height, width, 0, 0, (float)score } : [height, width, 0, 0, height, width]).unsqueeze(0).expand(count, scored ? 5 : 6);
        return (wanted.With(UNet2DCondition.NumbersSlot, Numbers(Good)), unwanted.With(UNet2DCondition.NumbersSlot, Numbers(Bad)));
    }

    private (int Height, int Width) Size(TextToImageRequest request)
    {
        int scale = Enlarges ? Factor : 1, side = (Config.SampleSize?[0] ?? 64) * Factor;
        if (request.Code is { } code) return ((int)code.size(2) * Factor, (int)code.size(3) * Factor);
        if (request.Picture is { } picture) return (request.Height ?? (int)picture.size(2) * scale, request.Width ?? (int)picture.size(3) * scale);
        return (request.Height ?? side, request.Width ?? (Config.SampleSize is { Count: 2 } s ? s[1] * Factor : side));
    }

    private void Check(TextToImageRequest request, int height, int width)
    {
        int count = request.Prompts.Count;
        if (count == 0) throw new ArgumentException("There is no prompt.", nameof(request));
        if (height < Multiple || width < Multiple || height % Multiple != 0 || width % Multiple != 0)
            throw new ArgumentException($"{width}×{height} pixels do not fit: width and height must be multiples of {Multiple}.", nameof(request));
        if (request.Strength is not (> 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(request), request.Strength, "The strength lies in (0, 1].");
        if (request.Until is not (> 0 and <= 1) || request.From is not (>= 0 and < 1) || request.From >= request.Until) throw new ArgumentException($"From {request.From} until {request.Until} is no part of [0, 1].", nameof(request));
        if (request.Mask is not null && request.Picture is null) throw new ArgumentException("A mask goes with the picture that it is of.", nameof(request));
        if ((FillsIn && request.Mask is null) || (Enlarges && request.Picture is null)) throw new ArgumentException(FillsIn ? "This model fills in: give a picture and a mask." : "This model enlarges: give a picture.", nameof(request));
        if (Enlarges && (request.Mask is not null || lowScheduler is null)) throw new ArgumentException(lowScheduler is null ? "This model enlarges, but its folder has no low_res_scheduler." : "A model that enlarges takes no mask.", nameof(request));
        if (Enlarges && !(request.NoiseLevel >= 0 && request.NoiseLevel < (Config.NumClassEmbeds ?? 0))) throw new ArgumentOutOfRangeException(nameof(request), request.NoiseLevel, $"The noise level lies in 0 to {Config.NumClassEmbeds - 1}.");
        if (request.Controls.Count > 0 && (FillsIn || Enlarges)) throw new ArgumentException("A ControlNet steers a model whose U-Net sees a code alone.", nameof(request));
        int scale = Enlarges ? Factor : 1;
        Shaped(request.Picture, PictureChannels, height / scale, width / scale, "picture");
        Shaped(request.Mask, 1, height, width, "mask");
        foreach (var control in request.Controls) Shaped(control.Picture, control.Net.Config.ConditioningChannels, height, width, "picture that steers");

        void Shaped(Tensor? x, long channels, int h, int w, string what)
        {
            if (x is not null && !(x.dim() == 4 && (x.size(0) == 1 || x.size(0) == count) && x.size(1) == channels && x.size(2) == h && x.size(3) == w))
                throw new ArgumentException($"The {what} is [{string.Join(", ", x.shape)}], expected [1 or {count}, {channels}, {h}, {w}].", nameof(request));
        }
    }
}
