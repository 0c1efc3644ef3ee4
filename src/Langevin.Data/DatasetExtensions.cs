namespace Langevin.Data;

/// <summary>Ways to cut, decorate and walk a set.</summary>
public static class DatasetExtensions
{
    /// <summary>A range of items, e.g. <c>set.Subset(..9000)</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or outside the set.</exception>
    public static IDataset Subset(this IDataset set, Range range)
    {
        int from = range.Start.GetOffset(set.Count), to = range.End.GetOffset(set.Count);
        if (from < 0 || to > set.Count || from >= to) throw new ArgumentOutOfRangeException(nameof(range), range, $"{set.Name} has {set.Count} items: the range is empty or outside.");
        return new Subset(set, [.. Enumerable.Range(from, to - from)]);
    }

    /// <summary>Splits at random into a part for training and one for judging; the same seed gives the same parts.</summary>
    /// <param name="set">At least two items.</param>
    /// <param name="trainFraction">Share of the first part, in (0, 1); each part keeps at least one item.</param>
    /// <param name="seed">Decides who goes where.</param>
    public static (IDataset Train, IDataset Test) Split(this IDataset set, double trainFraction, long seed = 0)
    {
        if (!(trainFraction > 0 && trainFraction < 1)) throw new ArgumentOutOfRangeException(nameof(trainFraction), trainFraction, "Expected a share between 0 and 1.");
        if (set.Count < 2) throw new ArgumentException($"'{set.Name}' has {set.Count} item: too few to split.", nameof(set));
        int[] order = new SeededRandom(seed, stream: 1).Permutation(set.Count);
        int train = Math.Clamp((int)Math.Round(trainFraction * set.Count), 1, set.Count - 1);
        return (new Subset(set, order[..train]), new Subset(set, order[train..]));
    }

    /// <summary>Mirrors images left and right with probability ½.</summary>
    public static IDataset Flipped(this IDataset set) => new Augmented(set, flip: true);

    /// <summary>Shifts images by up to <paramref name="pixels"/> in each direction, repeating the edge.</summary>
    public static IDataset Shifted(this IDataset set, int pixels) => new Augmented(set, shift: pixels);

    /// <summary>Every item once, in order; the last batch may be smaller. Each batch is the caller's to dispose.</summary>
    public static IEnumerable<Batch> InOrder(this IDataset set, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        for (int at = 0; at < set.Count; at += batchSize)
        {
            var indices = new long[Math.Min(batchSize, set.Count - at)];
            for (int i = 0; i < indices.Length; i++) indices[i] = at + i;
            yield return set.Get(indices, seed: 0);
        }
    }
}
