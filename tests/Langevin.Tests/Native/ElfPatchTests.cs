using System.Buffers.Binary;
using Langevin.Native;

namespace Langevin.Tests.Native;

public class ElfPatchTests
{
    private static byte[] Patch(ReadOnlySpan<byte> file) => ElfPatch.Apply(file, ElfSample.Version, ElfSample.Symbol);

    [Fact]
    public void Changes_the_three_entries_and_nothing_else()
    {
        byte[] before = ElfSample.Bytes(), after = Patch(before), expected = (byte[])before.Clone();
        expected[ElfSample.FlagsAt] = 2;
        expected[ElfSample.IndexAt] = 1;
        expected[ElfSample.SymbolAt + 5] = 2;
        expected[ElfSample.SymbolAt + 6] = ElfSample.TextSection;
        BinaryPrimitives.WriteUInt64LittleEndian(expected.AsSpan(ElfSample.SymbolAt + 8), ElfSample.RetAddress);
        Assert.Equal(expected, after);
    }

    [Fact]
    public void Twice_is_once() => Assert.Equal(Patch(ElfSample.Bytes()), Patch(Patch(ElfSample.Bytes())));

    [Fact]
    public void Every_prefix_is_an_error_that_says_so()
    {
        byte[] whole = ElfSample.Bytes();
        for (int length = 0; length < whole.Length; length++)
        {
            var error = Assert.Throws<InvalidDataException>(() => Patch(whole.AsSpan(0, length)));
            Assert.Contains(length < 4 ? "not an ELF file" : "truncated", error.Message);
        }
    }

    [Fact]
    public void Any_damage_is_an_error_or_harmless()
    {
        // The four bytes that hold a field, replaced by ends of ranges and by chance; any other exception fails the test.
        byte[] whole = ElfSample.Bytes();
        var random = new Random(1);
        int refused = 0;
        for (int at = 0; at <= whole.Length - 4; at++)
        {
            foreach (uint value in (uint[])[0, 1, 0x7fffffff, 0x80000000, 0xffffffff, (uint)random.NextInt64(1L << 32)])
            {
                byte[] damaged = (byte[])whole.Clone();
                BinaryPrimitives.WriteUInt32LittleEndian(damaged.AsSpan(at), value);
                try { Assert.Equal(whole.Length, Patch(damaged).Length); }
                catch (InvalidDataException) { refused++; }
            }
        }
        Assert.True(refused > 1000, $"only {refused} damaged files were refused");
    }

    [Theory]
    [InlineData(4, 1, "32-bit")]
    [InlineData(5, 2, "big-endian")]
    [InlineData(18, 183, "machine 183")]
    [InlineData(16, 2, "type 2")]
    [InlineData(60, 0, "section headers")]
    [InlineData(58, 40, "section headers of 40 bytes")]
    public void Foreign_ELF_files_are_named(int at, byte value, string says)
    {
        byte[] file = ElfSample.Bytes();
        file[at] = value;
        Assert.Contains(says, Assert.Throws<InvalidDataException>(() => Patch(file)).Message);
    }

    [Theory]
    [InlineData("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsVWlPwAAAABJRU5ErkJggg==")]
    [InlineData("TVqQAAMAAAAEAAAA//8AALgAAAAAAAAA")]
    [InlineData("IyEvYmluL3NoCmVjaG8gaGVsbG8K")]
    [InlineData("")]
    public void Files_that_are_no_ELF_are_named(string base64) =>
        Assert.Contains("not an ELF file", Assert.Throws<InvalidDataException>(() => Patch(Convert.FromBase64String(base64))).Message);

    [Fact]
    public void Another_function_under_the_version_is_refused() =>
        Assert.Contains("second symbol", Assert.Throws<InvalidDataException>(() => Patch(ElfSample.Bytes(secondUser: true))).Message);

    [Fact]
    public void Absent_version_and_symbol_are_named()
    {
        byte[] file = ElfSample.Bytes();
        Assert.Contains("does not require GLIBCXX_3.4.99", Assert.Throws<InvalidDataException>(() => ElfPatch.Apply(file, "GLIBCXX_3.4.99", ElfSample.Symbol)).Message);
        Assert.Contains("second symbol", Assert.Throws<InvalidDataException>(() => ElfPatch.Apply(file, ElfSample.Version, "absent")).Message);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(ElfSample.IndexAt), 5);
        Assert.Contains("no dynamic symbol absent", Assert.Throws<InvalidDataException>(() => ElfPatch.Apply(file, ElfSample.Version, "absent")).Message);
    }

    [Fact]
    public void The_input_is_left_as_it_was()
    {
        byte[] file = ElfSample.Bytes();
        Patch(file);
        Assert.Equal(ElfSample.Bytes(), file);
    }

    [Fact]
    public void TorchSharps_own_library_is_patched_in_a_few_bytes_and_its_prefixes_are_errors()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");
        if (!File.Exists(path)) Assert.Skip("libLibTorchSharp.so is not beside the tests");
        byte[] before = File.ReadAllBytes(path), after = Patch(before);
        Assert.Equal(before.Length, after.Length);
        Assert.InRange(Enumerable.Range(0, before.Length).Count(i => before[i] != after[i]), 4, 2 + 2 + 1 + 2 + 8);
        Assert.Equal(after, Patch(after));
        foreach (int length in (int[])[0, 3, 4, 63, 64, 1000, before.Length / 3, before.Length / 2, before.Length - 64 * 31, before.Length - 1])
            Assert.Throws<InvalidDataException>(() => Patch(before.AsSpan(0, length)));
    }

    [Fact]
    public void A_library_without_the_need_is_refused()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "libSkiaSharp.so");
        if (!File.Exists(path)) Assert.Skip("libSkiaSharp.so is not beside the tests");
        Assert.Contains(ElfSample.Version, Assert.Throws<InvalidDataException>(() => Patch(File.ReadAllBytes(path))).Message);
    }
}
