using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>
/// Which of a sample's known values are given and which are to be filled in, when a model learns from samples that are themselves incomplete (Tashiro et
/// al. 2021, section 4.3): of every mask 0/1 [N, ...] of what is known, the part that is given. What is known and not given is judged.
/// </summary>
public static class SelfMasking
{
    /// <summary>A share of each sample's known values, drawn evenly from [0, 1], is held back at random: serves any pattern of gaps.</summary>
    /// <param name="known">[N, ...], floating.</param>
    public static Tensor Random(Tensor known)
    {
        ArgumentNullException.ThrowIfNull(known);
        using var scope = NewDisposeScope();
        var flat = known.flatten(1);
        var heldBack = (flat.sum(1, keepdim: true) * rand([flat.shape[0], 1], flat.dtype, flat.device)).round();
        // Unknown values have key −1, so that the first ranks are all known ones.
        var key = where(flat.gt(0), rand_like(flat), -1);
        var rank = key.argsort(1, descending: true).argsort(1);
        return (flat * rank.ge(heldBack).to(flat.dtype)).view(known.shape).MoveToOuterDisposeScope();
    }

    /// <summary>What is also known of the sample before it in the batch: gaps as they occur, where they have a pattern.</summary>
    /// <param name="known">[N, ...].</param>
    public static Tensor Historical(Tensor known)
    {
        ArgumentNullException.ThrowIfNull(known);
        return WrappedTensorDisposeScope(() => known * known.roll(1, 0));
    }

    /// <summary>One or the other, for each sample by a fair coin.</summary>
    /// <param name="known">[N, ...], floating.</param>
    public static Tensor Mixed(Tensor known)
    {
        ArgumentNullException.ThrowIfNull(known);
        return WrappedTensorDisposeScope(() =>
            where((rand(known.shape[0], device: known.device) < 0.5).view([-1, .. Enumerable.Repeat(1L, (int)known.dim() - 1)]), Random(known), Historical(known)));
    }
}
