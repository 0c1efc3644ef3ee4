namespace Langevin.Metrics.Text;

/// <summary>The edits of a cheapest alignment.</summary>
/// <param name="Substitutions">Reference tokens that became others.</param>
/// <param name="Deletions">Reference tokens that are missing.</param>
/// <param name="Insertions">Tokens that no reference token corresponds to.</param>
public readonly record struct EditCounts(int Substitutions, int Deletions, int Insertions)
{
    /// <summary>The edit distance.</summary>
    public int Total => Substitutions + Deletions + Insertions;
}

/// <summary>The least number of substitutions, deletions and insertions that make one sequence another (Levenshtein 1966).</summary>
public static class EditDistance
{
    /// <summary>
    /// Edits that lead from a reference to a hypothesis. Of the cheapest alignments that with most substitutions is
    /// counted, which settles the three numbers. A metric by its total: symmetric, with the triangle inequality.
    /// </summary>
    /// <param name="hypothesis">Token sequence of any length.</param>
    /// <param name="reference">Token sequence of any length.</param>
    public static EditCounts Between<T>(IReadOnlyList<T> hypothesis, IReadOnlyList<T> reference) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(hypothesis);
        ArgumentNullException.ThrowIfNull(reference);
        int rows = hypothesis.Count, columns = reference.Count;
        // An edit costs one unit, a substitution one part in a unit less: fewest edits first, most substitutions among those.
        long unit = (long)rows + columns + 1;
        var equal = EqualityComparer<T>.Default;
        var row = new long[columns + 1];
        for (int j = 0; j <= columns; j++) row[j] = j * unit;
        for (int i = 1; i <= rows; i++)
        {
            long diagonal = row[0];
            row[0] = i * unit;
            for (int j = 1; j <= columns; j++)
            {
                long replaced = diagonal + (equal.Equals(hypothesis[i - 1], reference[j - 1]) ? 0 : unit - 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + unit);
            }
        }
        int total = (int)((row[columns] + unit - 1) / unit);
        int substitutions = (int)(total * unit - row[columns]), rest = total - substitutions, missing = columns - rows;
        return new(substitutions, (rest + missing) / 2, (rest - missing) / 2);
    }
}
