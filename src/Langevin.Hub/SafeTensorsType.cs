using System.Buffers.Binary;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>One element type of the safetensors format and what it becomes here.</summary>
/// <param name="Name">The name in the header.</param>
/// <param name="Bytes">Bytes of one element in the file.</param>
/// <param name="Rank">Place in the format's own order of types, which fixes the canonical order of a file (largest first).</param>
/// <param name="Torch">The element type of the tensor that is read; wider where libtorch has no equal (U16, U32, U64, F8).</param>
internal sealed record SafeTensorsType(string Name, int Bytes, int Rank, ScalarType Torch)
{
    private static readonly SafeTensorsType[] All =
    [
        new("BOOL", 1, 0, ScalarType.Bool), new("U8", 1, 1, ScalarType.Byte), new("I8", 1, 2, ScalarType.Int8),
        new("F8_E5M2", 1, 3, ScalarType.Float16), new("F8_E4M3", 1, 4, ScalarType.Float16), new("F8_E8M0", 1, 5, ScalarType.Float32),
        new("I16", 2, 6, ScalarType.Int16), new("U16", 2, 7, ScalarType.Int32), new("F16", 2, 8, ScalarType.Float16), new("BF16", 2, 9, ScalarType.BFloat16),
        new("I32", 4, 10, ScalarType.Int32), new("U32", 4, 11, ScalarType.Int64), new("F32", 4, 12, ScalarType.Float32), new("C64", 8, 13, ScalarType.ComplexFloat32),
        new("F64", 8, 14, ScalarType.Float64), new("I64", 8, 15, ScalarType.Int64), new("U64", 8, 16, ScalarType.Int64),
    ];

    private static readonly Dictionary<string, SafeTensorsType> ByName = All.ToDictionary(t => t.Name);

    private static readonly Dictionary<ScalarType, SafeTensorsType> Written =
        All.Where(t => !t.IsConverted).ToDictionary(t => t.Torch);

    private static readonly ushort[] E4M3 = [.. Enumerable.Range(0, 256).Select(b => BitConverter.HalfToUInt16Bits((Half)FromE4M3((byte)b)))];

    /// <summary>Whether an element's bytes are not those of <see cref="Torch"/>.</summary>
    public bool IsConverted => Name[0] == 'U' && Bytes > 1 || Name.StartsWith("F8", StringComparison.Ordinal);

    /// <summary>The type of a name in a header, or null.</summary>
    public static SafeTensorsType? Find(string? name) => name is not null && ByName.TryGetValue(name, out var type) ? type : null;

    /// <summary>The type that stores a tensor's elements, or null.</summary>
    public static SafeTensorsType? Of(ScalarType type) => Written.GetValueOrDefault(type);

    /// <summary>Converts raw file bytes to elements of <see cref="Torch"/>.</summary>
    /// <exception cref="InvalidDataException">A U64 does not fit in int64.</exception>
    public void Convert(ReadOnlySpan<byte> raw, Span<byte> target)
    {
        switch (Name)
        {
            case "F8_E5M2": // the upper byte of a float16
                var half = MemoryMarshal.Cast<byte, ushort>(target);
                for (int i = 0; i < raw.Length; i++) half[i] = (ushort)(raw[i] << 8);
                break;
            case "F8_E4M3":
                half = MemoryMarshal.Cast<byte, ushort>(target);
                for (int i = 0; i < raw.Length; i++) half[i] = E4M3[raw[i]];
                break;
            case "F8_E8M0": // 2^(b − 127); 255 is NaN
                var single = MemoryMarshal.Cast<byte, float>(target);
                for (int i = 0; i < raw.Length; i++) single[i] = raw[i] == 255 ? float.NaN : MathF.ScaleB(1, raw[i] - 127);
                break;
            case "U16":
                var int32 = MemoryMarshal.Cast<byte, int>(target);
                for (int i = 0; i < int32.Length; i++) int32[i] = BinaryPrimitives.ReadUInt16LittleEndian(raw[(2 * i)..]);
                break;
            case "U32":
                var int64 = MemoryMarshal.Cast<byte, long>(target);
                for (int i = 0; i < int64.Length; i++) int64[i] = BinaryPrimitives.ReadUInt32LittleEndian(raw[(4 * i)..]);
                break;
            case "U64":
                int64 = MemoryMarshal.Cast<byte, long>(target);
                for (int i = 0; i < int64.Length; i++)
                {
                    int64[i] = BinaryPrimitives.ReadInt64LittleEndian(raw[(8 * i)..]);
                    if (int64[i] < 0) throw new InvalidDataException($"a U64 value {(ulong)int64[i]} does not fit in int64");
                }
                break;
            default:
                raw.CopyTo(target);
                break;
        }
    }

    /// <summary>The "fn" variant: 4 exponent bits of bias 7, no infinities, NaN where all seven bits are set.</summary>
    private static double FromE4M3(byte b)
    {
        int exponent = (b >> 3) & 15, mantissa = b & 7;
        double magnitude = (b & 0x7f) == 0x7f ? double.NaN
            : exponent == 0 ? Math.ScaleB(mantissa, -9)
            : Math.ScaleB(8 + mantissa, exponent - 10);
        return (b & 0x80) != 0 ? -magnitude : magnitude;
    }
}
