namespace Langevin.Tests.Metrics;

/// <summary>
/// A corpus that other programs can make too: words drawn by the linear congruential generator s ← 1103515245 s + 12345
/// (mod 2³¹), of which the upper bits are taken.
/// </summary>
internal sealed class TextCorpus
{
    private static readonly string[] Words =
        "the a cat cats sat sitting on mat runs running happily happy big bigger houses house national nation relational . , of".Split(' ');

    private long state;

    public TextCorpus(int items, long seed)
    {
        state = seed;
        Candidates = new string[items][];
        References = new string[items][][];
        for (int i = 0; i < items; i++)
        {
            int count = 1 + Below(3);
            References[i] = [.. Enumerable.Range(0, count).Select(_ => Text(i % 7 == 0 ? 1 : 5, 14))];
            Candidates[i] = Corrupted(References[i][0]);
        }
    }

    public string[][] Candidates { get; }

    public string[][][] References { get; }

    private int Below(int n)
    {
        state = (state * 1103515245 + 12345) % 2147483648;
        return (int)((state >> 16) % n);
    }

    private string Word() => Words[Below(Words.Length)];

    private string[] Text(int least, int most)
    {
        int length = least + Below(most - least + 1);
        return [.. Enumerable.Range(0, length).Select(_ => Word())];
    }

    private string[] Corrupted(string[] reference)
    {
        var words = new List<string>();
        foreach (string word in reference)
        {
            int kind = Below(10);
            if (kind == 0) continue;
            if (kind == 1) words.Add(Word());
            words.Add(kind is 2 or 3 ? Word() : word);
        }
        return words.Count > 0 ? [.. words] : ["the"];
    }
}
