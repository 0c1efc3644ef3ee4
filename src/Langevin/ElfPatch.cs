using System.Buffers.Binary;
using System.Text;

namespace Langevin;

/// <summary>
/// Makes a 64-bit little-endian ELF library stop asking for one symbol version whose only use is a hook that may do nothing:
/// the version need becomes weak, and the symbol a local, hidden alias of a <c>ret</c> instruction.
/// </summary>
/// <remarks>
/// Places are found by parsing the section headers (ELF-64 object file format; LSB "symbol versioning"), and every offset is
/// checked against the file, so that a truncated or foreign file is an error and never a wild read.
/// </remarks>
internal static class ElfPatch
{
    private const ushort WeakFlag = 2, GlobalVersion = 1;
    private const byte Hidden = 2, ReturnInstruction = 0xC3;

    private readonly record struct Section(string Name, long Address, int Offset, int Size, int Link, int Info);

    /// <summary>Whether the library needs the version of the symbol as it stands.</summary>
    /// <exception cref="InvalidDataException">No ELF library that can be read.</exception>
    public static bool Needs(ReadOnlySpan<byte> elf, string version)
    {
        var sections = Sections(elf);
        var need = FindNeed(elf, sections, version);
        return need is { } n && (BinaryPrimitives.ReadUInt16LittleEndian(Slice(elf, n.Offset + 4, 2)) & WeakFlag) == 0;
    }

    /// <summary>The patched copy of a library.</summary>
    /// <param name="original">The file.</param>
    /// <param name="version">The version that is missing, for example GLIBCXX_3.4.32.</param>
    /// <param name="symbol">The only symbol that may carry it.</param>
    /// <exception cref="InvalidDataException">No readable ELF library, the version is not needed, or another symbol needs it too.</exception>
    public static byte[] Apply(ReadOnlySpan<byte> original, string version, string symbol)
    {
        byte[] elf = original.ToArray();
        var sections = Sections(elf);
        var need = FindNeed(elf, sections, version) ?? throw new InvalidDataException($"The library does not need {version}.");
        Section symbols = Get(sections, ".dynsym"), versions = Get(sections, ".gnu.version"), text = Get(sections, ".text");
        var names = Slice(elf, sections[symbols.Link]);
        int stub = Slice(elf, text).IndexOf(ReturnInstruction);
        if (stub < 0) throw new InvalidDataException("The library has no return instruction in its text section.");

        BinaryPrimitives.WriteUInt16LittleEndian(Write(elf, need.Offset + 4, 2),
            (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(Slice(elf, need.Offset + 4, 2)) | WeakFlag));
        bool found = false;
        for (int i = 0; i < symbols.Size / 24; i++)
        {
            if (BinaryPrimitives.ReadUInt16LittleEndian(Slice(elf, versions.Offset + 2 * i, 2)) != need.Index) continue;
            int entry = symbols.Offset + 24 * i;
            string name = Text(names, BinaryPrimitives.ReadUInt32LittleEndian(Slice(elf, entry, 4)));
            if (name != symbol) throw new InvalidDataException($"The library needs {version} for '{name}' too, which cannot be done without.");
            found = true;
            BinaryPrimitives.WriteUInt16LittleEndian(Write(elf, versions.Offset + 2 * i, 2), GlobalVersion);
            var symbolEntry = Write(elf, entry, 24);
            symbolEntry[5] = Hidden;
            BinaryPrimitives.WriteUInt16LittleEndian(symbolEntry[6..], (ushort)IndexOf(sections, ".text"));
            BinaryPrimitives.WriteInt64LittleEndian(symbolEntry[8..], text.Address + stub);
            BinaryPrimitives.WriteInt64LittleEndian(symbolEntry[16..], 1);
        }
        return found ? elf : throw new InvalidDataException($"No symbol of the library carries {version}.");
    }

