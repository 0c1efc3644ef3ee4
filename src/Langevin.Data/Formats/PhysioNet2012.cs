using System.Formats.Tar;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Langevin.Data.Formats;

/// <summary>
/// The stays of the PhysioNet challenge of 2012 (Silva et al. 2012) as the imputation literature uses them since CSDI: 35 measurements over 48 hours,
/// the last of each hour, standardised over all that was recorded, a share of it kept back at random, and five folds.
/// </summary>
/// <remarks>Masks and folds are those of CSDI's <c>dataset_physio.py</c> to the element: they follow from NumPy's generator (<see cref="NumPyRandom"/>).</remarks>
public static partial class PhysioNet2012
{
    private const int Hours = 48, LongestStay = 1 << 20;

    /// <summary>The measurements, in the order of the features.</summary>
    public static IReadOnlyList<string> Attributes { get; } =
    [
        "DiasABP", "HR", "Na", "Lactate", "NIDiasABP", "PaO2", "WBC", "pH", "Albumin", "ALT", "Glucose", "SaO2", "Temp", "AST", "Bilirubin", "HCO3", "BUN", "RespRate",
        "Mg", "HCT", "SysABP", "FiO2", "K", "GCS", "Cholesterol", "NISysABP", "TroponinT", "MAP", "TroponinI", "PaCO2", "Platelets", "Urine", "NIMAP", "Creatinine", "ALP",
    ];

