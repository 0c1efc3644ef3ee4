using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>Draws many small images in parallel into one buffer that becomes a tensor without a copy.</summary>
internal static class Render
{
    public delegate void Draw<in T>(T canvas, int item, Span<byte> target);

    /// <summary>uint8 [count, channels, size, size], item i drawn by <paramref name="draw"/> with a canvas of its thread's own.</summary>
    public static Tensor Images<T>(string name, int count, int channels, int size, Func<T> canvas, Draw<T> draw)
    {
        int bytes = channels * size * size, most = Array.MaxLength / bytes;
        if (count < 1 || count > most) throw new ArgumentOutOfRangeException(nameof(count), count, $"'{name}' can have 1 to {most} items.");
        var buffer = GC.AllocateUninitializedArray<byte>(count * bytes);
        const int block = 64;
        Parallel.For(0, (count + block - 1) / block, canvas, (b, _, own) =>
        {
            for (int i = b * block; i < Math.Min(count, (b + 1) * block); i++)
                draw(own, i, buffer.AsSpan(i * bytes, bytes));
            return own;
        }, _ => { });
        using var flat = frombuffer(buffer, ScalarType.Byte);
        return flat.view(count, channels, size, size);
    }

    /// <summary>int64 [count]: the classes of items that take turns, first mod K, (first + 1) mod K, ....</summary>
    public static Tensor Turns(long first, int count, int classes)
    {
        using var numbers = arange(first, first + count, ScalarType.Int64);
        return numbers.remainder(classes);
    }
}