    private static List<Section> Sections(ReadOnlySpan<byte> elf)
    {
        if (elf.Length < 64 || !elf[..4].SequenceEqual("\u007fELF"u8)) throw new InvalidDataException("Not an ELF file.");
        if (elf[4] != 2 || elf[5] != 1) throw new InvalidDataException("Not a 64-bit little-endian ELF file.");
        long start = BinaryPrimitives.ReadInt64LittleEndian(elf[0x28..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3A..]), count = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3C..]);
        int nameIndex = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3E..]);
        if (size < 64 || count == 0 || nameIndex >= count) throw new InvalidDataException("The ELF file has no section headers.");
        var raw = new List<(uint Name, Section Section)>();
        for (int i = 0; i < count; i++)
        {
            var header = Slice(elf, start + (long)i * size, size);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            const uint occupiesNoSpace = 8;
            long offset = BinaryPrimitives.ReadInt64LittleEndian(header[24..]), length = type == occupiesNoSpace ? 0 : BinaryPrimitives.ReadInt64LittleEndian(header[32..]);
            if (type != occupiesNoSpace) _ = Slice(elf, offset, length);
            raw.Add((BinaryPrimitives.ReadUInt32LittleEndian(header), new("", BinaryPrimitives.ReadInt64LittleEndian(header[16..]),
                (int)Math.Min(offset, elf.Length), (int)length, BinaryPrimitives.ReadInt32LittleEndian(header[40..]), BinaryPrimitives.ReadInt32LittleEndian(header[44..]))));
        }
        var names = Slice(elf, raw[nameIndex].Section);
        var sections = new List<Section>();
        foreach (var (name, section) in raw) sections.Add(section with { Name = Text(names, name) });
        if (sections.Any(s => s.Link < 0 || s.Link >= count)) throw new InvalidDataException("An ELF section links to one that does not exist.");
        return sections;
    }

    // The version-need entry (vernaux) of a version: its place and the index that symbols carry.
    private static (int Offset, ushort Index)? FindNeed(ReadOnlySpan<byte> elf, List<Section> sections, string version)
    {
        if (!sections.Exists(s => s.Name == ".gnu.version_r")) return null;
        var needs = Get(sections, ".gnu.version_r");
        var names = Slice(elf, sections[needs.Link]);
        long file = needs.Offset;
        for (int f = 0; f < Math.Max(1, needs.Info); f++)
        {
            var entry = Slice(elf, file, 16);
            int count = BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]);
            long aux = file + BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]);
            for (int i = 0; i < count; i++)
            {
                var need = Slice(elf, aux, 16);
                if (Text(names, BinaryPrimitives.ReadUInt32LittleEndian(need[8..])) == version)
                    return ((int)aux, BinaryPrimitives.ReadUInt16LittleEndian(need[6..]));
                uint next = BinaryPrimitives.ReadUInt32LittleEndian(need[12..]);
                if (next == 0) break;
                aux += next;
            }
            uint following = BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]);
            if (following == 0) break;
            file += following;
        }
        return null;
    }

    private static Section Get(List<Section> sections, string name) => sections[IndexOf(sections, name)];

    private static int IndexOf(List<Section> sections, string name)
    {
        int index = sections.FindIndex(s => s.Name == name);
        return index >= 0 ? index : throw new InvalidDataException($"The ELF file has no section {name}.");
    }

    private static string Text(ReadOnlySpan<byte> table, uint offset)
    {
        if (offset >= table.Length) throw new InvalidDataException("A name lies outside the ELF file's string table.");
        var rest = table[(int)offset..];
        int end = rest.IndexOf((byte)0);
        return end >= 0 ? Encoding.UTF8.GetString(rest[..end]) : throw new InvalidDataException("A name in the ELF file does not end.");
    }

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> elf, Section section) => Slice(elf, section.Offset, section.Size);

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> elf, long offset, long length) =>
        offset >= 0 && length >= 0 && offset <= elf.Length && length <= elf.Length - offset
            ? elf.Slice((int)offset, (int)length)
            : throw new InvalidDataException("The ELF file is truncated or damaged: something lies outside it.");

    private static Span<byte> Write(byte[] elf, int offset, int length)
    {
        _ = Slice(elf, offset, length);
        return elf.AsSpan(offset, length);
    }
}
