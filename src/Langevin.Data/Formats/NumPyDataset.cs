using System.Globalization;
using static TorchSharp.torch;

namespace Langevin.Data.Formats;

/// <summary>
/// What an array means as a set. Images: uint8 or bool of 3 dimensions N, H, W or 4 with 1 or 3 channels first or last;
/// floats of these shapes in [−1, 1], [0, 1] or [0, 255]. Everything else is vectors or sequences of float32, as they are.
/// </summary>
public static class NumPyDataset
{
    private static readonly string[] ItemNames = ["x", "images", "data", "arr_0", "samples", "features"], LabelNames = ["y", "labels", "label", "targets", "arr_1"];

    /// <summary>Reads a .npy file, or a .npz file with items ("x", "images", "data", ...) and perhaps labels ("y", "labels", ...), also as "x_train", "y_test", ....</summary>
    /// <exception cref="InvalidDataException">The file is unsound, has no such array, or holds NaN or infinity.</exception>
    public static ArrayDataset Open(string path, DataOptions? options = null)
    {
        options ??= new();
        using var scope = NewDisposeScope();
        string name = Path.GetFileName(path);
        if (!Source.Head(path, 4).AsSpan().StartsWith("PK"u8))
            return new(name, Items(path, Npy.Read(path, options.MaxBytes)).MoveToOuterDisposeScope()) { Kind = "NumPy array" };

        string[] names = Npy.Names(path);
        string split = options.Split ?? (names.Any(n => n.EndsWith("_train", StringComparison.OrdinalIgnoreCase)) ? "train" : "test");
        _ = options.WantsTest;
        string? Find(string[] candidates) => (from c in candidates from n in names where n.Equals($"{c}_{split}", StringComparison.OrdinalIgnoreCase) select n)
            .Concat(from c in candidates from n in names where n.Equals(c, StringComparison.OrdinalIgnoreCase) select n).FirstOrDefault();
        string? itemName = Find(ItemNames) ?? (names.Length == 1 ? names[0] : null), labelName = Find(LabelNames);
        if (itemName is null) throw new InvalidDataException($"{path}: no array of items: expected one called {string.Join(", ", ItemNames)} (or with _train, _test), found {(names.Length == 0 ? "none" : string.Join(", ", names.Take(8)))}");
        var arrays = Npy.ReadZip(path, n => n == itemName || n == labelName, options.MaxBytes);
        var items = Items($"{path} ({itemName})", arrays[itemName]);
        var labels = labelName is null ? null : Labels($"{path} ({labelName})", arrays[labelName], items.shape[0]);
        return new(name, items.MoveToOuterDisposeScope(), labels?.MoveToOuterDisposeScope()) { Kind = "NumPy arrays" };
    }

    private static Tensor Items(string where, Tensor array)
    {
        if (array.dim() == 0 || array.numel() == 0) throw new InvalidDataException($"{where}: an array of shape ({string.Join(", ", array.shape)}) holds no items");
        if (array.dim() == 1) array = array.unsqueeze(1);
        if (array.is_floating_point())
        {
            array = array.to(ScalarType.Float32);
            using var bad = array.view(-1).isfinite().logical_not().nonzero();
            if (bad.shape[0] > 0)
            {
                long at = bad[0, 0].item<long>();
                var index = new long[array.dim()];
                for (int d = index.Length - 1; d >= 0; d--) (at, index[d]) = Math.DivRem(at, array.shape[d]);
                throw new InvalidDataException($"{where}: {bad.shape[0]} values are NaN or infinite, the first at [{string.Join(", ", index)}]");
            }
        }
        if (array.dtype is ScalarType.Bool) array = array.to(ScalarType.Byte).mul_(255);
        bool floating = array.dtype is ScalarType.Float32;
        bool image = array.dim() == 3 && array.dtype is ScalarType.Byte || array.dim() == 4 && (array.shape[1] is 1 or 3 || array.shape[3] is 1 or 3);
        if (!image || !floating && array.dtype is not ScalarType.Byte) return array.to(ScalarType.Float32);

        array = array.dim() == 3 ? array.unsqueeze(1) : array.shape[1] is 1 or 3 ? array : array.permute(0, 3, 1, 2).contiguous();
        if (!floating) return array;
        float low = array.min().item<float>(), high = array.max().item<float>();
        return (low, high) switch
        {
            ( >= 0, <= 1) => array.mul(2).sub(1),
            ( >= -1, <= 1) => array,
            ( >= 0, <= 255) => array.div(127.5f).sub(1),
            _ => throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{where}: pixel values lie in {low:g5}..{high:g5}: expected [-1, 1], [0, 1] or [0, 255]")),
        };
    }

    private static Tensor Labels(string where, Tensor array, long count)
    {
        if (array.is_floating_point() || array.dim() == 0) throw new InvalidDataException($"{where}: labels are {array.dtype} of {array.dim()} dimensions: expected integers of one");
        array = array.dim() == 2 && array.shape[1] == 1 ? array.squeeze(1) : array;
        if (array.dim() != 1 || array.shape[0] != count) throw new InvalidDataException($"{where}: labels of shape ({string.Join(", ", array.shape)}) for {count} items");
        array = array.to(ScalarType.Int64);
        long low = array.min().item<long>(), high = array.max().item<long>();
        return low >= 0 && high < 100_000 ? array : throw new InvalidDataException($"{where}: labels lie in {low}..{high}: expected 0..99999");
    }
}
