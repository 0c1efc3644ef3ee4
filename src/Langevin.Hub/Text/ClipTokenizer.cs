using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>
/// CLIP's tokenizer: text in Unicode's composed form and lower case, split into words, numbers and signs, each encoded by byte pairs with
/// an end-of-word mark (Radford et al. 2021, section 2.4).
/// </summary>
/// <remarks>A program built for invariant globalisation, as Langevin's own command is, cannot compose letters: there a letter and its accent must come as one character, as keyboards give them.</remarks>
public sealed partial class ClipTokenizer
{
    private const string Start = "<|startoftext|>", End = "<|endoftext|>", EndOfWord = "</w>";
    private const long MostBytes = 64 << 20;

    private static readonly (int[] Bytes, char[] Characters) Alphabet = Visible();

    private readonly BpeTokenizer tokenizer;
    private readonly string[] texts; // by token
    private readonly IReadOnlyList<string> merges;

    private ClipTokenizer(IReadOnlyList<string> vocabulary, IReadOnlyList<string> merges, int length, string pad, string source)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < vocabulary.Count; i++)
            if (!ids.TryAdd(vocabulary[i], i)) throw new InvalidDataException($"{source}: the token '{vocabulary[i]}' is there twice.");
        int Needed(string token) => ids.TryGetValue(token, out int id) ? id : throw new InvalidDataException($"{source}: the vocabulary lacks '{token}': it is not CLIP's.");
        (StartId, EndId, PadId, Length, texts, this.merges) = (Needed(Start), Needed(End), Needed(pad), length, [.. vocabulary], merges);
        var special = new Dictionary<string, int>(StringComparer.Ordinal) { [Start] = StartId, [End] = EndId };
        try
        {
            tokenizer = BpeTokenizer.Create(new BpeOptions(ids)
            {
                Merges = merges, EndOfWordSuffix = EndOfWord, ByteLevel = true, SpecialTokens = special, Normalizer = Composed.Instance, PreTokenizer = new RegexPreTokenizer(Words(), special),
            });
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException)
        {
            throw new InvalidDataException($"{source}: vocabulary and merges do not fit each other: {e.Message}", e);
        }
    }

    /// <summary>Tokens of an encoded text, start and end included.</summary>
    public int Length { get; }

    /// <summary>Number of tokens.</summary>
    public int VocabSize => texts.Length;

    /// <summary>The token that begins a text.</summary>
    public int StartId { get; }

    /// <summary>The token that ends it.</summary>
    public int EndId { get; }

    /// <summary>The token that fills it up.</summary>
    public int PadId { get; }

    /// <summary>Reads the folder <c>tokenizer</c> of a published model: vocab.json, merges.txt and, where it is there, tokenizer_config.json.</summary>
    /// <exception cref="InvalidDataException">A file is missing or damaged.</exception>
    public static ClipTokenizer FromFolder(string folder)
    {
        string Text(string name)
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path)) throw new InvalidDataException($"The tokenizer's folder lacks '{path}'.");
            if (new FileInfo(path).Length > MostBytes) throw new InvalidDataException($"'{path}' is larger than {MostBytes >> 20} MiB: no vocabulary of CLIP's.");
            return File.ReadAllText(path);
        }
        var (length, pad) = (77, End);
        try
        {
            using var vocab = JsonDocument.Parse(Text("vocab.json"));
            var tokens = vocab.RootElement.EnumerateObject().Select(p => (Token: p.Name, Id: p.Value.GetInt32())).OrderBy(t => t.Id).ToArray();
            if (tokens.Where((t, i) => t.Id != i).Any()) throw new InvalidDataException($"'{Path.Combine(folder, "vocab.json")}': tokens must be numbered from 0 on without gaps.");
            if (File.Exists(Path.Combine(folder, "tokenizer_config.json")))
            {
                using var config = JsonDocument.Parse(Text("tokenizer_config.json"));
                if (config.RootElement.TryGetProperty("model_max_length", out var most) && most.TryGetInt32(out int limit) && limit is > 2 and < 1 << 20) length = limit;
                if (config.RootElement.TryGetProperty("pad_token", out var filler))
                    pad = filler.ValueKind == JsonValueKind.Object ? filler.GetProperty("content").GetString() ?? End : filler.GetString() ?? End;
            }
            return new([.. tokens.Select(t => t.Token)], Merges(Text("merges.txt")), length, pad, $"'{folder}'");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new InvalidDataException($"The tokenizer in '{folder}' is damaged: {e.Message}", e);
        }
    }

    /// <summary>Reads the merges as CLIP's authors publish them, <c>bpe_simple_vocab_16e6.txt.gz</c>, from which the vocabulary follows.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or too short.</exception>
    public static ClipTokenizer FromMerges(string path)
    {
        const int tokens = 49152; // with bytes, and bytes that end a word, but without start and end
        string text;
        try
        {
            using var file = File.OpenRead(path);
            using Stream plain = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
            using var reader = new StreamReader(plain, Encoding.UTF8);
            var buffer = new char[8 << 20];
            text = new string(buffer, 0, reader.ReadBlock(buffer));
        }
        catch (InvalidDataException e) { throw new InvalidDataException($"'{path}' is damaged: {e.Message}", e); }
        string[] merges = [.. Merges(text).Take(tokens - 512 + 254)];
        string[] bytes = [.. Alphabet.Characters.Select(c => c.ToString())];
        return new([.. bytes, .. bytes.Select(b => b + EndOfWord), .. merges.Select(m => m.Replace(" ", "", StringComparison.Ordinal)), Start, End], merges, 77, End, $"'{path}'");
    }

    /// <summary>Writes the folder <c>tokenizer</c> of a published model: vocab.json, merges.txt and tokenizer_config.json.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="pad">The token that fills texts up; null for this tokenizer's.</param>
    public void Save(string folder, string? pad = null)
    {
        AtomicFile.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(texts.Select((t, i) => (t, i)).ToDictionary(p => p.t, p => p.i)));
        AtomicFile.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n" + string.Concat(merges.Select(m => m + "\n")));
        AtomicFile.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), JsonSerializer.Serialize(new Dictionary<string, object> { ["model_max_length"] = Length, ["pad_token"] = pad ?? texts[PadId], ["tokenizer_class"] = "CLIPTokenizer" }));
    }

    /// <summary>The tokens of a text, without start, end and filling.</summary>
    public IReadOnlyList<int> Tokens(string text) => tokenizer.EncodeToIds(text);

    /// <summary>Texts between start and end, filled up to <see cref="Length"/>: int64 [N, Length]; the caller's.</summary>
    /// <exception cref="ArgumentException">A text is longer than fits; it is never cut.</exception>
    public Tensor Encode(IReadOnlyList<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        var rows = prompts.Select(Tokens).ToArray();
        for (int i = 0; i < rows.Length; i++) NeedRoom(prompts[i], rows[i].Count);
        using var framed = Frame(rows);
        return framed.squeeze(1);
    }

    /// <summary>Texts of any length in stretches that fit, each between a start and an end of its own: int64 [N, chunks, Length], as many for all as the longest needs; the caller's.</summary>
    public Tensor EncodeInChunks(IReadOnlyList<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        return Frame([.. prompts.Select(Tokens)]);
    }

    /// <summary>Tokens of any number in stretches that fit, each between a start and an end of its own: int64 [N, chunks, Length]; the caller's.</summary>
    public Tensor Frame(IReadOnlyList<IReadOnlyList<int>> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var rows = texts.Select(p => p.Chunk(Length - 2).ToArray()).ToArray();
        int chunks = Math.Max(1, rows.Select(r => r.Length).DefaultIfEmpty(1).Max());
        return tensor(rows.SelectMany(row => Enumerable.Range(0, chunks).SelectMany(i => Framed(i < row.Length ? row[i] : []))).ToArray(), [rows.Length, chunks, Length]);
    }

    /// <summary>The text of tokens, without start, end and filling; words are apart by one space.</summary>
    public string Decode(IEnumerable<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        var bytes = new List<byte>();
        foreach (int token in tokens)
        {
            if (token < 0 || token >= texts.Length) throw new ArgumentException($"There is no token {token}: 0 to {texts.Length - 1} are known.", nameof(tokens));
            if (token == StartId || token == EndId || token == PadId) continue;
            string text = texts[token];
            bool ends = text.EndsWith(EndOfWord, StringComparison.Ordinal);
            foreach (char c in ends ? text[..^EndOfWord.Length] : text)
                if (Array.IndexOf(Alphabet.Characters, c) is >= 0 and var at) bytes.Add((byte)Alphabet.Bytes[at]);
            if (ends) bytes.Add((byte)' ');
        }
        return Encoding.UTF8.GetString([.. bytes]).TrimEnd();
    }

    private IEnumerable<long> Framed(IReadOnlyList<int> tokens) => [StartId, .. tokens.Select(t => (long)t), EndId, .. Enumerable.Repeat((long)PadId, Length - 2 - tokens.Count)];

    /// <summary>Throws where a prompt has more tokens than fit.</summary>
    internal void NeedRoom(string prompt, int tokens)
    {
        if (tokens > Length - 2) throw new ArgumentException($"The prompt \"{Beginning(prompt)}\" has {tokens} tokens and {Length - 2} fit: shorten it, or have it read in chunks.", nameof(prompt));
    }

    internal static string Beginning(string text) => text.Length <= 60 ? text : text[..57] + "...";

    // The first line tells a version.
    private static string[] Merges(string text) =>
        [.. text.Split('\n').Select(l => l.TrimEnd('\r')).SkipWhile(l => l.StartsWith("#version", StringComparison.Ordinal) || l.StartsWith("\"bpe", StringComparison.Ordinal)).Where(l => l.Count(c => c == ' ') == 1)];

    // Every byte as a character that can be seen: itself where it can, else one beyond Latin-1 (as GPT-2 does it). In the order of the vocabulary.
    private static (int[], char[]) Visible()
    {
        int[] seen = [.. Enumerable.Range('!', '~' - '!' + 1), .. Enumerable.Range(0xA1, 0xAC - 0xA1 + 1), .. Enumerable.Range(0xAE, 0xFF - 0xAE + 1)];
        int[] unseen = [.. Enumerable.Range(0, 256).Except(seen)];
        return ([.. seen, .. unseen], [.. seen.Select(b => (char)b), .. unseen.Select((_, i) => (char)(256 + i))]);
    }

    [GeneratedRegex(@"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    private sealed class Composed : Normalizer
    {
        public static Composed Instance { get; } = new();

        public override string Normalize(string original) => original.Normalize(NormalizationForm.FormC).ToLowerInvariant();

        public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
    }
}
