using System.Buffers.Binary;
using System.Text;

namespace Langevin.Tests.Native;

/// <summary>
/// A small x86-64 shared library written by hand from the ABI's tables, with one function imported under a version and
/// one under another; the places of what a patch changes are known.
/// </summary>
internal static class ElfSample
{
    public const string Version = "GLIBCXX_3.4.32", Symbol = "_ZSt21ios_base_library_initv";
    public const int FlagsAt = 0x200 + 16 + 4, IndexAt = 0x1c0 + 2 * 2, SymbolAt = 0x100 + 2 * 24, RetAddress = 0x10280 + 3, TextSection = 5;

    private const string Names = "\0libc.so.6\0GLIBC_2.34\0" + Version + "\0other\0" + Symbol + "\0";

    /// <param name="secondUser">Whether the other function is imported under the same version.</param>
    public static byte[] Bytes(bool secondUser = false)
    {
        byte[] file = new byte[0x300 + 6 * 64];
        void U16(int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), (ushort)value);
        void U32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), value);
        void U64(int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at), value);
        uint Name(string text) => (uint)Names.IndexOf("\0" + text + "\0", StringComparison.Ordinal) + 1;
        void Section(int i, uint type, ulong flags, ulong address, int offset, int size, uint link, uint info)
        {
            int at = 0x300 + 64 * i;
            U32(at + 4, type); U64(at + 8, flags); U64(at + 16, address); U64(at + 24, (ulong)offset); U64(at + 32, (ulong)size); U32(at + 40, link); U32(at + 44, info);
        }

        ((byte[])[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]).CopyTo(file, 0);
        U16(16, 3); U16(18, 62); U64(40, 0x300); U16(58, 64); U16(60, 6);
        Encoding.ASCII.GetBytes(Names).CopyTo(file, 0x60);

        U32(0x100 + 24, Name("other")); file[0x100 + 24 + 4] = 0x12;
        U32(SymbolAt, Name(Symbol)); file[SymbolAt + 4] = 0x12;
        U16(0x1c0 + 2, secondUser ? 7 : 5); U16(IndexAt, 7);

        U16(0x200, 1); U16(0x202, 2); U32(0x204, Name("libc.so.6")); U32(0x208, 16); // two versions of one file
        U16(0x200 + 16 + 6, 7); U32(0x200 + 16 + 8, Name(Version)); U32(0x200 + 16 + 12, 16);
        U16(0x200 + 32 + 6, 5); U32(0x200 + 32 + 8, Name("GLIBC_2.34"));
        ((byte[])[0x90, 0x90, 0x90, 0xc3]).CopyTo(file, 0x280);

        Section(1, 3, 2, 0x60, 0x60, Names.Length, 0, 0);
        Section(2, 11, 2, 0x100, 0x100, 3 * 24, 1, 1);
        Section(3, 0x6fffffff, 2, 0x1c0, 0x1c0, 3 * 2, 2, 0);
        Section(4, 0x6ffffffe, 2, 0x200, 0x200, 48, 1, 1);
        Section(TextSection, 1, 6, 0x10280, 0x280, 4, 0, 0);
        return file;
    }
}
