using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Langevin.Hub;

/// <summary>
/// The part of Python's pickle language that saved weights need: containers, plain values, and the constructors of tensors, arrays
/// and modules, which are kept as what they were made from. Any other class is refused by name, so that a file can say nothing but data.
/// </summary>
/// <param name="stream">The pickle. Where it can seek, long runs of bytes are left where they are until they are wanted.</param>
/// <param name="storages">Those it refers to by name are added here, to be filled by who reads the file.</param>
/// <param name="within">Whether it is within another: then it holds no more of them, or a file could be endlessly deep.</param>
internal sealed class Unpickler(Stream stream, Dictionary<string, Storage> storages, bool within = false)
{
    // Weights are described in some hundred bytes and some twenty items a tensor.
    private const int MostItems = 1 << 19, LongestText = 1 << 16, LongestKept = 1 << 12, LongestPickle = 8 << 20;
    private int read, made;
    private readonly List<object?> stack = [];
    private readonly Stack<int> marks = new();
    private readonly Dictionary<int, object?> memo = [];

    private sealed record Class(string Module, string Name)
    {
        // NumPy 2 renamed the module that its functions are pickled under.
        public string Path { get; } = $"{Module.Replace("numpy._core.", "numpy.core.", StringComparison.Ordinal)}.{Name}";
    }

