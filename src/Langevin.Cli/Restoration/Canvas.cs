using System.CommandLine;
using Langevin.Cli.Commands;
using Langevin.Cli.Runs;
using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Hub;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>The options that restoring and editing share.</summary>
internal sealed class CanvasOptions
{
    private readonly string folder;

    /// <summary>The options, with what differs in words.</summary>
    /// <param name="input">What <c>--in</c> is.</param>
    /// <param name="required">Whether it must be given.</param>
    /// <param name="mask">What <c>--mask</c> is.</param>
    /// <param name="steps">What <c>--steps</c> is when not given.</param>
    /// <param name="folder">Name of the folder beside the model that is written to by default.</param>
    public CanvasOptions(string input, bool required, string mask, string steps, string folder)
    {
        this.folder = folder;
        Input = new("--in", "-i") { Description = input, Required = required };
        Mask = new("--mask", "-m") { Description = mask };
        Steps = new("--steps") { Description = $"Sampling steps; {steps} by default." };
        Out = Options.Out($"Folder to write to; by default '{folder}' beside the model.");
    }

    public Argument<string> Model { get; } = new("model") { Description = "A model folder, or a run's folder." };
    public Option<string?> Input { get; }
    public Option<string?> Mask { get; }
    public Option<int?> Steps { get; }
    public Option<int> Samples { get; } = new("--samples", "-n") { Description = "Answers to draw for each picture.", DefaultValueFactory = _ => 4 };
    public Option<string?> Label { get; } = new("--class", "-c") { Description = "A class by name or number; none by default." };
    public Option<double?> Guidance { get; } = new("--guidance", "-g") { Description = "Classifier-free guidance scale; 1 for none." };
    public Option<long> Seed { get; } = Options.Seed();
    public Option<string> DeviceName { get; } = Options.DeviceName();
    public Option<int?> Threads { get; } = Options.Threads();
    public Option<bool> Json { get; } = Options.Json();
    public Option<string?> Out { get; }

    /// <summary>A command with these options around its own.</summary>
    public Command Command(string name, string description, params Option[] own)
    {
        var command = new Command(name, description) { Model };
        foreach (var option in (Option[])[.. own, Input, Mask, Steps, Samples, Label, Guidance, Seed, DeviceName, Threads, Json, Out]) command.Add(option);
        return command;
    }

    /// <summary>Checks what was given and loads the model.</summary>
    public Canvas Open(ParseResult parsed)
    {
        Options.UseThreads(parsed.GetValue(Threads));
        int samples = Options.Positive(parsed.GetValue(Samples), "--samples");
        if (parsed.GetValue(Steps) is { } steps) Options.Positive(steps, "--steps");
        string path = parsed.GetValue(Model)!;
        return new(path, DiffusionModel.Load(path, Options.Resolve(parsed.GetValue(DeviceName)!)), parsed.GetValue(Mask))
        {
            Samples = samples, Steps = parsed.GetValue(Steps), Label = parsed.GetValue(Label), Guidance = parsed.GetValue(Guidance), Seed = parsed.GetValue(Seed),
            Json = parsed.GetValue(Json), Target = parsed.GetValue(Out) ?? Path.Combine(path, folder),
        };
    }
}

/// <summary>A model of pictures at work, as restoring and editing use it.</summary>
internal sealed class Canvas : IDisposable
{
    private const int BatchSize = 32;

    public Canvas(string folder, DiffusionModel model, string? mask)
    {
        (Folder, Model) = (folder, model);
        var shape = model.Description.ItemShape;
        try
        {
            if (shape.Count != 3) throw new ArgumentException($"This model makes samples of shape [{string.Join(", ", shape)}], not pictures.");
            (Channels, Height, Width) = (shape[0], shape[1], shape[2]);
            Mask = mask is null ? null : Pictures.Mask(mask, Height, Width).DetachFromDisposeScope();
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public string Folder { get; }
    public DiffusionModel Model { get; }
    public long Channels { get; }
    public long Height { get; }
    public long Width { get; }

    /// <summary>The side that a picture is scaled and cut to, where the model's pictures are square.</summary>
    public int? Side => Height == Width ? (int)Height : null;

    /// <summary>bool [H, W], where one was given.</summary>
    public Tensor? Mask { get; }

    public required int Samples { get; init; }
    public required int? Steps { get; init; }
    public required string? Label { get; init; }
    public required double? Guidance { get; init; }
    public required long Seed { get; init; }
    public required bool Json { get; init; }

    /// <summary>The folder to write to.</summary>
    public required string Target { get; init; }

    public Device Device => Model.Network.parameters().First().device;

    /// <summary>The model's denoiser, guided if asked for and not yet clamped.</summary>
    public IDenoiser Prior => Label is not (null or "none") && (Guidance ?? Model.Description.Guidance) is var w and not 1 ? Model.Denoiser.Guided(w) : Model.Denoiser;

    /// <summary>Draws pictures by what a function makes of the first picture of a batch and its length.</summary>
    /// <returns>[count, C, H, W] on the host, the caller's; and the evaluations for each.</returns>
    public (Tensor Pictures, int Evaluations) Draw(Func<int, int, (IDenoiser Denoiser, Sampler Sampler)> method, int count, int steps, Action<double> progress, CancellationToken cancellation)
    {
        var labels = Label is not null || Model.Description.ClassNames.Count > 0 ? SampleCommand.Labels(Model, Label ?? "none", 1) : null;
        var device = Device;
        return Batches.Draw((first, length) =>
        {
            var (denoiser, sampler) = method(first, length);
            return new(denoiser, sampler, labels is null ? Condition.None : Condition.OfLabel(full([length], labels[0], ScalarType.Int64, device)));
        }, count, BatchSize, Model.Description.ItemShape, Model.Formulation.Sampling("ddim", steps).Grid, Seed, device, progress, cancellation);
    }

    public void Dispose()
    {
        Mask?.Dispose();
        Model.Dispose();
    }
}
