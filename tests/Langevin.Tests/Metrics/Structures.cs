using System.Globalization;
using System.IO.Compression;
using Langevin.Metrics.Molecules;

namespace Langevin.Tests.Metrics;

/// <summary>Molecules for tests.</summary>
internal static class Structures
{
    /// <summary>The 1,000 of shared/data/molecules with the bonds of the file (MDL molfiles, version 2000).</summary>
    public static IReadOnlyList<Molecule> Gdb()
    {
        using var file = new StreamReader(new GZipStream(File.OpenRead(Shared.Data(Path.Combine("molecules", "gdb1k.sdf.gz"))), CompressionMode.Decompress));
        var molecules = new List<Molecule>();
        while (file.ReadLine() is not null)
        {
            file.ReadLine();
            file.ReadLine();
            string counts = file.ReadLine()!;
            var atoms = Lines(Integer(counts, 0));
            var bonds = Lines(Integer(counts, 3));
            molecules.Add(new(
                atoms.Select(l => l.Substring(31, 3).Trim()),
                atoms.Select(l => (Number(l, 0), Number(l, 10), Number(l, 20))),
                bonds.Select(l => new Bond(Integer(l, 0) - 1, Integer(l, 3) - 1, Integer(l, 6)))));
            while (file.ReadLine() != "$$$$") { }
        }
        return molecules;

        string[] Lines(int count) => [.. Enumerable.Range(0, count).Select(_ => file.ReadLine()!)];
        static int Integer(string line, int at) => int.Parse(line.AsSpan(at, 3), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
        static double Number(string line, int at) => double.Parse(line.AsSpan(at, 10), CultureInfo.InvariantCulture);
    }

    /// <summary>A graph of carbon atoms without orders worth the name.</summary>
    public static Molecule Graph(int vertices, IEnumerable<(int, int)> edges) =>
        new(Enumerable.Repeat("C", vertices), bonds: edges.Select(e => new Bond(e.Item1, e.Item2, 1)));

    /// <summary>The molecule with its atoms in another order.</summary>
    public static Molecule Shuffled(Molecule molecule, Random random)
    {
        int[] order = [.. Enumerable.Range(0, molecule.Elements.Count)];
        random.Shuffle(order);
        int[] place = new int[order.Length];
        for (int k = 0; k < order.Length; k++) place[order[k]] = k;
        Bond[]? bonds = molecule.Bonds?.Select(b => new Bond(place[b.Second], place[b.First], b.Order)).ToArray();
        if (bonds is not null) random.Shuffle(bonds);
        return new(order.Select(a => molecule.Elements[a]), molecule.Positions is { } at ? order.Select(a => at[a]) : null, bonds);
    }

    /// <summary>The atoms that are no hydrogen, all called carbon where asked.</summary>
    public static Molecule Heavy(Molecule molecule, bool elements)
    {
        int[] atoms = [.. Enumerable.Range(0, molecule.Elements.Count).Where(a => molecule.Elements[a] != "H")];
        return new(
            atoms.Select(a => elements ? molecule.Elements[a] : "C"),
            bonds: from b in molecule.Bonds
                   let ends = (First: Array.IndexOf(atoms, b.First), Second: Array.IndexOf(atoms, b.Second))
                   where ends.First >= 0 && ends.Second >= 0
                   select new Bond(ends.First, ends.Second, b.Order));
    }
}
