using System.Text;
using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>
/// A text of simple English sentences in 27 characters, a to z and the space, as text8 has them: subjects agree with their verbs, some have
/// relative clauses. Sentence i is a pure function of (seed, i).
/// </summary>
public static class Corpus
{
    /// <summary>The characters by their token: the space is 0, "a" is 1.</summary>
    public const string Alphabet = " abcdefghijklmnopqrstuvwxyz";

    private static readonly string[] Nouns = ["dog", "cat", "bird", "horse", "child", "farmer", "sailor", "teacher", "king", "robot", "river", "garden", "house", "tree", "boat", "stone"];
    private static readonly string[] Plurals = ["dogs", "cats", "birds", "horses", "children", "farmers", "sailors", "teachers", "kings", "robots", "rivers", "gardens", "houses", "trees", "boats", "stones"];
    private static readonly string[] Verbs = ["see", "follow", "like", "find", "watch", "paint", "draw", "help", "leave", "want"];
    private static readonly string[] Adjectives = ["grey", "small", "red", "quiet", "happy", "young", "brave", "green", "strange", "tall"];
    private static readonly string[] Places = ["near", "behind", "under", "beside", "above"];
    private static readonly string[] Times = ["today", "every morning", "at night", "in winter", "again"];

    /// <summary>The words that sentences are made of.</summary>
    public static IReadOnlySet<string> Words { get; } = new HashSet<string>(
        [.. Nouns, .. Plurals, .. Verbs, .. Verbs.Select(v => v + "s"), .. Adjectives, .. Places, .. Times.SelectMany(t => t.Split(' ')), "the", "a", "some", "who", "and"], StringComparer.Ordinal);

    /// <summary>A sentence.</summary>
    public static string Sentence(long seed, long item)
    {
        var random = new SeededRandom(seed, stream: 0x54455854, item: item);
        var text = new StringBuilder();
        bool plural = Noun(ref random, text, people: true);
        if (random.NextDouble() < 0.2)
        {
            text.Append(" who ").Append(Verb(ref random, plural)).Append(' ');
            Noun(ref random, text, people: false);
        }
        text.Append(' ').Append(Verb(ref random, plural)).Append(' ');
        Noun(ref random, text, people: false);
        if (random.NextDouble() < 0.3)
        {
            text.Append(' ').Append(Pick(ref random, Places)).Append(' ');
            Noun(ref random, text, people: false);
        }
        if (random.NextDouble() < 0.3) text.Append(' ').Append(Pick(ref random, Times));
        return text.ToString();
    }

    /// <summary>Sentences joined by spaces, cut at a length.</summary>
    /// <param name="characters">The length, at least 1.</param>
    /// <param name="seed">Decides the text.</param>
    /// <param name="first">Number of the first sentence; a range of its own gives a held-out text.</param>
    public static string Text(int characters, long seed = 0, long first = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(characters, 1);
        var text = new StringBuilder(characters + 80);
        for (long i = first; text.Length < characters; i++) text.Append(Sentence(seed, i)).Append(' ');
        return text.ToString(0, characters);
    }

    /// <summary>Any text in these characters: letters become lower case, all else one space.</summary>
    public static string Simplify(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var simple = new StringBuilder(text.Length);
        foreach (char c in text)
            if (char.IsAsciiLetter(c)) simple.Append(char.ToLowerInvariant(c));
            else if (simple.Length == 0 || simple[^1] != ' ') simple.Append(' ');
        return simple.ToString();
    }

    /// <summary>The tokens of a text, cut into stretches one after another: int64 [N, length]; what is left over is dropped.</summary>
    /// <exception cref="ArgumentException">A character that is none of these, or a text shorter than a stretch.</exception>
    public static Tensor Stretches(string text, int length)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (length < 1 || text.Length < length) throw new ArgumentException($"A text of {text.Length} characters has no stretch of {length}.", nameof(length));
        long[] tokens = [.. text.Take(text.Length / length * length).Select(c => (long)Alphabet.IndexOf(c))];
        if (Array.IndexOf(tokens, -1L) is >= 0 and var at) throw new ArgumentException($"Character '{text[at]}' at {at} is none of a to z and the space: simplify the text first.", nameof(text));
        return tensor(tokens).view(-1, length);
    }

    /// <summary>The text of tokens [L]; "?" for what is no character.</summary>
    public static string Decode(Tensor tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        using var flat = tokens.cpu().contiguous();
        return string.Concat(flat.data<long>().ToArray().Select(t => t is >= 0 and < 27 ? Alphabet[(int)t] : '?'));
    }

    // Whether it is plural.
    private static bool Noun(ref SeededRandom random, StringBuilder text, bool people)
    {
        bool plural = random.NextDouble() < 0.4;
        text.Append(random.NextDouble() < 0.6 ? "the" : plural ? "some" : "a");
        if (random.NextDouble() < 0.4) text.Append(' ').Append(Pick(ref random, Adjectives));
        int which = random.Next(people ? 10 : Nouns.Length);
        text.Append(' ').Append(plural ? Plurals[which] : Nouns[which]);
        return plural;
    }

    private static string Verb(ref SeededRandom random, bool plural) => Pick(ref random, Verbs) + (plural ? "" : "s");

    private static string Pick(ref SeededRandom random, string[] words) => words[random.Next(words.Length)];
}