    /// <summary>Runs to the end of one pickle; the stream then stands behind it.</summary>
    public object? Read()
    {
        while (true)
        {
            if (stack.Count > MostItems || memo.Count > MostItems || made > MostItems || read > LongestPickle) throw new InvalidDataException("it describes more than weights could need");
            int code = Byte();
            switch (code)
            {
                case 0x80: Byte(); break; // PROTO
                case 0x95: Bytes(8); break; // FRAME
                case '.': return Pop();
                case '(': marks.Push(stack.Count); break;
                case '0': Pop(); break;
                case 'N': stack.Add(null); break;
                case 0x88: stack.Add(true); break;
                case 0x89: stack.Add(false); break;
                case 'J': stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4))); break;
                case 'K': stack.Add((long)Byte()); break;
                case 'M': stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2))); break;
                case 0x8a: stack.Add(checked((long)new BigInteger(Bytes(Byte())))); break; // LONG1
                case 'G': stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8))); break;
                case 'X': stack.Add(LongText(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4)))); break;
                case 'B': stack.Add(Blob(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4)))); break; // BINBYTES
                case 'C': stack.Add(Blob(Byte())); break; // SHORT_BINBYTES
                case 0x8e or 0x96: stack.Add(Blob(BinaryPrimitives.ReadInt64LittleEndian(Bytes(8)))); break; // BINBYTES8, BYTEARRAY8
                case 0x8c: stack.Add(Text(Byte())); break; // SHORT_BINUNICODE
                case 'U': stack.Add(Text(Byte())); break; // SHORT_BINSTRING
                case 'T': stack.Add(Text(BinaryPrimitives.ReadInt32LittleEndian(Bytes(4)))); break;
                case '}': made++; stack.Add(new SavedDictionary()); break;
                case ']' or 0x8f: made++; stack.Add(new List<object?>()); break; // EMPTY_LIST, EMPTY_SET
                case ')': stack.Add(Array.Empty<object?>()); break;
                case 't': stack.Add(Above()); break;
                case 0x85: Tuple(1); break;
                case 0x86: Tuple(2); break;
                case 0x87: Tuple(3); break;
                case 'a': { var item = Pop(); ((List<object?>)Top!).Add(item); break; }
                case 'e' or 0x90: { var items = Above(); ((List<object?>)Top!).AddRange(items); break; }
                case 's': { var value = Pop(); var key = Pop(); ((SavedDictionary)Top!).Items.Add((key, value)); break; }
                case 'u': Set(Above()); break;
                case 'q': memo[Byte()] = Top; break;
                case 'r': memo[BinaryPrimitives.ReadInt32LittleEndian(Bytes(4))] = Top; break;
                case 0x94: memo[memo.Count] = Top; break; // MEMOIZE
                case 'h': stack.Add(memo[Byte()]); break;
                case 'j': stack.Add(memo[BinaryPrimitives.ReadInt32LittleEndian(Bytes(4))]); break;
                case 'c': made++; stack.Add(new Class(Line(), Line())); break;
                case 0x93: { string name = (string)Pop()!, module = (string)Pop()!; stack.Add(new Class(module, name)); break; } // STACK_GLOBAL
                case 0x81: { made++; Pop(); stack.Add(New((Class)Pop()!)); break; } // NEWOBJ
                case 'R': { made++; var arguments = (object?[])Pop()!; stack.Add(Call((Class)Pop()!, arguments)); break; }
                case 'b': { var state = Pop(); (Top as IBuilt)?.Build(state); break; } // an ordered dictionary's is metadata
                case 'Q': stack.Add(Persistent((object?[])Pop()!)); break;
                default: throw new InvalidDataException($"the instruction 0x{code:x2} is not part of saved weights");
            }
        }
    }

    private object? Call(Class function, object?[] arguments) => function.Path switch
    {
        "collections.OrderedDict" => Ordered(arguments),
        "torch._utils._rebuild_tensor_v2" or "torch._utils._rebuild_tensor" => new SavedTensor((Storage)arguments[0]!, (long)arguments[1]!, Longs(arguments[2]), Longs(arguments[3])),
        "torch._utils._rebuild_parameter" or "torch.Size" or "torch.device" => arguments[0],
        "torch.storage._load_from_bytes" when !within => Loaded((Blob)arguments[0]!),
        "numpy.core.multiarray._reconstruct" => new SavedArray(),
        "numpy.core.numeric._frombuffer" => new SavedArray((Blob)arguments[0]!, (SavedElement)arguments[1]!, Longs(arguments[2]), (string)arguments[3]! == "F"),
        "numpy.dtype" => new SavedElement((string)arguments[0]!),
        "numpy.core.multiarray.scalar" => null, // a plain value
        "_codecs.encode" when arguments is [var text, "latin1"] => text as Blob ?? new Blob(Encoding.Latin1.GetBytes((string)text!)),
        "builtins.set" or "__builtin__.set" => arguments is [var items] ? items : new List<object?>(),
        "builtins.bytearray" or "__builtin__.bytearray" or "__builtin__.bytes" => arguments is [var bytes] ? bytes : new Blob([]),
        // What NVIDIA's networks are pickled with: their source, which is of no use here, and their state.
        "torch_utils.persistence._reconstruct_persistent_obj" => new SavedObject(((SavedDictionary)arguments[0]!).Items.FirstOrDefault(i => i.Key is "state").Value),
        "copyreg._reconstructor" or "copy_reg._reconstructor" => New((Class)arguments[0]!),
        _ => throw Unknown(function),
    };

    private static object New(Class type) => type.Path switch
    {
        "collections.OrderedDict" or "dnnlib.util.EasyDict" => new SavedDictionary(),
        var path when path.StartsWith("torch.nn.modules.", StringComparison.Ordinal) => new SavedObject(null),
        _ => throw Unknown(type),
    };

    private static InvalidDataException Unknown(Class type) => new($"it holds an object of {type.Module}.{type.Name}; save the state_dict alone");

    // A storage as a file of its own within this one.
    private Storage Loaded(Blob bytes)
    {
        if (bytes.Storage is { } known) return known;
        long here = stream.CanSeek ? stream.Position : 0;
        using var inner = bytes.Open();
        bytes.Storage = TorchFile.Legacy(inner, bytes.Length, within: true) as Storage ?? throw new InvalidDataException("bytes that are no storage");
        if (stream.CanSeek) stream.Position = here;
        return bytes.Storage;
    }

    // Python 2 passes the items as a list of pairs, Python 3 sets them afterwards.
    private static SavedDictionary Ordered(object?[] arguments)
    {
        var dictionary = new SavedDictionary();
        if (arguments is [List<object?> pairs])
            foreach (var pair in pairs)
                dictionary.Items.Add(pair switch
                {
                    List<object?> and [var key, var value] => (key, value),
                    object?[] and [var key, var value] => (key, value),
                    _ => throw new InvalidDataException("a dictionary of something else than pairs"),
                });
        return dictionary;
    }

    private Storage Persistent(object?[] id)
    {
        if (id is not ["storage", Class type, string key, _, long elements, ..]) throw new InvalidDataException("an unknown kind of reference");
        if (id is [_, _, _, _, _, not null]) throw new InvalidDataException("a view of a storage, as files before 0.4 have it");
        var saved = SavedType.Named(type.Name) ?? throw new InvalidDataException($"element type {type.Name}");
        return storages.TryGetValue(key, out var storage) ? storage : storages[key] = new(key, saved, elements);
    }

    private static long[] Longs(object? tuple) => Array.ConvertAll((object?[])tuple!, o => (long)o!);

    private void Set(object?[] items)
    {
        var dictionary = (SavedDictionary)Top!;
        for (int i = 0; i + 1 < items.Length; i += 2) dictionary.Items.Add((items[i], items[i + 1]));
    }

    private object? Top => stack.Count > 0 ? stack[^1] : throw new InvalidDataException("the stack is empty");

    private object? Pop()
    {
        var top = Top;
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    private object?[] Above()
    {
        if (!marks.TryPop(out int mark) || mark > stack.Count) throw new InvalidDataException("no mark on the stack");
        made++;
        var items = stack.GetRange(mark, stack.Count - mark).ToArray();
        stack.RemoveRange(mark, items.Length);
        return items;
    }

    private void Tuple(int count)
    {
        if (stack.Count < count) throw new InvalidDataException("the stack is empty");
        made++;
        var items = stack.GetRange(stack.Count - count, count).ToArray();
        stack.RemoveRange(stack.Count - count, count);
        stack.Add(items);
    }

    private int Byte()
    {
        read++;
        return stream.ReadByte() is var b and >= 0 ? b : throw new EndOfStreamException("it ends too early");
    }

    private byte[] Bytes(int count)
    {
        read += count;
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    // Source, or one of NumPy's arrays in a file that Python 2 can read.
    private object LongText(long length) => length > LongestKept && stream.CanSeek ? Skipped(length, utf8: true) : Text((int)Math.Min(length, int.MaxValue));

    private Blob Blob(long length) => length is >= 0 && stream.CanSeek ? Skipped(length, utf8: false)
        : length is >= 0 and <= LongestPickle ? new(Bytes((int)length)) : throw new InvalidDataException($"{length} bytes at once");

    private Blob Skipped(long length, bool utf8)
    {
        made++;
        long start = stream.Position;
        if (length > stream.Length - start) throw new EndOfStreamException("it ends too early");
        stream.Position = start + length;
        return new(stream, start, length, utf8);
    }

    private string Text(int length) => length is >= 0 and <= LongestText ? Encoding.UTF8.GetString(Bytes(length)) : throw new InvalidDataException($"a text of {length} bytes");

    private string Line()
    {
        var text = new StringBuilder();
        for (int b = Byte(); b != '\n'; b = Byte())
            if (text.Append((char)b).Length > LongestText) throw new InvalidDataException("a name without end");
        return text.ToString();
    }
}
