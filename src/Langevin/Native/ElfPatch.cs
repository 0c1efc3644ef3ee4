using System.Buffers.Binary;
using System.Text;

namespace Langevin.Native;

/// <summary>
/// Frees an x86-64 ELF shared library from one version requirement that a single imported function causes: the version
/// becomes weak, and the function becomes a hidden local one that returns at once.
/// </summary>
/// <remarks>
/// Right only for functions that may do nothing. Structures and constants: System V ABI (gABI) chapters 4 and 5, and the
/// symbol-versioning chapter of the Linux Standard Base. Everything is found through the section headers and every read
/// is checked against the file's length, since the file may be truncated or none of ours.
/// </remarks>
internal static class ElfPatch
{
    private const int HeaderSize = 64, SectionHeaderSize = 64, SymbolSize = 24, NeedSize = 16;
    private const uint DynamicSymbols = 11, VersionNeeds = 0x6ffffffe, VersionIndices = 0x6fffffff, ProgramBits = 1;
    private const ulong Executable = 4;
    private const ushort WeakVersion = 2, GlobalVersion = 1, X86_64 = 62, SharedObject = 3, Undefined = 0, ReservedSections = 0xff00;
    private const byte HiddenVisibility = 2, Ret = 0xc3;

    /// <summary>A copy of the library that asks for <paramref name="version"/> weakly and answers <paramref name="symbol"/> itself.</summary>
    /// <param name="library">The file's bytes; not changed.</param>
    /// <param name="version">The version to free it from, such as <c>GLIBCXX_3.4.32</c>.</param>
    /// <param name="symbol">The one function imported under that version, by its mangled name.</param>
    /// <returns>The patched bytes; equal to the input where it was patched before.</returns>
    /// <exception cref="InvalidDataException">Not a whole x86-64 shared library, or not one with just that import under that version.</exception>
    public static byte[] Apply(ReadOnlySpan<byte> library, string version, string symbol)
    {
        var elf = new Image(library.ToArray());
        var sections = Sections(elf);
        var symbols = Single(sections, DynamicSymbols, "dynamic symbol table");
        var indices = Single(sections, VersionIndices, "symbol version table");
        var needs = Single(sections, VersionNeeds, "version requirements");

        var (flagsAt, index) = FindVersion(elf, needs, NamesOf(sections, needs), version);
        long found = FindSymbol(elf, symbols, indices, NamesOf(sections, symbols), index, version, symbol);
        long symbolAt = symbols.Offset + found * SymbolSize, indexAt = indices.Offset + found * sizeof(ushort);
        if (elf.U16(symbolAt + 6) != Undefined)
            return (elf.U16(flagsAt) & WeakVersion) != 0 ? elf.Bytes
                : throw new InvalidDataException($"the library defines {symbol} itself; there is nothing to free it from");

        var (text, textIndex, ret) = FindReturn(elf, sections);
        elf.Set16(flagsAt, (ushort)(elf.U16(flagsAt) | WeakVersion));
        elf.Set16(indexAt, GlobalVersion);
        elf.Set8(symbolAt + 5, HiddenVisibility);
        elf.Set16(symbolAt + 6, (ushort)textIndex);
        elf.Set64(symbolAt + 8, text.Address + (ulong)ret);
        return elf.Bytes;
    }

    private readonly record struct Section(uint Type, ulong Flags, ulong Address, long Offset, long Size, uint Link, uint Count);

    private static List<Section> Sections(Image elf)
    {
        if (elf.Bytes.Length < 4 || elf.U32(0) != 0x464c457f)
            throw new InvalidDataException("not an ELF file (its first four bytes are not 7f 45 4c 46)");
        elf.Need(0, HeaderSize, "the ELF header");
        if (elf.U8(4) != 2) throw new InvalidDataException("a 32-bit ELF file; expected 64-bit");
        if (elf.U8(5) != 1) throw new InvalidDataException("a big-endian ELF file; expected little-endian");
        if (elf.U16(18) != X86_64) throw new InvalidDataException($"an ELF file for machine {elf.U16(18)}; expected {X86_64} (x86-64)");
        if (elf.U16(16) != SharedObject) throw new InvalidDataException($"an ELF file of type {elf.U16(16)}; expected {SharedObject} (shared library)");
        long table = elf.Offset(40);
        int count = elf.U16(60);
        if (count is 0 or >= ReservedSections) throw new InvalidDataException($"{count} section headers; the file was stripped of them or is damaged");
        if (elf.U16(58) != SectionHeaderSize) throw new InvalidDataException($"section headers of {elf.U16(58)} bytes; expected {SectionHeaderSize}");
        elf.Need(table, (long)count * SectionHeaderSize, "the section headers");
        var sections = new List<Section>(count);
        for (long at = table; sections.Count < count; at += SectionHeaderSize)
            sections.Add(new(elf.U32(at + 4), elf.U64(at + 8), elf.U64(at + 16), elf.Offset(at + 24), elf.Offset(at + 32), elf.U32(at + 40), elf.U32(at + 44)));
        foreach (var s in sections.Where(s => s.Type is DynamicSymbols or VersionNeeds or VersionIndices))
            elf.Need(s.Offset, s.Size, "a dynamic-linking section");
        return sections;
    }

