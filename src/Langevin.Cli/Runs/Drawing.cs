using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Hub;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Runs;

/// <summary>How samples are drawn from a model; what is null takes the model's own default.</summary>
internal sealed record DrawOptions
{
    public string? Sampler { get; init; }
    public int? Steps { get; init; }
    public string? Grid { get; init; }
    public double? Guidance { get; init; }
    public Steering Steering { get; init; } = new();
    public long Seed { get; init; }
    public int BatchSize { get; init; } = 64;
}

/// <summary>Draws samples from a model batch by batch.</summary>
internal static class Drawing
{
    /// <summary>Draws samples on the model's device, gathered on the host.</summary>
    /// <param name="model">The model.</param>
    /// <param name="labels">The class of each sample, −1 for none; null for an unconditional model.</param>
    /// <param name="count">Number of samples.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told after each step: the share done.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <returns>float32 [count, ...], the caller's.</returns>
    public static Tensor Draw(DiffusionModel model, long[]? labels, int count, DrawOptions options, Action<double>? progress = null, CancellationToken cancellation = default) =>
        Draw(model, labels, count, options, out _, progress, cancellation);

    /// <summary>The same, with the number of denoiser evaluations that a sample took (guidance counts once).</summary>
    public static Tensor Draw(DiffusionModel model, long[]? labels, int count, DrawOptions options, out int evaluations, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        var (sampler, grid) = model.Formulation.Sampling(options.Sampler, options.Steps ?? model.Description.SamplingSteps, options.Grid);
        double guidance = options.Guidance ?? model.Description.Guidance;
        IDenoiser denoiser = model.Denoiser;
        if (guidance != 1 && labels is not null) denoiser = options.Steering.Apply(denoiser, guidance, sampler);
        if (model.Description.ItemShape.Count == 3 && model.Formulation.ClipsSamples) denoiser = denoiser.Clamped();
        var device = model.Network.parameters().First().device;
        (var samples, evaluations) = Batches.Draw((first, length) => new(denoiser, sampler, labels is null ? Condition.None : Condition.OfLabel(tensor(labels.AsSpan(first, length).ToArray(), device: device))),
            count, options.BatchSize, model.Description.ItemShape, grid, options.Seed, device, progress, cancellation);
        return samples;
    }

    /// <summary>The classes in turn: 0, 1, ..., K−1, 0, ...; null for an unconditional model.</summary>
    public static long[]? InTurn(DiffusionModel model, int count)
    {
        int classes = model.Description.ClassNames.Count;
        return classes == 0 ? null : [.. Enumerable.Range(0, count).Select(i => (long)(i % classes))];
    }
}
