using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Langevin.Data.Formats;

/// <summary>Stanford's polygon format: a text header, then text or binary of either byte order.</summary>
internal static class Ply
{
    private const int MostHeader = 1 << 16;

    private sealed record Property(string Name, string Type, bool List);

    public static double[] Points(string path, byte[] bytes)
    {
        int end = bytes.AsSpan(0, Math.Min(bytes.Length, MostHeader)).IndexOf("end_header"u8);
        int body = end < 0 ? -1 : bytes.AsSpan(end).IndexOf((byte)'\n');
        if (body < 0 || !bytes.AsSpan().StartsWith("ply"u8)) throw new InvalidDataException($"{path}: not a PLY file: the header is missing or does not end");
        string[][] header = [.. Encoding.ASCII.GetString(bytes, 0, end).Split('\n').Select(l => l.Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length > 0)];
        string format = header.FirstOrDefault(w => w is ["format", _, ..])?[1] ?? "";
        var elements = new List<(string Name, long Count, List<Property> Properties)>();
        foreach (string[] w in header)
            if (w is ["element", var name, var count]) elements.Add((name, long.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out long n) ? n : throw new InvalidDataException($"{path}: '{count}' {name} elements"), []));
            else if (w is ["property", .., var last] && elements.Count > 0) elements[^1].Properties.Add(new(last, w[1] == "list" ? "list" : w[1], w[1] == "list"));
        int at = elements.FindIndex(e => e.Name == "vertex");
        if (at < 0) throw new InvalidDataException($"{path}: the PLY file has no vertices");
        if (at > 0 && elements[..at].Any(e => e.Count > 0)) throw new InvalidDataException($"{path}: vertices after '{elements[0].Name}' are not read; write the vertices first");
        var (_, vertices, properties) = elements[at];
        if (properties.Exists(p => p.List)) throw new InvalidDataException($"{path}: vertices with lists are not read");
        int[] axes = [.. new[] { "x", "y", "z" }.Select(axis => properties.FindIndex(p => p.Name == axis))];
        if (axes.Contains(-1)) throw new InvalidDataException($"{path}: the vertices have no x, y and z");
        int start = end + body + 1;
        return format switch
        {
            "ascii" => Text(path, bytes[start..], vertices, axes),
            "binary_little_endian" => Binary(path, bytes.AsSpan(start), vertices, properties, axes, big: false),
            "binary_big_endian" => Binary(path, bytes.AsSpan(start), vertices, properties, axes, big: true),
            _ => throw new InvalidDataException($"{path}: PLY format '{format}' is not known"),
        };
    }

    private static double[] Text(string path, byte[] body, long vertices, int[] axes)
    {
        double[] points = PointFile.Lines(path, body, w => w.Length > axes.Max() ? [w[axes[0]], w[axes[1]], w[axes[2]]] : null, (int)Math.Min(vertices, int.MaxValue));
        return points.Length == 3 * vertices ? points : throw Truncated(path, vertices, points.Length / 3);
    }

    private static double[] Binary(string path, ReadOnlySpan<byte> body, long vertices, List<Property> properties, int[] axes, bool big)
    {
        int[] widths = [.. properties.Select(p => Width(path, p.Type))];
        int stride = widths.Sum();
        if (body.Length / stride < vertices) throw Truncated(path, vertices, body.Length / stride);
        int[] offsets = [.. axes.Select(a => widths[..a].Sum())];
        var points = new double[3 * vertices];
        for (int i = 0; i < vertices; i++)
            for (int k = 0; k < 3; k++)
                points[3 * i + k] = Value(body[(i * stride + offsets[k])..], properties[axes[k]].Type, big);
        return points;
    }

    private static int Width(string path, string type) => type switch
    {
        "char" or "uchar" or "int8" or "uint8" => 1,
        "short" or "ushort" or "int16" or "uint16" => 2,
        "int" or "uint" or "float" or "int32" or "uint32" or "float32" => 4,
        "double" or "float64" => 8,
        _ => throw new InvalidDataException($"{path}: PLY type '{type}' is not known"),
    };

    private static double Value(ReadOnlySpan<byte> b, string type, bool big) => type switch
    {
        "float" or "float32" => big ? BinaryPrimitives.ReadSingleBigEndian(b) : BinaryPrimitives.ReadSingleLittleEndian(b),
        "double" or "float64" => big ? BinaryPrimitives.ReadDoubleBigEndian(b) : BinaryPrimitives.ReadDoubleLittleEndian(b),
        "char" or "int8" => (sbyte)b[0],
        "uchar" or "uint8" => b[0],
        "short" or "int16" => big ? BinaryPrimitives.ReadInt16BigEndian(b) : BinaryPrimitives.ReadInt16LittleEndian(b),
        "ushort" or "uint16" => big ? BinaryPrimitives.ReadUInt16BigEndian(b) : BinaryPrimitives.ReadUInt16LittleEndian(b),
        "uint" or "uint32" => big ? BinaryPrimitives.ReadUInt32BigEndian(b) : BinaryPrimitives.ReadUInt32LittleEndian(b),
        _ => big ? BinaryPrimitives.ReadInt32BigEndian(b) : BinaryPrimitives.ReadInt32LittleEndian(b),
    };

    private static InvalidDataException Truncated(string path, long vertices, long there) =>
        new($"{path}: truncated: {vertices:N0} vertices are announced, {there:N0} are there");
}
