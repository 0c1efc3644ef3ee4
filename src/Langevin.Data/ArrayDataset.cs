using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>A set held in memory as one tensor: uint8 images, or float32 items of any shape.</summary>
/// <remarks>
/// Batches are collated in managed code, not by tensor operations: a loader's worker threads must not each wake a team of
/// OpenMP threads beside the training step's own.
/// </remarks>
public sealed class ArrayDataset : IDataset, IDisposable
{
    private static readonly float[] FromByte = [.. Enumerable.Range(0, 256).Select(b => b / 127.5f - 1)];
    private readonly Tensor items, start;
    private readonly Tensor? labels;
    private readonly long[]? labelValues;
    private readonly bool bytes;
    private readonly int width; // elements of one item

    /// <summary>Wraps tensors; the set owns them from now on (they leave any dispose scope).</summary>
    /// <param name="name">A short name.</param>
    /// <param name="items">uint8 [N, C, H, W], read as 0..255 → [−1, 1]; or float32 [N, ...], given out as it is. On the CPU.</param>
    /// <param name="labels">int64 [N] in 0..K−1, or null.</param>
    /// <param name="classNames">K names; null means "0", "1", ... up to the largest label.</param>
    /// <exception cref="ArgumentException">Shapes or element types do not fit, or a label has no class.</exception>
    public ArrayDataset(string name, Tensor items, Tensor? labels = null, IReadOnlyList<string>? classNames = null)
    {
        if (items.dim() < 2 || items.numel() == 0) throw new ArgumentException($"Items have shape [{string.Join(", ", items.shape)}]: expected [N, ...] with at least one element.", nameof(items));
        if (items.dtype is not (ScalarType.Byte or ScalarType.Float32)) throw new ArgumentException($"Items are {items.dtype}: expected uint8 (images) or float32.", nameof(items));
        if (items.dtype is ScalarType.Byte && items.dim() != 4) throw new ArgumentException($"uint8 items have shape [{string.Join(", ", items.shape)}]: expected images [N, C, H, W].", nameof(items));
        if (items.device_type != TorchSharp.DeviceType.CPU) throw new ArgumentException($"Items are on {items.device}: expected the CPU.", nameof(items));
        if (items.shape[0] > int.MaxValue) throw new ArgumentException($"{items.shape[0]} items are more than {int.MaxValue}.", nameof(items));
        Name = name;
        Count = (int)items.shape[0];
        ItemShape = items.shape[1..];
        ClassNames = [];
        if (labels is not null)
        {
            if (labels.dtype != ScalarType.Int64 || labels.dim() != 1 || labels.shape[0] != Count)
                throw new ArgumentException($"Labels are {labels.dtype} [{string.Join(", ", labels.shape)}]: expected int64 [{Count}].", nameof(labels));
            using var smallest = labels.min();
            using var largest = labels.max();
            long low = smallest.item<long>(), high = largest.item<long>();
            ClassNames = classNames ?? [.. Enumerable.Range(0, (int)Math.Clamp(high + 1, 0, 1_000_000)).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture))];
            if (low < 0 || high >= ClassNames.Count) throw new ArgumentException($"Labels lie in {low}..{high}: expected 0..{ClassNames.Count - 1}.", nameof(labels));
        }
        bytes = items.dtype is ScalarType.Byte;
        width = checked((int)(items.numel() / Count));
        this.items = (items.is_contiguous() ? items : items.contiguous()).DetachFromDisposeScope();
        if (!ReferenceEquals(this.items, items)) items.Dispose();
        start = this.items.narrow(0, 0, 1).DetachFromDisposeScope();
        this.labels = labels?.DetachFromDisposeScope();
        labelValues = labels?.data<long>().ToArray();
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public long[] ItemShape { get; }

    /// <inheritdoc/>
    public int ClassCount => ClassNames.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> ColumnNames { get; init; } = [];

    /// <inheritdoc/>
    public string Kind { get; init; } = "array";

    /// <summary>The items as they are held: uint8 [N, C, H, W] or float32 [N, ...]. Not to be disposed or changed.</summary>
    public Tensor Items => items;

    /// <summary>int64 [N], or null. Not to be disposed or changed.</summary>
    public Tensor? Labels => labels;

    /// <inheritdoc/>
    public Batch Get(ReadOnlySpan<long> indices, long seed)
    {
        foreach (long i in indices)
            if (i < 0 || i >= Count) throw new ArgumentOutOfRangeException(nameof(indices), i, $"{Name} has items 0..{Count - 1}.");
        var samples = empty([indices.Length, .. ItemShape], ScalarType.Float32);
        var target = MemoryMarshal.Cast<byte, float>(samples.bytes);
        ref byte first = ref MemoryMarshal.GetReference(start.bytes);
        for (int i = 0; i < indices.Length; i++)
        {
            // All items together may exceed what one span can hold; each by itself does not.
            int size = bytes ? width : width * sizeof(float);
            var item = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref first, (nint)indices[i] * size), size);
            var row = target.Slice(i * width, width);
            if (bytes)
                for (int j = 0; j < row.Length; j++) row[j] = FromByte[item[j]];
            else
                MemoryMarshal.Cast<byte, float>(item).CopyTo(row);
        }
        GC.KeepAlive(items);
        return new(samples, labelValues is null ? null : tensor(Chosen(labelValues, indices)));
    }

    private static long[] Chosen(long[] values, ReadOnlySpan<long> indices)
    {
        var chosen = new long[indices.Length];
        for (int i = 0; i < chosen.Length; i++) chosen[i] = values[indices[i]];
        return chosen;
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        start.Dispose();
        items.Dispose();
        labels?.Dispose();
    }
}
