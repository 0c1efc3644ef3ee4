using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>The bytes that one or more saved tensors look into, as one tensor of one dimension.</summary>
internal sealed class Storage(string key, SavedType type, long elements)
{
    private Tensor? all;

    public string Key => key;
    public SavedType Type => type;
    public Tensor All => all ?? throw new InvalidDataException($"storage '{key}' is missing");

    /// <summary>Takes the bytes once their number is known to be right.</summary>
    /// <param name="length">How many there are.</param>
    /// <param name="stream">Gives them.</param>
    public void Fill(long length, Stream stream)
    {
        if (elements < 0 || length != checked(elements * type.Size)) throw new InvalidDataException($"storage '{key}' has {length} bytes where {elements} elements of {type.Size} were declared");
        if (length > int.MaxValue) throw new InvalidDataException($"storage '{key}' has {length} bytes: more than 2 GiB are not read at once");
        all = empty(elements, type.Type);
        if (elements > 0) stream.ReadExactly(all.bytes);
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
    public const int MostDimensions = 64;

    /// <summary>The tensor: tensors of one storage share its memory, unless this one's elements do not lie one after another.</summary>
    /// <param name="room">How many bytes may still be copied; what is copied is taken off.</param>
    public Tensor ToTensor(ref long room)
    {
        if (Shape.Length != Strides.Length || Shape.Length > MostDimensions || Shape.Any(s => s < 0) || Strides.Any(s => s < 0) || Offset < 0) throw new InvalidDataException("a tensor with a negative size");
        _ = Shape.Aggregate((long)Storage.Type.Size, (a, b) => checked(a * Math.Max(b, 1))); // libtorch counts strides so
        long count = Shape.Aggregate(1L, (a, b) => a * b), last = Offset;
        if (count == 0) return empty(Shape, Storage.Type.Type);
        for (int d = 0; d < Shape.Length; d++) last = checked(last + (Shape[d] - 1) * Strides[d]);
        if (last >= Storage.All.numel()) throw new InvalidDataException("a tensor reaches beyond its storage");
        var view = Storage.All.as_strided(Shape, Strides, Offset);
        if (view.is_contiguous()) return view;
        if ((room -= count * Storage.Type.Size) < 0) throw new InvalidDataException("its tensors would be much larger than the file");
        using (view) return view.contiguous();
    }
}

/// <summary>What a pickle fills after it has made it.</summary>
internal interface IBuilt
{
    /// <summary>Takes the state.</summary>
    void Build(object? state);
}

/// <summary>A saved object of which nothing is known but its state.</summary>
internal sealed class SavedObject(object? state) : IBuilt
{
    /// <summary>Its attributes.</summary>
    public SavedDictionary? State { get; private set; } = state as SavedDictionary;

    public void Build(object? state) => State = state as SavedDictionary;

    /// <summary>What a module holds: its parameters, its buffers and its modules by their names; nothing for any other object.</summary>
    public IEnumerable<(object? Key, object? Value)> Content =>
        from attribute in State?.Items ?? []
        where attribute is { Key: "_parameters" or "_buffers" or "_modules", Value: SavedDictionary }
        from item in ((SavedDictionary)attribute.Value!).Items
        select item;
}

/// <summary>A saved dictionary, in order.</summary>
internal sealed class SavedDictionary
{
    public List<(object? Key, object? Value)> Items { get; } = [];
}
