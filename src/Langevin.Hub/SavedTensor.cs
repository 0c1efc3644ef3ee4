using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>The bytes that one or more saved tensors look into.</summary>
internal sealed class Storage(string key, SavedType type, long elements)
{
    private byte[]? bytes;

    public string Key => key;
    public SavedType Type => type;
    public ReadOnlySpan<byte> Bytes => bytes ?? throw new InvalidDataException($"storage '{key}' is missing");

    /// <summary>Takes the bytes once their number is known to be right.</summary>
    public void Fill(long length, Func<byte[]> read)
    {
        if (elements < 0 || length != checked(elements * type.Size)) throw new InvalidDataException($"storage '{key}' has {length} bytes where {elements} elements of {type.Size} were declared");
        bytes = read();
    }
}

/// <summary>An element type by the name of PyTorch's storage class.</summary>
internal sealed record SavedType(string Name, ScalarType Type, int Size)
{
    private static readonly SavedType[] All =
    [
        new("FloatStorage", ScalarType.Float32, 4), new("DoubleStorage", ScalarType.Float64, 8), new("HalfStorage", ScalarType.Float16, 2),
        new("BFloat16Storage", ScalarType.BFloat16, 2), new("LongStorage", ScalarType.Int64, 8), new("IntStorage", ScalarType.Int32, 4),
        new("ShortStorage", ScalarType.Int16, 2), new("CharStorage", ScalarType.Int8, 1), new("ByteStorage", ScalarType.Byte, 1), new("BoolStorage", ScalarType.Bool, 1),
    ];

    public static SavedType? Named(string name) => Array.Find(All, t => t.Name == name);
}

/// <summary>A strided view of a storage.</summary>
internal sealed record SavedTensor(Storage Storage, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>A tensor of its own with these values.</summary>
    public Tensor ToTensor()
    {
        if (Shape.Length != Strides.Length || Shape.Any(s => s < 0) || Strides.Any(s => s < 0) || Offset < 0) throw new InvalidDataException("a tensor with a negative size");
        long count = Shape.Aggregate(1L, (a, b) => checked(a * b)), last = Offset;
        for (int d = 0; d < Shape.Length; d++) last = checked(last + Math.Max(0, Shape[d] - 1) * Strides[d]);
        int size = Storage.Type.Size;
        if (count > 0 && checked((last + 1) * size) > Storage.Bytes.Length) throw new InvalidDataException("a tensor reaches beyond its storage");
        using var scope = NewDisposeScope();
        if (count == 0) return empty(Shape, Storage.Type.Type).MoveToOuterDisposeScope();
        long span = last + 1 - Offset;
        var flat = empty(span, Storage.Type.Type);
        Storage.Bytes.Slice(checked((int)(Offset * size)), checked((int)(span * size))).CopyTo(flat.bytes);
        return flat.as_strided(Shape, Strides).contiguous().clone().MoveToOuterDisposeScope();
    }
}

/// <summary>A saved dictionary, in order.</summary>
internal sealed class SavedDictionary
{
    public List<(object? Key, object? Value)> Items { get; } = [];
}
