using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>Bytes of a pickle: in memory, or where they stand in the file.</summary>
internal sealed class Blob
{
    private readonly byte[]? here;
    private readonly Stream? file;
    private readonly long offset;
    private readonly bool utf8;

    /// <summary>Bytes in memory.</summary>
    public Blob(byte[] bytes) => (here, Length) = (bytes, bytes.Length);

    /// <summary>Bytes in a file.</summary>
    /// <param name="file">The file, which can seek.</param>
    /// <param name="offset">Where they begin.</param>
    /// <param name="length">How many the file has.</param>
    /// <param name="utf8">Whether each is written as a character.</param>
    public Blob(Stream file, long offset, long length, bool utf8) => (this.file, this.offset, Length, this.utf8) = (file, offset, length, utf8);

    /// <summary>How many there are, or what they take as text.</summary>
    public long Length { get; }

    /// <summary>The storage they turned out to be.</summary>
    public Storage? Storage { get; set; }

    /// <summary>A stream that begins with them; in a file it goes on behind them.</summary>
    public Stream Open()
    {
        if (here is not null) return new MemoryStream(here, writable: false);
        file!.Position = offset;
        return new BufferedStream(new Shared(file));
    }

    /// <summary>Reads all of them.</summary>
    /// <exception cref="InvalidDataException">There are not as many.</exception>
    public void Read(Span<byte> into)
    {
        if (utf8 ? into.Length > Length : into.Length != Length) throw new InvalidDataException($"{Length} bytes where an array has {into.Length}");
        using var stream = Open();
        if (!utf8)
        {
            stream.ReadExactly(into);
            return;
        }
        long left = Length;
        int Next() => left-- > 0 && stream.ReadByte() is var b and >= 0 ? b : throw new EndOfStreamException("an array ends too early");
        foreach (ref byte value in into)
        {
            int first = Next();
            value = first switch
            {
                < 0x80 => (byte)first,
                0xc2 or 0xc3 => (byte)(first << 6 | Next() & 0x3f),
                _ => throw new InvalidDataException("a character that is no byte"),
            };
        }
        if (left != 0) throw new InvalidDataException("more bytes than an array has");
    }

    // The file without its end: closing this leaves it open.
    private sealed class Shared(Stream inner) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);
        public override int Read(Span<byte> buffer) => inner.Read(buffer);
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

/// <summary>NumPy's type of an array's elements.</summary>
/// <param name="code">A letter and the number of bytes.</param>
internal sealed class SavedElement(string code) : IBuilt
{
    public ScalarType Type => code.TrimStart('<', '|', '=') switch
    {
        "f2" => ScalarType.Float16, "f4" => ScalarType.Float32, "f8" => ScalarType.Float64,
        "i1" => ScalarType.Int8, "i2" => ScalarType.Int16, "i4" => ScalarType.Int32, "i8" => ScalarType.Int64,
        "u1" => ScalarType.Byte, "b1" => ScalarType.Bool,
        _ => throw new InvalidDataException($"an array of '{code}'"),
    };

    public int Size => code[^1] - '0';

    public void Build(object? state)
    {
        if (state is object?[] and [_, ">", ..]) throw new InvalidDataException("an array of big-endian numbers");
    }
}

/// <summary>A NumPy array.</summary>
internal sealed class SavedArray : IBuilt
{
    private Blob? bytes;
    private SavedElement? element;
    private long[] shape = [];
    private bool columns;

    /// <summary>One whose state follows.</summary>
    public SavedArray() { }

    /// <summary>One of these bytes.</summary>
    public SavedArray(Blob bytes, SavedElement element, long[] shape, bool columns) => (this.bytes, this.element, this.shape, this.columns) = (bytes, element, shape, columns);

    public void Build(object? state)
    {
        if (state is not (object?[] and [_, object?[] sizes, SavedElement type, bool inColumns, Blob content])) throw new InvalidDataException("an array of objects");
        (shape, element, columns, bytes) = (Array.ConvertAll(sizes, o => (long)o!), type, inColumns, content);
    }

    /// <summary>The tensor of its elements.</summary>
    /// <param name="room">How many bytes may still be copied; what is copied is taken off.</param>
    public Tensor ToTensor(ref long room)
    {
        if (bytes is null || element is null) throw new InvalidDataException("an array without elements");
        if (shape.Length > SavedTensor.MostDimensions || shape.Any(s => s < 0)) throw new InvalidDataException("an array with a negative size");
        long size = shape.Aggregate((long)element.Size, (a, b) => checked(a * b));
        if (size > bytes.Length) throw new InvalidDataException($"{bytes.Length} bytes where an array has {size}");
        if ((room -= size) < 0) throw new InvalidDataException("its arrays would be much larger than the file");
        var array = empty(columns ? [.. shape.Reverse()] : shape, element.Type);
        if (size > 0) bytes.Read(array.bytes);
        if (!columns || shape.Length < 2) return array;
        using (array) return array.permute([.. Enumerable.Range(1, shape.Length).Select(i => (long)(shape.Length - i))]).contiguous();
    }
}
