using System.Globalization;
using System.Text;

namespace Langevin.Metrics.Molecules;

/// <summary>
/// A text that two molecules share exactly when they are the same graph: a bijection of the atoms keeps elements and bonds.
/// Positions, stereochemistry, charges and the order of the atoms do not matter.
/// </summary>
/// <remarks>
/// Unlike canonical SMILES it knows no aromaticity: two Kekulé structures of one ring may differ. With explicit hydrogen atoms,
/// leaving out the orders makes them equal.
/// </remarks>
public static class CanonicalForm
{
    /// <summary>
    /// Elements in canonical order, then the bonds: <c>C O|0=1</c>. Colour refinement with individualisation, searched for the
    /// least labelling and pruned by automorphisms (McKay and Piperno 2014, J. Symb. Comput. 60): exact for every graph.
    /// </summary>
    /// <param name="molecule">With bonds.</param>
    /// <param name="orders">Whether bonds of different orders differ.</param>
    public static string Of(Molecule molecule, bool orders = true)
    {
        var neighbours = molecule.Neighbours();
        if (!orders)
            foreach (var list in neighbours)
                for (int k = 0; k < list.Length; k++) list[k].Order = 0;
        int[] place = new CanonicalSearch(neighbours).Place(Colours(molecule.Elements));
        string[] elements = new string[place.Length];
        for (int a = 0; a < place.Length; a++) elements[place[a]] = molecule.Elements[a];
        var text = new StringBuilder().AppendJoin(' ', elements).Append('|');
        string mark = "~-=#";
        text.AppendJoin(' ', CanonicalSearch.Edges(neighbours, place).Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Low}{mark[e.Label]}{e.High}")));
        return text.ToString();
    }

    /// <summary>The different forms of a set.</summary>
    /// <param name="molecules">With bonds.</param>
    /// <param name="orders">Whether bonds of different orders differ.</param>
    public static IReadOnlySet<string> Distinct(IEnumerable<Molecule> molecules, bool orders = true)
    {
        ArgumentNullException.ThrowIfNull(molecules);
        var forms = new HashSet<string>(StringComparer.Ordinal);
        foreach (var molecule in molecules) forms.Add(Of(molecule, orders));
        return forms;
    }

    /// <summary>Elements as colours: the number of atoms whose symbol comes before.</summary>
    private static int[] Colours(IReadOnlyList<string> elements)
    {
        string[] sorted = [.. elements.Order(StringComparer.Ordinal)];
        return [.. elements.Select(e => Array.IndexOf(sorted, e))];
    }
}
