using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Langevin.Hub;

/// <summary>Where one tensor lies: element type, shape and bytes [<paramref name="Begin"/>, <paramref name="End"/>) of the data section.</summary>
internal sealed record SafeTensorsEntry(string Name, SafeTensorsType Type, long[] Shape, long Begin, long End);

/// <summary>
/// The header of a safetensors file: 8 bytes of little-endian length, then JSON. Everything is checked against the
/// file's length here, before any tensor is allocated.
/// </summary>
internal sealed record SafeTensorsHeader(IReadOnlyList<SafeTensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata, long DataStart)
{
    public const string MetadataKey = "__metadata__";
    private const int MaxHeaderBytes = 100_000_000, MaxRank = 64;

    /// <summary>Reads and checks the header of a file of <paramref name="fileLength"/> bytes.</summary>
    /// <exception cref="InvalidDataException">The file is not a sound safetensors file.</exception>
    public static SafeTensorsHeader Read(string path, long fileLength, Action<long, byte[]> readAt)
    {
        if (fileLength < 8) throw Bad(path, $"{fileLength} bytes are too few for a header");
        var prefix = new byte[8];
        readAt(0, prefix);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > (ulong)(fileLength - 8)) throw Bad(path, $"the header's length {length} is beyond the end of the file ({fileLength} bytes): not a safetensors file, or truncated");
        if (length > MaxHeaderBytes) throw Bad(path, $"the header's length {length} is above the format's limit of {MaxHeaderBytes}");
        var json = new byte[length];
        readAt(8, json);
        try
        {
            return Parse(path, json, fileLength - 8 - (long)length);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{path}: the header is not sound JSON: {e.Message}", e);
        }
    }

    private static SafeTensorsHeader Parse(string path, byte[] json, long dataLength)
    {
        if (!Utf8.IsValid(json)) throw Bad(path, "the header is not UTF-8");
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
        if (document.RootElement.ValueKind != JsonValueKind.Object) throw Bad(path, "the header is not a JSON object");
        var entries = new List<SafeTensorsEntry>();
        var metadata = new Dictionary<string, string>();
        foreach (var property in document.RootElement.EnumerateObject())
            if (property.NameEquals(MetadataKey))
                foreach (var item in ObjectOf(path, property).EnumerateObject())
                    metadata[item.Name] = item.Value.ValueKind == JsonValueKind.String ? item.Value.GetString()! : throw Bad(path, $"metadata '{item.Name}' is not a string");
            else
                entries.Add(ParseEntry(path, property));

        // In order of offset the tensors must tile the data section: no hole, no overlap, nothing after the last.
        long at = 0;
        foreach (var entry in entries.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (entry.Begin != at) throw Bad(path, $"tensor '{entry.Name}' begins at byte {entry.Begin}, but the data before it ends at {at}: {(entry.Begin > at ? "a hole" : "an overlap")}");
            at = entry.End;
        }
        if (at != dataLength) throw Bad(path, $"the tensors fill {at} bytes, but the file has {dataLength} bytes of data: {(at > dataLength ? "truncated" : "trailing bytes")}");
        return new(entries, metadata, 8 + json.Length);
    }

    private static SafeTensorsEntry ParseEntry(string path, JsonProperty property)
    {
        string name = property.Name;
        var value = ObjectOf(path, property);
        string? dtype = value.TryGetProperty("dtype", out var d) && d.ValueKind == JsonValueKind.String ? d.GetString() : throw Bad(path, $"tensor '{name}' has no dtype");
        var type = SafeTensorsType.Find(dtype) ?? throw Bad(path, $"tensor '{name}' has the unsupported dtype '{dtype}'");
        long[] shape = Integers(path, name, value, "shape"), offsets = Integers(path, name, value, "data_offsets");
        if (shape.Length > MaxRank) throw Bad(path, $"tensor '{name}' has {shape.Length} dimensions, above {MaxRank}");
        if (offsets.Length != 2 || offsets[1] < offsets[0]) throw Bad(path, $"tensor '{name}' has bad data_offsets [{string.Join(", ", offsets)}]");
        long bytes;
        try
        {
            // An empty tensor with overflowing other dimensions is refused too: libtorch computes strides from them.
            _ = checked(shape.Aggregate(1L, (n, s) => n * Math.Max(s, 1)) * type.Bytes);
            bytes = shape.Aggregate(1L, (n, s) => n * s) * type.Bytes;
        }
        catch (OverflowException)
        {
            throw Bad(path, $"tensor '{name}' of shape [{string.Join(", ", shape)}] overflows");
        }
        if (offsets[1] - offsets[0] != bytes) throw Bad(path, $"tensor '{name}' ({dtype}, shape [{string.Join(", ", shape)}]) needs {bytes} bytes, but its data_offsets give {offsets[1] - offsets[0]}");
        return new(name, type, shape, offsets[0], offsets[1]);
    }

    private static long[] Integers(string path, string name, JsonElement entry, string key)
    {
        if (!entry.TryGetProperty(key, out var array) || array.ValueKind != JsonValueKind.Array) throw Bad(path, $"tensor '{name}' has no {key}");
        return [.. array.EnumerateArray().Select(e => e.ValueKind == JsonValueKind.Number && e.TryGetInt64(out long v) && v >= 0
            ? v : throw Bad(path, $"tensor '{name}' has a bad number in {key}: {e}"))];
    }

    private static JsonElement ObjectOf(string path, JsonProperty property) =>
        property.Value.ValueKind == JsonValueKind.Object ? property.Value : throw Bad(path, $"'{property.Name}' is not a JSON object");

    private static InvalidDataException Bad(string path, string what) => new($"{path}: {what}");

    /// <summary>The bytes of prefix and JSON, padded with spaces to a multiple of 8; entries must lie in order of offset.</summary>
    public static byte[] Write(IEnumerable<SafeTensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        using var stream = new MemoryStream();
        stream.Write(new byte[8]);
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }
            foreach (var entry in entries)
            {
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", entry.Type.Name);
                WriteArray(json, "shape", entry.Shape);
                WriteArray(json, "data_offsets", [entry.Begin, entry.End]);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        stream.Write(Encoding.ASCII.GetBytes(new string(' ', (int)(-stream.Length & 7))));
        if (stream.Length - 8 > MaxHeaderBytes) throw new ArgumentException($"The header would need {stream.Length - 8} bytes, above the format's limit of {MaxHeaderBytes}.", nameof(entries));
        var bytes = stream.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8);
        return bytes;
    }

    private static void WriteArray(Utf8JsonWriter json, string key, long[] values)
    {
        json.WriteStartArray(key);
        foreach (long v in values) json.WriteNumberValue(v);
        json.WriteEndArray();
    }
}
