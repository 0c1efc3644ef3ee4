using System.Buffers.Binary;
using Langevin.Data;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

/// <summary>Files of points: hand-written ones of every kind, published ones, and damaged ones.</summary>
public sealed class PointFileTests : IDisposable
{
    private static readonly double[,] Truth = { { 0, 0.5, -1 }, { 2, 3.25, 4 } };
    private readonly TempFolder folder = new();
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    private string Put(string name, string text)
    {
        File.WriteAllText(folder[name], text);
        return folder[name];
    }

    private static byte[] BinaryPly(bool big)
    {
        byte[] head = System.Text.Encoding.ASCII.GetBytes(
            $"ply\nformat binary_{(big ? "big" : "little")}_endian 1.0\ncomment none\nelement vertex 2\nproperty uchar red\nproperty double x\nproperty float y\nproperty short z\nelement face 0\nproperty list uchar int vertex_indices\nend_header\n");
        var body = new List<byte>();
        for (int i = 0; i < 2; i++)
        {
            byte[] x = new byte[8], y = new byte[4], z = new byte[2];
            if (big)
            {
                BinaryPrimitives.WriteDoubleBigEndian(x, Truth[i, 0]);
                BinaryPrimitives.WriteSingleBigEndian(y, (float)Truth[i, 1]);
                BinaryPrimitives.WriteInt16BigEndian(z, (short)Truth[i, 2]);
            }
            else
            {
                BinaryPrimitives.WriteDoubleLittleEndian(x, Truth[i, 0]);
                BinaryPrimitives.WriteSingleLittleEndian(y, (float)Truth[i, 1]);
                BinaryPrimitives.WriteInt16LittleEndian(z, (short)Truth[i, 2]);
            }
            body.AddRange([7, .. x, .. y, .. z]);
        }
        return [.. head, .. body];
    }

    [Fact]
    public void Every_kind_gives_the_same_points()
    {
        string[] paths =
        [
            Put("a.xyz", "# points\n0 0.5 -1 9 9\n\n2,3.25,4\r\n"),
            Put("a.obj", "o thing\nv 0 0.5 -1 0.2 0.2 0.2\nvn 0 0 1\nv 2 3.25 4\nf 1 2 1\n"),
            Put("a.off", "OFF\n# counts\n2 0 0\n0 0.5 -1\n2 3.25 4\n"),
            Put("b.off", "OFF2 0 0\n0 0.5 -1\n2 3.25 4\n"),
            Put("a.ply", "ply\nformat ascii 1.0\nelement vertex 2\nproperty float y\nproperty float x\nproperty float z\nelement face 1\nproperty list uchar int i\nend_header\n0.5 0 -1\n3.25 2 4\n3 0 1 0\n"),
        ];
        foreach (bool big in new[] { false, true }) File.WriteAllBytes(folder[$"{big}.ply"], BinaryPly(big));
        foreach (string path in paths.Concat([folder["False.ply"], folder["True.ply"]]))
        {
            Assert.True(PointFile.HasPointExtension(path));
            Assert.True(tensor(Truth).SameAs(PointFile.Load(path)));
        }
    }

    [Fact]
    public void Published_files_are_read()
    {
        var bunny = PointFile.Load(Shared.Data("pointclouds/bunny4096.ply"));
        Assert.Equal([4096, 3], bunny.shape);
        Assert.True(tensor(new[] { -0.6665, 0.32642, -0.084595 }).SameAs(bunny[0]));
        var spot = PointFile.Load(Shared.Data("pointclouds/spot.obj.gz"));
        Assert.True(tensor(new[] { 0.348799, -0.334989, -0.0832331 }).SameAs(spot[0]));
    }

    [Fact]
    public void Damaged_files_are_refused_by_name()
    {
        (string Name, string Text)[] bad =
        [
            ("a.xyz", ""), ("b.xyz", "1 2 three\n"), ("c.xyz", "1 2 NaN\n"), ("a.obj", "f 1 2 3\n"), ("a.off", "2 0 0\n1 2 3\n"), ("b.off", "OFF\n5 0 0\n1 2 3\n"),
            ("a.ply", "plx\n"), ("b.ply", "ply\nformat ascii 1.0\nelement vertex 5\nproperty float x\nproperty float y\nproperty float z\nend_header\n1 2 3\n"),
            ("c.ply", "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n1\n"),
            ("d.ply", "ply\nformat binary_little_endian 1.0\nelement vertex 99999999999\nproperty float x\nproperty float y\nproperty float z\nend_header\n1234"),
            ("e.ply", "ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty quad x\nproperty float y\nproperty float z\nend_header\n1234"),
        ];
        foreach (var (name, text) in bad)
            Assert.Contains(name, Assert.Throws<InvalidDataException>(() => PointFile.Load(Put(name, text))).Message, StringComparison.Ordinal);
        var random = new Random(3);
        byte[] good = BinaryPly(false);
        for (int i = 0; i < 500; i++)
        {
            byte[] mutated = [.. good];
            for (int k = 0; k < 3; k++) mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(folder["m.ply"], mutated);
            try { PointFile.Load(folder["m.ply"]).Dispose(); }
            catch (InvalidDataException) { }
        }
    }
}
