namespace Langevin.Metrics.Molecules;

/// <summary>A molecule's bonds as a graph.</summary>
internal static class Graph
{
    /// <summary>The bonds, which must be known.</summary>
    public static IReadOnlyList<Bond> KnownBonds(this Molecule molecule)
    {
        ArgumentNullException.ThrowIfNull(molecule);
        return molecule.Bonds ?? throw new ArgumentException("the molecule's bonds are not known: infer them first, by BondInference.FromDistances", nameof(molecule));
    }

    /// <summary>Sum of the bond orders of each atom.</summary>
    public static int[] Orders(this Molecule molecule)
    {
        int[] orders = new int[molecule.Elements.Count];
        foreach (var bond in molecule.KnownBonds())
        {
            orders[bond.First] += bond.Order;
            orders[bond.Second] += bond.Order;
        }
        return orders;
    }

    /// <summary>The neighbours of each atom with the orders of the bonds to them.</summary>
    public static (int Atom, int Order)[][] Neighbours(this Molecule molecule)
    {
        var lists = molecule.Elements.Select(_ => new List<(int, int)>()).ToArray();
        foreach (var bond in molecule.KnownBonds())
        {
            lists[bond.First].Add((bond.Second, bond.Order));
            lists[bond.Second].Add((bond.First, bond.Order));
        }
        return [.. lists.Select(l => l.ToArray())];
    }

    /// <summary>The fragment of each atom, numbered from 0 in the order of their first atoms.</summary>
    public static int[] Fragments(this Molecule molecule)
    {
        var neighbours = molecule.Neighbours();
        int[] fragment = new int[neighbours.Length];
        Array.Fill(fragment, -1);
        var open = new Stack<int>();
        for (int first = 0, count = 0; first < fragment.Length; first++)
        {
            if (fragment[first] >= 0) continue;
            fragment[first] = count;
            open.Push(first);
            while (open.TryPop(out int atom))
                foreach (var (other, _) in neighbours[atom])
                    if (fragment[other] < 0)
                    {
                        fragment[other] = count;
                        open.Push(other);
                    }
            count++;
        }
        return fragment;
    }
}
