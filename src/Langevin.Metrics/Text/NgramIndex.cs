using System.Runtime.InteropServices;

namespace Langevin.Metrics.Text;

/// <summary>
/// Numbers n-grams, so that counting compares integers: a trie whose nodes are the n-grams seen, 0 being the empty one.
/// N-grams of different orders have different numbers.
/// </summary>
internal sealed class NgramIndex<T> where T : notnull
{
    private readonly Dictionary<T, int> tokens = [];
    private readonly Dictionary<(int Prefix, int Token), int> nodes = [];

    /// <summary>How often each n-gram of order 1, 2, ..., <paramref name="order"/> occurs in a text.</summary>
    public Dictionary<int, int>[] Count(IReadOnlyList<T> text, int order)
    {
        var counts = new Dictionary<int, int>[order];
        for (int n = 0; n < order; n++) counts[n] = [];
        var ids = new int[text.Count];
        for (int i = 0; i < ids.Length; i++) ids[i] = Number(tokens, text[i]);
        for (int start = 0; start < ids.Length; start++)
        {
            int node = 0;
            for (int n = 0; n < order && start + n < ids.Length; n++)
            {
                node = Number(nodes, (node, ids[start + n]));
                CollectionsMarshal.GetValueRefOrAddDefault(counts[n], node, out _)++;
            }
        }
        return counts;
    }

    private static int Number<TKey>(Dictionary<TKey, int> numbers, TKey key) where TKey : notnull
    {
        ref int number = ref CollectionsMarshal.GetValueRefOrAddDefault(numbers, key, out bool known);
        if (!known) number = numbers.Count;
        return number;
    }
}
