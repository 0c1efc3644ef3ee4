using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>Reads and writes safetensors files.</summary>
public static class SafeTensors
{
    /// <summary>Reads every tensor of a file into memory.</summary>
    public static IReadOnlyDictionary<string, Tensor> Load(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int length = checked((int)BinaryPrimitives.ReadInt64LittleEndian(bytes));
        using var header = JsonDocument.Parse(bytes.AsMemory(8, length));
        var tensors = new Dictionary<string, Tensor>();
        foreach (var entry in header.RootElement.EnumerateObject())
        {
            if (entry.Name == "__metadata__") continue;
            long[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())];
            int begin = entry.Value.GetProperty("data_offsets")[0].GetInt32(), end = entry.Value.GetProperty("data_offsets")[1].GetInt32();
            var type = entry.Value.GetProperty("dtype").GetString() switch
            {
                "F64" => ScalarType.Float64, "F32" => ScalarType.Float32, "F16" => ScalarType.Float16, "BF16" => ScalarType.BFloat16,
                "I64" => ScalarType.Int64, "I32" => ScalarType.Int32, "I16" => ScalarType.Int16, "I8" => ScalarType.Int8,
                "U8" => ScalarType.Byte, "BOOL" => ScalarType.Bool,
                var other => throw new InvalidDataException($"{path}: unsupported dtype {other}"),
            };
            var tensor = empty(shape, type);
            if (end > begin) tensor.bytes = bytes.AsSpan(8 + length + begin, end - begin);
            tensors[entry.Name] = tensor;
        }
        return tensors;
    }
}
