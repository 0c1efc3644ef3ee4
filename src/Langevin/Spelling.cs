namespace Langevin;

/// <summary>Finds what a mistyped name may have meant.</summary>
public static class Spelling
{
    /// <summary>The candidate at the smallest edit distance; empty when there is none.</summary>
    public static string Nearest(string name, IEnumerable<string> candidates) => candidates.MinBy(c => Distance(name, c)) ?? "";

    /// <summary>Levenshtein distance: insertions, deletions and substitutions of one character.</summary>
    public static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }
}
