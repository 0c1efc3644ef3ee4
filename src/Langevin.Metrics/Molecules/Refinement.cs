namespace Langevin.Metrics.Molecules;

/// <summary>
/// Colour refinement (Weisfeiler and Leman 1968). A colour is the number of vertices of lower colours, so that a cell keeps its
/// place while it splits and a vertex alone in its cell keeps its colour.
/// </summary>
internal static class Refinement
{
    /// <summary>Splits cells by the colours of the neighbours until that changes nothing.</summary>
    /// <returns>A number that depends on the coloured graph only, not on how its vertices are numbered.</returns>
    public static ulong Refine((int Vertex, int Label)[][] neighbours, int[] colour)
    {
        int n = colour.Length;
        var keys = new (int Colour, ulong Seen)[n];
        int[] order = new int[n];
        ulong trace = 0;
        for (int cells = 0, before = -1; cells > before;)
        {
            before = cells;
            for (int v = 0; v < n; v++)
            {
                // Two neighbourhoods of one sum would only stay together: the search tells them apart.
                ulong seen = 0;
                foreach (var (w, label) in neighbours[v]) seen += Mix(((ulong)(uint)colour[w] << 8) + (uint)label + 1);
                (keys[v], order[v]) = ((colour[v], seen), v);
            }
            Array.Sort(keys, order);
            cells = 0;
            for (int k = 0, start = 0; k < n; k++)
            {
                if (k == 0 || keys[k] != keys[k - 1])
                {
                    start = k;
                    cells++;
                    trace = Mix(trace ^ ((ulong)(uint)k + Mix(keys[k].Seen)));
                }
                colour[order[k]] = start;
            }
        }
        return trace;
    }

    /// <summary>The smallest cell of more than one vertex, the first of equals; null where there is none.</summary>
    public static int[]? Target(int[] colour)
    {
        int[] sizes = new int[colour.Length];
        foreach (int c in colour) sizes[c]++;
        int best = -1;
        for (int c = 0; c < sizes.Length; c++)
            if (sizes[c] > 1 && (best < 0 || sizes[c] < sizes[best])) best = c;
        return best < 0 ? null : [.. Enumerable.Range(0, colour.Length).Where(v => colour[v] == best)];
    }

    /// <summary>The colours with one vertex of a cell set before the others.</summary>
    public static int[] Individualise(int[] colour, int vertex)
    {
        int[] next = [.. colour];
        for (int v = 0; v < next.Length; v++)
            if (v != vertex && next[v] == colour[vertex]) next[v]++;
        return next;
    }

    /// <summary>SplitMix64's finaliser (Steele et al. 2014): the same in every process, unlike HashCode.</summary>
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
