using System.Globalization;
using System.Text.RegularExpressions;

namespace Langevin.Metrics.Text;

/// <summary>Plain tokenizers. Scores of different tokenizers do not compare: name the one used.</summary>
public static class Tokenizers
{
    /// <summary>Lower-case words and punctuation marks: <see cref="WordTokenizer"/> as it comes.</summary>
    public static ITokenizer Words { get; } = new WordTokenizer();

    /// <summary>What stands between white space, unchanged: for text that is tokenised already, and for phonemes.</summary>
    public static ITokenizer WhiteSpace { get; } = new WhiteSpaceTokenizer();

    /// <summary>Characters as a reader sees them (extended grapheme clusters), spaces included, unchanged.</summary>
    public static ITokenizer Characters { get; } = new CharacterTokenizer();

    /// <summary>The tokens of each text.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> TokenizeAll(this ITokenizer tokenizer, IEnumerable<string> texts)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(texts);
        return [.. texts.Select(tokenizer.Tokenize)];
    }

    /// <summary>The tokens of sets of texts, such as the several references of each candidate.</summary>
    public static IReadOnlyList<IReadOnlyList<IReadOnlyList<string>>> TokenizeAll(this ITokenizer tokenizer, IEnumerable<IEnumerable<string>> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        return [.. sets.Select(tokenizer.TokenizeAll)];
    }

    private sealed class WhiteSpaceTokenizer : ITokenizer
    {
        public IReadOnlyList<string> Tokenize(string text)
        {
            ArgumentNullException.ThrowIfNull(text);
            return text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        }
    }

    private sealed class CharacterTokenizer : ITokenizer
    {
        public IReadOnlyList<string> Tokenize(string text)
        {
            ArgumentNullException.ThrowIfNull(text);
            var characters = new List<string>(text.Length);
            for (var at = StringInfo.GetTextElementEnumerator(text); at.MoveNext();) characters.Add(at.GetTextElement());
            return characters;
        }
    }
}

/// <summary>
/// Words and punctuation. A word is a run of letters, combining marks and digits, with apostrophes inside it ("don't" is
/// one word); every other character that is not white space is a token by itself.
/// </summary>
public sealed partial record WordTokenizer : ITokenizer
{
    /// <summary>Lower-case the text first, by the invariant culture.</summary>
    public bool LowerCase { get; init; } = true;

    /// <summary>Keep punctuation as tokens; caption scores are mostly computed without.</summary>
    public bool Punctuation { get; init; } = true;

    /// <inheritdoc/>
    public IReadOnlyList<string> Tokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        // ToLowerInvariant on purpose: lower case is what published scores are computed on.
#pragma warning disable CA1308
        var matches = Token().Matches(LowerCase ? text.ToLowerInvariant() : text);
#pragma warning restore CA1308
        return [.. matches.Where(m => Punctuation || m.Groups["word"].Success).Select(m => m.Value)];
    }

    [GeneratedRegex(@"(?<word>[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*)|[\uD800-\uDBFF][\uDC00-\uDFFF]|\S")]
    private static partial Regex Token();
}
