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
}
