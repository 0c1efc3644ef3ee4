namespace Langevin.Metrics.Molecules;

/// <summary>
/// The tree of refined colourings: each node sets one vertex of a cell apart, each leaf gives every vertex a place. The
/// canonical leaf has the least traces, then the least list of edges.
/// </summary>
internal sealed class CanonicalSearch((int Vertex, int Label)[][] neighbours)
{
    /// <summary>A leaf: the vertices set apart on the way, the traces, each vertex's place, the edges by places.</summary>
    private sealed record Leaf(int[] Path, ulong[] Traces, int[] Place, (int Low, int High, int Label)[] Edges);

    private readonly List<int> path = [];
    private readonly List<ulong> traces = [];
    private readonly List<int[]> automorphisms = [.. Twins(neighbours)];
    private Leaf? first, best;

    /// <summary>The canonical place of each vertex.</summary>
    /// <param name="colour">Colours as <see cref="Refinement"/> counts them; vertices of different colours are never exchanged.</param>
    public int[] Place(int[] colour)
    {
        automorphisms.RemoveAll(g => Enumerable.Range(0, colour.Length).Any(v => colour[g[v]] != colour[v]));
        Explore([.. colour]);
        return best!.Place;
    }

    /// <summary>The edges by the places of their ends, in order.</summary>
    public static (int Low, int High, int Label)[] Edges((int Vertex, int Label)[][] neighbours, int[] place)
    {
        var edges = new List<(int, int, int)>();
        for (int v = 0; v < place.Length; v++)
            foreach (var (w, label) in neighbours[v])
                if (place[v] < place[w]) edges.Add((place[v], place[w], label));
        edges.Sort();
        return [.. edges];
    }

    /// <summary>Explores a node; returns the depth of the node to go on with, this one's or less.</summary>
    private int Explore(int[] colour)
    {
        int depth = path.Count;
        traces.Add(Refinement.Refine(neighbours, colour));
        int goOn = depth;
        if (best is null || Compare(traces, best.Traces) <= 0)
        {
            if (Refinement.Target(colour) is { } cell)
            {
                var explored = new List<int>();
                foreach (int vertex in cell)
                {
                    if (explored.Count > 0 && Orbits() is var orbit && explored.Exists(v => orbit[v] == orbit[vertex])) continue;
                    explored.Add(vertex);
                    path.Add(vertex);
                    goOn = Explore(Refinement.Individualise(colour, vertex));
                    path.RemoveAt(depth);
                    if (goOn < depth) break;
                    goOn = depth;
                }
            }
            else
            {
                goOn = Visit(colour);
            }
        }
        traces.RemoveAt(depth);
        return goOn;
    }

    /// <summary>A leaf equal to one before shows an automorphism: all below the child of their common node was seen in other words.</summary>
    private int Visit(int[] place)
    {
        var leaf = new Leaf([.. path], [.. traces], place, Edges(neighbours, place));
        foreach (var old in new[] { first, best })
            if (old is not null && leaf.Edges.AsSpan().SequenceEqual(old.Edges))
            {
                int[] at = new int[place.Length];
                for (int v = 0; v < place.Length; v++) at[old.Place[v]] = v;
                automorphisms.Add([.. place.Select(p => at[p])]);
                return leaf.Path.AsSpan().CommonPrefixLength(old.Path);
            }
        first ??= leaf;
        if (best is null || Compare(leaf, best) < 0) best = leaf;
        return path.Count;
    }

    /// <summary>A representative of each vertex's orbit under the known automorphisms that leave the path in place.</summary>
    private int[] Orbits()
    {
        int[] root = [.. Enumerable.Range(0, neighbours.Length)];
        int Find(int v)
        {
            while (root[v] != v) v = root[v] = root[root[v]];
            return v;
        }
        foreach (int[] g in automorphisms)
            if (path.TrueForAll(v => g[v] == v))
                for (int v = 0; v < g.Length; v++) root[Find(v)] = Find(g[v]);
        for (int v = 0; v < root.Length; v++) root[v] = Find(v);
        return root;
    }

    /// <summary>Exchanges of two vertices with the same neighbours, such as the hydrogen atoms of a methyl group: automorphisms for nothing.</summary>
    private static IEnumerable<int[]> Twins((int Vertex, int Label)[][] neighbours)
    {
        var groups = Enumerable.Range(0, neighbours.Length).GroupBy(v => string.Join(' ', neighbours[v].Order()));
        foreach (int[] group in groups.Select(g => g.ToArray()))
            for (int k = 1; k < group.Length; k++)
            {
                int[] exchange = [.. Enumerable.Range(0, neighbours.Length)];
                (exchange[group[k - 1]], exchange[group[k]]) = (group[k], group[k - 1]);
                yield return exchange;
            }
    }

    /// <summary>Of the traces so far and a whole leaf's: a beginning of those is neither worse nor better.</summary>
    private static int Compare(List<ulong> soFar, ulong[] whole)
    {
        for (int k = 0; k < Math.Min(soFar.Count, whole.Length); k++)
            if (soFar[k] != whole[k]) return soFar[k].CompareTo(whole[k]);
        return soFar.Count > whole.Length ? 1 : 0;
    }

    private static int Compare(Leaf x, Leaf y)
    {
        int traces = x.Traces.AsSpan().SequenceCompareTo(y.Traces);
        return traces != 0 ? traces : x.Edges.AsSpan().SequenceCompareTo(y.Edges);
    }
}
