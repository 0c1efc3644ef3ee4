using Langevin.Formulations;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>A U-Net that reads a few words: each is a vector of a table that is learnt with it.</summary>
public sealed class WordUNet : Network
{
    private readonly TorchSharp.Modules.Embedding words;
    private readonly UNet2DCondition unet;

    /// <summary>Slot of the words' numbers, int64 [N, L].</summary>
    public const string Slot = "words";

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="vocabulary">Number of words.</param>
    /// <param name="config">Shape of the U-Net.</param>
    public WordUNet(int vocabulary, UNet2DConditionConfig config) : base(nameof(WordUNet))
    {
        ArgumentNullException.ThrowIfNull(config);
        words = nn.Embedding(vocabulary, config.CrossAttentionDim);
        unet = new(config);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        var numbers = condition[Slot] ?? throw new ArgumentException($"WordUNet: the condition has no slot '{Slot}': give numbers of words, int64 [N, L].", nameof(condition));
        using var scope = NewDisposeScope();
        return unet.call(x, noise, condition.With(UNet2DCondition.ContextSlot, words.call(numbers))).MoveToOuterDisposeScope();
    }

    /// <summary>A small one, attention where its last level is, trained on pictures with their words.</summary>
    /// <param name="trial">Trains and keeps it.</param>
    /// <param name="name">A name for its folder.</param>
    /// <param name="key">What decides what it learns, besides its shape and the plan.</param>
    /// <param name="formulation">How it is set up.</param>
    /// <param name="vocabulary">Number of words.</param>
    /// <param name="widths">Channels of its levels.</param>
    /// <param name="pictures">[N, C, H, W].</param>
    /// <param name="words">int64 [N, L].</param>
    /// <param name="batch">Pictures a step.</param>
    /// <param name="steps">Steps.</param>
    internal static WordUNet Trained(Trial trial, string name, string key, Formulation formulation, int vocabulary, int[] widths, Tensor pictures, Tensor words, int batch, int steps)
    {
        string[] down = [.. widths.Select((_, i) => i == widths.Length - 1 ? "CrossAttnDownBlock2D" : "DownBlock2D")];
        var config = new UNet2DConditionConfig
        {
            InChannels = (int)pictures.size(1),
            OutChannels = (int)pictures.size(1),
            BlockOutChannels = widths,
            DownBlockTypes = down,
            UpBlockTypes = [.. down.Reverse().Select(d => d.Replace("Down", "Up", StringComparison.Ordinal))],
            LayersPerBlock = 1,
            NormNumGroups = 8,
            CrossAttentionDim = 32,
            AttentionHeadDim = [2],
        };
        var times = formulation.Times.Begin(formulation.Process, trial.Seed);
        return trial.Fit(name, key, trial.Seeded(() => new WordUNet(vocabulary, config)), new(steps) { LearningRate = 2e-3 }, (n, step) =>
        {
            var rows = randint(pictures.size(0), [(long)batch], ScalarType.Int64);
            var x0 = pictures.index_select(0, rows);
            return formulation.Objective.Loss(formulation.Denoiser(n), x0, Condition.None.With(Slot, words.index_select(0, rows)), times.Draw(batch, step).Times, randn_like(x0)).mean();
        });
    }
}
