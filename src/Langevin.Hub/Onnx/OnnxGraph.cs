using System.Globalization;
using Google.Protobuf;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Hub.Onnx;

/// <summary>How an exported network's weights are stored; all compute in single precision.</summary>
public enum OnnxWeights
{
    /// <summary>As they are.</summary>
    Single,

    /// <summary>In half precision: half the file.</summary>
    Half,

    /// <summary>Matrices and kernels in 8 bits with one scale an output channel: a quarter of the file.</summary>
    Int8,
}

/// <summary>A graph of ONNX operators as it is built up, and its file (opset 17, IR 8).</summary>
/// <param name="weights">A network's weights by name; only read.</param>
/// <param name="storage">How they are stored.</param>
internal sealed class OnnxGraph(IReadOnlyDictionary<string, Tensor> weights, OnnxWeights storage)
{
    private const int Opset = 17, IrVersion = 8, Float = 1, Int8 = 3, Int64 = 7, Half = 10;
    private const int Small = 1 << 10; // shapes and the like, which the runtime reads before it opens another file
    private readonly List<byte[]> nodes = [], inputs = [], outputs = [];
    private readonly List<(string Name, long[] Shape, int Type, byte[] Raw)> initializers = [];
    private readonly Dictionary<string, string> known = new(StringComparer.Ordinal);
    private int count;

    /// <summary>Whether the network has such a weight.</summary>
    public bool Has(string key) => weights.ContainsKey(key);

    /// <summary>The shape of a weight.</summary>
    public long[] Shape(string key) => weights[key].shape;

    /// <summary>An input; -1 is a length that is open.</summary>
    public string Input(string name, bool whole, params (string Name, long Length)[] shape)
    {
        inputs.Add(ValueInfo(name, whole ? Int64 : Float, shape));
        return name;
    }

    /// <summary>The output.</summary>
    public void Output(string value, params (string Name, long Length)[] shape)
    {
        Node("Identity", [value], "y");
        outputs.Add(ValueInfo("y", Float, shape));
    }

    /// <summary>An operator with one output; attributes are numbers, lists of whole numbers, or words.</summary>
    public string Add(string op, IReadOnlyList<string> from, params (string Name, object Value)[] attributes) => Node(op, from, $"v{count++}", attributes);

    /// <summary>A number.</summary>
    public string Constant(double value) => Known(value.ToString("R", CultureInfo.InvariantCulture), name => Initializer(name, [], Float, BitConverter.GetBytes((float)value)));

    /// <summary>Whole numbers, as a shape or axes are given.</summary>
    public string Whole(params long[] values) => Known("i" + string.Join(',', values), name => Initializer(name, [values.Length], Int64, [.. values.SelectMany(BitConverter.GetBytes)]));

    /// <summary>Numbers of a shape.</summary>
    public string Numbers(IReadOnlyList<double> values, params long[] shape) =>
        Known("f" + string.Join(',', values) + string.Join('x', shape), name => Initializer(name, shape, Float, [.. values.SelectMany(v => BitConverter.GetBytes((float)v))]));

