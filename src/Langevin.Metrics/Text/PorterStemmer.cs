namespace Langevin.Metrics.Text;

/// <summary>
/// Porter's suffix stripping for English (Porter 1980, Program 14), with the two departures of the author's own programs:
/// step 2 takes "bli" and "logi", and words of one or two letters stay.
/// </summary>
public static class PorterStemmer
{
    private const int Longest = 64;

    private static readonly (string Suffix, string Put)[] Step2 =
    [
        ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"), ("alli", "al"),
        ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"),
        ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("logi", "log"),
    ];

    private static readonly (string Suffix, string Put)[] Step3 =
        [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];

    private static readonly string[] Step4 =
    [
        "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti", "ous", "ive", "ize",
    ];

    /// <summary>The stem of a word in lower case; a token of more than 64 characters comes back as it is.</summary>
    public static string Stem(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        if (word.Length is <= 2 or > Longest) return word;
        word = Participle(Plural(word));
        if (Ends(word, "y", out string stem) && HasVowel(stem)) word = stem + "i";
        word = Replace(Replace(word, Step2), Step3);
        return Final(Remove(word));
    }

    /// <summary>Step 1a.</summary>
    private static string Plural(string word) =>
        Ends(word, "sses", out string stem) ? stem + "ss"
        : Ends(word, "ies", out stem) ? stem + "i"
        : !Ends(word, "ss", out _) && Ends(word, "s", out stem) ? stem
        : word;

    /// <summary>Step 1b.</summary>
    private static string Participle(string word)
    {
        if (Ends(word, "eed", out string stem)) return Measure(stem) > 0 ? stem + "ee" : word;
        if (!((Ends(word, "ed", out stem) || Ends(word, "ing", out stem)) && HasVowel(stem))) return word;
        if (Ends(stem, "at", out _) || Ends(stem, "bl", out _) || Ends(stem, "iz", out _)) return stem + "e";
        if (EndsDouble(stem)) return stem[^1] is 'l' or 's' or 'z' ? stem : stem[..^1];
        return Measure(stem) == 1 && EndsShort(stem) ? stem + "e" : stem;
    }

    /// <summary>Steps 2 and 3: the first suffix that fits is replaced where what precedes it has a measure above 0.</summary>
    private static string Replace(string word, (string Suffix, string Put)[] rules)
    {
        foreach (var (suffix, put) in rules)
            if (Ends(word, suffix, out string stem)) return Measure(stem) > 0 ? stem + put : word;
        return word;
    }

    /// <summary>Step 4.</summary>
    private static string Remove(string word)
    {
        foreach (string suffix in Step4)
            if (Ends(word, suffix, out string stem)) return Measure(stem) > 1 && (suffix != "ion" || stem[^1] is 's' or 't') ? stem : word;
        return word;
    }

    /// <summary>Step 5.</summary>
    private static string Final(string word)
    {
        if (Ends(word, "e", out string stem) && (Measure(stem) > 1 || Measure(stem) == 1 && !EndsShort(stem))) word = stem;
        return word.EndsWith("ll", StringComparison.Ordinal) && Measure(word[..^1]) > 1 ? word[..^1] : word;
    }

    private static bool Ends(string word, string suffix, out string stem)
    {
        bool ends = word.EndsWith(suffix, StringComparison.Ordinal);
        stem = ends ? word[..^suffix.Length] : word;
        return ends;
    }

    /// <summary>y is a vowel after a consonant only.</summary>
    private static bool IsVowel(string word, int i) => word[i] is 'a' or 'e' or 'i' or 'o' or 'u' || word[i] == 'y' && i > 0 && !IsVowel(word, i - 1);

    private static bool HasVowel(string stem)
    {
        for (int i = 0; i < stem.Length; i++)
            if (IsVowel(stem, i)) return true;
        return false;
    }

    /// <summary>The number of times a consonant follows a vowel.</summary>
    private static int Measure(string stem)
    {
        int measure = 0;
        for (int i = 1; i < stem.Length; i++)
            if (!IsVowel(stem, i) && IsVowel(stem, i - 1)) measure++;
        return measure;
    }

    private static bool EndsDouble(string stem) => stem.Length >= 2 && stem[^1] == stem[^2] && !IsVowel(stem, stem.Length - 1);

    /// <summary>Consonant, vowel, consonant, the last none of w, x, y.</summary>
    private static bool EndsShort(string stem) =>
        stem.Length >= 3 && !IsVowel(stem, stem.Length - 3) && IsVowel(stem, stem.Length - 2) && !IsVowel(stem, stem.Length - 1) && stem[^1] is not ('w' or 'x' or 'y');
}
