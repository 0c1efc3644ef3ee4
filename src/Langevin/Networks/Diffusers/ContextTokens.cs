using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>The tokens that a network attends to, from the slots of a condition.</summary>
internal static class ContextTokens
{
    /// <summary>[N, L, width].</summary>
    public static Tensor Of(Condition condition, long width, Tensor x, string network)
    {
        var context = condition[UNet2DCondition.ContextSlot] ?? throw new ArgumentException($"{network}: the condition has no slot '{UNet2DCondition.ContextSlot}': give tokens [N, L, {width}].", nameof(condition));
        if (context.dim() != 3 || context.size(0) != x.size(0) || context.size(2) != width)
            throw new ArgumentException($"{network}: the tokens are [{string.Join(", ", context.shape)}], expected [{x.size(0)}, L, {width}].", nameof(condition));
        return context.to(x.dtype);
    }

    /// <summary>What is added to their logits, [N, 1, 1, L]: a large negative number where a token is not to be read; null for nothing.</summary>
    public static Tensor? Bias(Condition condition, Tensor x) =>
        condition[UNet2DCondition.MaskSlot] is { } mask ? ((1 - mask.to(x.dtype)) * -10_000).unsqueeze(1).unsqueeze(1) : null;
}
