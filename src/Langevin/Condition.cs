using System.Collections.Immutable;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin;

/// <summary>
/// What a denoiser is told besides the noisy sample: an immutable set of named tensors, each with the batch first.
/// </summary>
/// <remarks>
/// <see cref="Null"/> is the unconditional twin that classifier-free guidance needs: the label −1 and zeros elsewhere.
/// Every network must read label −1 as "no class".
/// </remarks>
public sealed class Condition
{
    /// <summary>Slot of class labels: int64 [N], −1 for "no class".</summary>
    public const string LabelSlot = "label";

    private readonly ImmutableSortedDictionary<string, Tensor> slots;

    private Condition(ImmutableSortedDictionary<string, Tensor> slots, AttentionControl? attention = null) => (this.slots, Attention) = (slots, attention);

    /// <summary>The empty condition of an unconditional model.</summary>
    public static Condition None { get; } = new(ImmutableSortedDictionary<string, Tensor>.Empty);

    /// <summary>Class labels, int64 [N], or null when the slot is empty.</summary>
    public Tensor? Label => this[LabelSlot];

    /// <summary>Whether no slot is filled.</summary>
    public bool IsEmpty => slots.Count == 0;

    /// <summary>What takes place in the network's attention layers instead of attention, for guidance by attention; usually null.</summary>
    public AttentionControl? Attention { get; }

    /// <summary>The tensor in a slot, or null.</summary>
    public Tensor? this[string slot] => slots.GetValueOrDefault(slot);

    /// <summary>A condition on class labels.</summary>
    /// <param name="label">int64 [N].</param>
    public static Condition OfLabel(Tensor label) => None.With(LabelSlot, label);

    /// <summary>This condition with one slot filled or replaced.</summary>
    public Condition With(string slot, Tensor value) => new(slots.SetItem(slot, value), Attention);

    /// <summary>This condition with a hold on the network's attention layers.</summary>
    public Condition WithAttention(AttentionControl? control) => new(slots, control);

    /// <summary>A condition whose every tensor is <paramref name="map"/> of this one's.</summary>
    public Condition Map(Func<string, Tensor, Tensor> map) =>
        new(slots.ToImmutableSortedDictionary(s => s.Key, s => map(s.Key, s.Value)), Attention);

    /// <summary>The unconditional condition of the same shape.</summary>
    public Condition Null() => Map(NullOf);

    /// <summary>Replaces the condition of the marked samples by the unconditional one (classifier-free training).</summary>
    /// <param name="dropped">bool [N]: true where the condition is dropped.</param>
    public Condition Drop(Tensor dropped) => Map((slot, value) =>
        where(dropped.view([-1, .. Enumerable.Repeat(1L, (int)value.dim() - 1)]), NullOf(slot, value), value));

    /// <summary>The condition of some samples of the batch.</summary>
    /// <param name="index">int64 [M], indices into the batch.</param>
    public Condition Take(Tensor index) => Map((_, value) => value.index_select(0, index));

    /// <summary>The condition of a batch of <paramref name="count"/>: itself, or its one row repeated.</summary>
    public Condition Rows(long count) => Map((_, value) => value.shape[0] == 1 && count != 1 ? value.expand([count, .. value.shape[1..]]) : value);

    /// <summary>
    /// Between two conditions with the same slots, a + s (b − a) in each: embeddings of prompts, vectors, images. Labels and other integers
    /// have nothing in between; <see cref="Guidance.Between"/> mixes what a denoiser says of them.
    /// </summary>
    /// <exception cref="ArgumentException">The slots differ, or are of integers that differ.</exception>
    public static Condition Lerp(Condition a, Condition b, double share)
    {
        NeedSameSlots(a, b);
        return a.Map((slot, value) =>
        {
            var other = b.slots[slot];
            if (value.is_floating_point()) return value + share * (other - value);
            return value.eq(other).all().item<bool>() ? value
                : throw new ArgumentException($"Slot '{slot}' holds integers, which have nothing in between: mix a denoiser's answers instead (Between).", nameof(b));
        });
    }

    /// <summary>The condition on another device.</summary>
    public Condition To(Device device) => Map((_, value) => value.to(device));

    /// <summary>Joins two conditions with the same slots along the batch.</summary>
    /// <exception cref="ArgumentException">The slots differ.</exception>
    public static Condition Cat(Condition first, Condition second)
    {
        NeedSameSlots(first, second);
        return first.Map((slot, value) => cat([value, second.slots[slot]], 0));
    }

    private static void NeedSameSlots(Condition first, Condition second)
    {
        if (!first.slots.Keys.SequenceEqual(second.slots.Keys))
            throw new ArgumentException($"Conditions fill different slots: [{string.Join(", ", first.slots.Keys)}] and [{string.Join(", ", second.slots.Keys)}].", nameof(second));
    }

    private static Tensor NullOf(string slot, Tensor value) => slot == LabelSlot ? full_like(value, -1) : zeros_like(value);
}