    /// <summary>A weight, perhaps turned first.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="turned">What is to be stored of it; null for itself.</param>
    /// <param name="exact">Whether it is stored in single precision in any case: frequencies, whose phases would be lost.</param>
    public string Weight(string key, Func<Tensor, Tensor>? turned = null, bool exact = false) => Known("w" + key + (turned is null ? "" : "'"), name =>
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var value = weights[key].detach().cpu().to(ScalarType.Float32);
        value = (turned is null ? value : turned(value)).contiguous();
        if (storage == OnnxWeights.Half && value.numel() > 1 && !exact)
        {
            Initializer(name + "h", value.shape, Half, Bytes(value.to(ScalarType.Float16)));
            Node("Cast", [name + "h"], name, ("to", (long)Float));
        }
        else if (storage == OnnxWeights.Int8 && value.dim() > 1 && value.numel() >= 64 && !exact)
        {
            // Kernels have their output channel first, matrices as they are multiplied here last.
            int axis = value.dim() == 2 ? 1 : 0;
            var largest = value.abs().amax(Enumerable.Range(0, (int)value.dim()).Where(d => d != axis).Select(d => (long)d).ToArray(), keepdim: true).clamp_min(1e-12);
            var scale = largest / 127;
            Initializer(name + "q", value.shape, Int8, Bytes((value / scale).round().to(ScalarType.Int8)));
            Initializer(name + "s", [value.shape[axis]], Float, Bytes(scale.flatten()));
            Node("DequantizeLinear", [name + "q", name + "s"], name, ("axis", (long)axis));
        }
        else Initializer(name, value.shape, Float, Bytes(value));
    });

    /// <summary>Writes the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="largest">Bytes of initializers that it holds itself; where there are more, all but the smallest are put beside it.</param>
    public void Save(string path, long largest)
    {
        bool beside = initializers.Sum(i => (long)i.Raw.Length) > largest;
        bool Outside(byte[] raw) => beside && raw.Length > Small;
        string data = path + ".data";
        if (beside)
            AtomicFile.Write(data, stream =>
            {
                foreach (var (_, _, _, raw) in initializers.Where(i => Outside(i.Raw))) stream.Write(raw);
            });
        long offset = 0;
        AtomicFile.Write(path, stream =>
        {
            using var output = new CodedOutputStream(stream, leaveOpen: true);
            Number(output, 1, IrVersion);
            Text(output, 2, "langevin");
            var graph = new List<(int Field, byte[] Value)>();
            graph.AddRange(nodes.Select(n => (1, n)));
            graph.Add((2, "network"u8.ToArray()));
            foreach (var (name, shape, type, raw) in initializers)
            {
                graph.Add((5, Initializer(name, shape, type, Outside(raw) ? null : raw, Path.GetFileName(data), offset, raw.Length)));
                if (Outside(raw)) offset += raw.Length;
            }
            graph.AddRange(inputs.Select(i => (11, i)));
            graph.AddRange(outputs.Select(o => (12, o)));
            output.WriteTag(7, WireFormat.WireType.LengthDelimited);
            output.WriteLength(checked((int)graph.Sum(g => (long)CodedOutputStream.ComputeTagSize(g.Field) + CodedOutputStream.ComputeLengthSize(g.Value.Length) + g.Value.Length)));
            foreach (var (field, value) in graph) Bytes(output, field, value);
            Bytes(output, 8, Message(m => Number(m, 2, Opset)));
        });
        if (!beside) File.Delete(data); // of a larger network that was here before
    }

    private string Node(string op, IReadOnlyList<string> from, string to, params (string Name, object Value)[] attributes)
    {
        nodes.Add(Message(node =>
        {
            foreach (string input in from) Text(node, 1, input);
            Text(node, 2, to);
            Text(node, 4, op);
            foreach (var (name, value) in attributes)
                Bytes(node, 5, Message(attribute =>
                {
                    Text(attribute, 1, name);
                    switch (value)
                    {
                        case double real:
                            attribute.WriteTag(2, WireFormat.WireType.Fixed32);
                            attribute.WriteFloat((float)real);
                            Number(attribute, 20, 1);
                            break;
                        case long whole:
                            Number(attribute, 3, whole);
                            Number(attribute, 20, 2);
                            break;
                        case string word:
                            Text(attribute, 4, word);
                            Number(attribute, 20, 3);
                            break;
                        case long[] list:
                            foreach (long item in list) Number(attribute, 8, item);
                            Number(attribute, 20, 7);
                            break;
                        default: throw new ArgumentException($"{op}.{name} is a {value.GetType().Name}.", nameof(attributes));
                    }
                }));
        }));
        return to;
    }

    private string Known(string what, Action<string> make)
    {
        if (known.TryGetValue(what, out string? name)) return name;
        known[what] = name = $"c{known.Count}";
        make(name);
        return name;
    }

    private void Initializer(string name, long[] shape, int type, byte[] raw) => initializers.Add((name, shape, type, raw));

    // With its bytes, or with where they are.
    private static byte[] Initializer(string name, long[] shape, int type, byte[]? raw, string file, long offset, long length) => Message(tensor =>
    {
        foreach (long side in shape) Number(tensor, 1, side);
        Number(tensor, 2, type);
        Text(tensor, 8, name);
        if (raw is not null)
        {
            Bytes(tensor, 9, raw);
            return;
        }
        foreach (var (key, value) in new[] { ("location", file), ("offset", offset.ToString(CultureInfo.InvariantCulture)), ("length", length.ToString(CultureInfo.InvariantCulture)) })
            Bytes(tensor, 13, Message(entry =>
            {
                Text(entry, 1, key);
                Text(entry, 2, value);
            }));
        Number(tensor, 14, 1);
    });

    private static byte[] ValueInfo(string name, int type, (string Name, long Length)[] shape) => Message(info =>
    {
        Text(info, 1, name);
        Bytes(info, 2, Message(kind => Bytes(kind, 1, Message(tensor =>
        {
            Number(tensor, 1, type);
            Bytes(tensor, 2, Message(dimensions =>
            {
                foreach (var (label, length) in shape)
                    Bytes(dimensions, 1, Message(dimension =>
                    {
                        if (length < 0) Text(dimension, 2, label);
                        else Number(dimension, 1, length);
                    }));
            }));
        }))));
    });

    private static byte[] Bytes(Tensor value)
    {
        using var flat = value.contiguous().view(-1);
        return [.. flat.bytes];
    }

    private static byte[] Message(Action<CodedOutputStream> fill)
    {
        using var memory = new MemoryStream();
        using (var output = new CodedOutputStream(memory, leaveOpen: true)) fill(output);
        return memory.ToArray();
    }

    private static void Number(CodedOutputStream output, int field, long value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt64(value);
    }

    private static void Text(CodedOutputStream output, int field, string value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteString(value);
    }

    private static void Bytes(CodedOutputStream output, int field, byte[] value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(UnsafeByteOperations.UnsafeWrap(value));
    }
}