    /// <summary>Reads the stays: a folder of their files ("132539.txt"), or an archive of it (.tar, .tar.gz, .tar.xz).</summary>
    /// <param name="path">The folder or archive, as "set-a".</param>
    /// <param name="missing">Share of each stay's recorded values that is kept back, in [0, 1).</param>
    /// <param name="seed">Decides which.</param>
    /// <param name="maxBytes">The most bytes of text that are read.</param>
    /// <returns>[N, 35, 48] in the order of the stays' numbers. Stays with none of the measurements are left out, as in the original.</returns>
    /// <exception cref="FileNotFoundException">The path leads nowhere.</exception>
    /// <exception cref="InvalidDataException">No stay is there, or one is unsound; one line says where and why.</exception>
    public static PartialSeries Open(string path, double missing = 0.1, uint seed = 1, long maxBytes = int.MaxValue)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (missing is not (>= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(missing), missing, "The share kept back must lie in [0, 1).");
        var stays = new SortedDictionary<string, double[]>(StringComparer.Ordinal);
        long read = 0;
        foreach (var (name, length, stream) in Files(path))
        {
            if (Number().Match(Path.GetFileName(name)) is not { Success: true } number || !name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase)) continue;
            if (length > LongestStay) throw new InvalidDataException($"{path}: {name}: {length:N0} bytes are too many for one stay");
            if ((read += length) > maxBytes) throw Source.TooLong(path, maxBytes);
            var bytes = new byte[length];
            Source.Guarded(path, () => { stream.ReadExactly(bytes); return 0; });
            stays[number.Value] = Stay($"{path}: {name}", bytes);
        }
        if (stays.Count == 0) throw new InvalidDataException($"{path}: holds no stay: expected files called like 132539.txt");
        return Masked(path, [.. stays.Values], missing, new(seed));
    }

    /// <summary>The stays of one of the five folds: a fifth to test, and of the rest 70 % of all to train and what is left to validate.</summary>
    /// <param name="count">Number of stays.</param>
    /// <param name="fold">0 to 4; the authors' public weights are of fold 0.</param>
    /// <param name="seed">Decides the order.</param>
    public static (int[] Train, int[] Validation, int[] Test) Fold(int count, int fold, uint seed = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (fold is < 0 or > 4) throw new ArgumentOutOfRangeException(nameof(fold), fold, "There are folds 0 to 4.");
        int[] order = new NumPyRandom(seed).Permutation(count);
        int start = (int)(fold * 0.2 * count), end = (int)((fold + 1) * 0.2 * count), train = (int)(count * 0.7);
        int[] rest = [.. order[..start], .. order[end..]];
        new NumPyRandom(seed).Shuffle(rest.AsSpan());
        return (rest[..train], rest[train..], order[start..end]);
    }

    private static PartialSeries Masked(string path, List<double[]> stays, double missing, NumPyRandom random)
    {
        stays.RemoveAll(s => !Array.Exists(s, double.IsFinite));
        if (stays.Count == 0) throw new InvalidDataException($"{path}: no stay has any of the measurements");
        int features = Attributes.Count, size = features * Hours;
        float[] values = new float[stays.Count * size], observed = new float[values.Length], given = new float[values.Length];
        double[] mean = new double[features], std = new double[features];
        for (int i = 0; i < stays.Count; i++)
        {
            // The original lays a stay out hour by hour, and draws places in that order.
            int[] there = [.. from hour in Enumerable.Range(0, Hours) from k in Enumerable.Range(0, features) where double.IsFinite(stays[i][k * Hours + hour]) select k * Hours + hour];
            foreach (int at in there) observed[i * size + at] = given[i * size + at] = 1;
            foreach (int at in random.Choice(there, (int)(there.Length * missing))) given[i * size + at] = 0;
        }
        for (int k = 0; k < features; k++)
        {
            double[] known = [.. stays.SelectMany(s => s.Skip(k * Hours).Take(Hours)).Where(double.IsFinite)];
            mean[k] = known.Length == 0 ? 0 : known.Average();
            std[k] = known.Length == 0 ? 0 : Math.Sqrt(known.Average(v => (v - mean[k]) * (v - mean[k])));
            if (std[k] == 0) std[k] = 1;
        }
        for (int i = 0; i < values.Length; i++)
        {
            int k = i % size / Hours;
            if (observed[i] != 0) values[i] = (float)((stays[i / size][i % size] - mean[k]) / std[k]);
        }
        using var scope = NewDisposeScope();
        Tensor Shaped(float[] flat) => tensor(flat).view(stays.Count, features, Hours);
        return new(Path.GetFileName(path), Shaped(values), Shaped(observed), Shaped(given), Attributes) { Mean = mean, Std = std };
    }

    // [35 × 48], NaN where nothing was recorded.
    private static double[] Stay(string where, byte[] text)
    {
        var values = new double[Attributes.Count * Hours];
        Array.Fill(values, double.NaN);
        using var reader = new StreamReader(new MemoryStream(text, writable: false), new UTF8Encoding(false, throwOnInvalidBytes: false));
        string? head = reader.ReadLine();
        if (head?.Trim() != "Time,Parameter,Value") throw new InvalidDataException($"{where}: row 1: expected 'Time,Parameter,Value'");
        for (int row = 2; reader.ReadLine() is { } line; row++)
        {
            if (line.Length == 0) continue;
            string[] fields = line.Split(',');
            if (fields.Length != 3) throw new InvalidDataException($"{where}: row {row} has {fields.Length} fields: expected time, parameter and value");
            if (!Column.TryGetValue(fields[1], out int k)) continue;
            int colon = fields[0].IndexOf(':', StringComparison.Ordinal);
            if (colon < 1 || !int.TryParse(fields[0].AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out int hour))
                throw new InvalidDataException($"{where}: row {row}: the time is no hh:mm");
            if (hour >= Hours) continue;
            double value = double.NaN;
            if (fields[2].Length > 0 && !double.TryParse(fields[2], NumberStyles.Float, CultureInfo.InvariantCulture, out value))
                throw new InvalidDataException($"{where}: row {row}: the value is no number");
            values[k * Hours + hour] = value;
        }
        return values;
    }

    private static readonly Dictionary<string, int> Column = Attributes.Select((name, k) => (name, k)).ToDictionary(p => p.name, p => p.k, StringComparer.Ordinal);

    private static IEnumerable<(string Name, long Length, Stream Content)> Files(string path)
    {
        if (Directory.Exists(path))
        {
            foreach (string file in Directory.EnumerateFiles(path))
            {
                using var stream = File.OpenRead(file);
                yield return (Path.GetFileName(file), stream.Length, stream);
            }
            yield break;
        }
        if (!File.Exists(path)) throw new FileNotFoundException($"No file or folder '{path}'.", path);
        using var archive = Source.Open(path);
        using var tar = new TarReader(archive);
        while (Source.Guarded(path, () => tar.GetNextEntry()) is { } entry)
            if (entry is { EntryType: TarEntryType.RegularFile or TarEntryType.V7RegularFile, DataStream: { } content })
                yield return (entry.Name, entry.Length, content);
    }

    [GeneratedRegex(@"\d{6}")]
    private static partial Regex Number();
}