    private static Section Single(List<Section> sections, uint type, string what)
    {
        var found = sections.FindAll(s => s.Type == type);
        return found.Count == 1 ? found[0] : throw new InvalidDataException($"{found.Count} sections hold the {what}; expected one");
    }

    private static Section NamesOf(List<Section> sections, Section of) =>
        of.Link < sections.Count ? sections[(int)of.Link] : throw new InvalidDataException($"a section names its strings in section {of.Link} of {sections.Count}");

    /// <summary>The place of the requirement's flags, and the index that symbols refer to it by.</summary>
    private static (long flagsAt, ushort index) FindVersion(Image elf, Section needs, Section names, string version)
    {
        long end = needs.Offset + needs.Size, at = needs.Offset;
        for (uint file = 0; file < needs.Count; file++)
        {
            Within(at, NeedSize, end);
            long item = at + elf.U32(at + 8);
            for (int left = elf.U16(at + 2); left > 0; left--)
            {
                Within(item, NeedSize, end);
                if (elf.TextIs(names.Offset, names.Size, elf.U32(item + 8), version)) return (item + 4, elf.U16(item + 6));
                if (elf.U32(item + 12) is var step and > 0) item += step; else break;
            }
            if (elf.U32(at + 12) is var next and > 0) at += next; else break;
        }
        throw new InvalidDataException($"the library does not require {version}");

        static void Within(long at, long size, long end)
        {
            if (at > end - size) throw new InvalidDataException("a version requirement lies outside its section");
        }
    }

    /// <summary>The symbol's number; it alone may bear the version, since only its lookup is taken away.</summary>
    private static long FindSymbol(Image elf, Section symbols, Section indices, Section names, ushort index, string version, string symbol)
    {
        long count = symbols.Size / SymbolSize, found = -1;
        if (indices.Size / sizeof(ushort) < count)
            throw new InvalidDataException($"{indices.Size / sizeof(ushort)} symbol versions for {count} symbols");
        for (long i = 1; i < count; i++)
        {
            bool versioned = (elf.U16(indices.Offset + i * sizeof(ushort)) & 0x7fff) == index;
            if (elf.TextIs(names.Offset, names.Size, elf.U32(symbols.Offset + i * SymbolSize), symbol)) found = i;
            else if (versioned) throw new InvalidDataException($"a second symbol (number {i}) requires {version}; only {symbol} can be done without");
        }
        return found > 0 ? found : throw new InvalidDataException($"the library has no dynamic symbol {symbol}");
    }

    private static (Section section, int index, int offset) FindReturn(Image elf, List<Section> sections)
    {
        var text = sections.Where(s => s.Type == ProgramBits && (s.Flags & Executable) != 0).DefaultIfEmpty().MaxBy(s => s.Size);
        elf.Need(text.Offset, text.Size, "the code");
        int at = elf.Bytes.AsSpan((int)text.Offset, (int)text.Size).IndexOf(Ret);
        return at >= 0 ? (text, sections.IndexOf(text), at) : throw new InvalidDataException("no return instruction in the library's code");
    }

    /// <summary>Little-endian reads and writes that end in <see cref="InvalidDataException"/> outside the file.</summary>
    private sealed class Image(byte[] bytes)
    {
        public byte[] Bytes => bytes;

        public void Need(long at, long size, string what)
        {
            if (at < 0 || size < 0 || at > bytes.Length - size)
                throw new InvalidDataException($"the file is truncated: {what} would end at byte {(decimal)at + size} of {bytes.Length}");
        }

        public byte U8(long at) => At(at, 1)[0];
        public ushort U16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(At(at, 2));
        public uint U32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(At(at, 4));
        public ulong U64(long at) => BinaryPrimitives.ReadUInt64LittleEndian(At(at, 8));
        public void Set8(long at, byte value) => At(at, 1)[0] = value;
        public void Set16(long at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(At(at, 2), value);
        public void Set64(long at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(At(at, 8), value);

        /// <summary>A file offset or size: anything past 2³¹ cannot lie in the file.</summary>
        public long Offset(long at) => (long)Math.Min(U64(at), (ulong)long.MaxValue / 4);

        /// <summary>Whether the zero-terminated text at an offset of a string section is this one.</summary>
        public bool TextIs(long section, long size, uint offset, string text)
        {
            Need(section, size, "a string table");
            var table = bytes.AsSpan((int)section, (int)size);
            if (offset >= (ulong)table.Length) throw new InvalidDataException($"a name at byte {offset} of a string table of {table.Length}");
            var rest = table[(int)offset..];
            return rest.Length > text.Length && rest[text.Length] == 0 && Encoding.ASCII.GetBytes(text).AsSpan().SequenceEqual(rest[..text.Length]);
        }

        private Span<byte> At(long at, int size)
        {
            Need(at, size, "a field");
            return bytes.AsSpan((int)at, size);
        }
    }
}
