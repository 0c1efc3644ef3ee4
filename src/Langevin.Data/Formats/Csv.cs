using System.Globalization;
using System.Text;
using static TorchSharp.torch;

namespace Langevin.Data.Formats;

/// <summary>Tables of numbers as text: comma, semicolon, tab or blank between the fields, a header row or none, at most one column of class labels. Blank lines and lines that begin with # are passed over.</summary>
public static class Csv
{
    private const int MostClasses = 1000;

    /// <summary>Reads a table (.gz too): float32 [N, D], with labels where <see cref="DataOptions.Label"/> names a column.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Label column, memory limit.</param>
    /// <exception cref="InvalidDataException">A field is missing or no finite number, or a row has another number of fields; the message gives row and column, from 1.</exception>
    public static ArrayDataset Open(string path, DataOptions? options = null)
    {
        options ??= new();
        using var reader = new StreamReader(new MemoryStream(Source.ReadAll(path, options.MaxBytes), writable: false), new UTF8Encoding(false, throwOnInvalidBytes: false));
        var rows = Rows(reader).GetEnumerator();
        if (!rows.MoveNext()) throw new InvalidDataException($"{path}: the file is empty");
        var first = rows.Current;
        char separator = Separator(first.Text);
        string[] head = Fields(first.Text, separator);
        var second = rows.MoveNext() ? rows.Current : default;

        // A header: some field is no number, while the one below it is.
        string[]? below = second.Text is null ? null : Fields(second.Text, separator);
        bool header = head.Where((f, c) => !IsNumber(f) && (below is null || c < below.Length && IsNumber(below[c]))).Any();
        if (header && below is null) throw new InvalidDataException($"{path}: a header row and no data");
        int label = options.Label is null ? -1 : LabelColumn(path, options.Label, header ? head : null, head.Length);
        if (head.Length - (label >= 0 ? 1 : 0) < 1) throw new InvalidDataException($"{path}: no column of numbers");

        var values = new List<float>();
        var classes = new List<string>();
        if (!header) Add(first.Number, head);
        if (below is not null) Add(second.Number, below);
        while (rows.MoveNext()) Add(rows.Current.Number, Fields(rows.Current.Text, separator));

        int width = head.Length - (label >= 0 ? 1 : 0);
        var (numbers, names) = label >= 0 ? Encode(path, classes) : (null, null);
        using var scope = NewDisposeScope();
        return new(Path.GetFileName(path), tensor(values.ToArray()).view(-1, width).MoveToOuterDisposeScope(),
            numbers is null ? null : tensor(numbers).MoveToOuterDisposeScope(), names) { Kind = "CSV table", ColumnNames = header ? [.. head.Where((_, c) => c != label)] : [] };

        void Add(int row, string[] fields)
        {
            if (fields.Length != head.Length) throw new InvalidDataException($"{path}: row {row} has {fields.Length} fields: expected {head.Length} as in the first row");
            if (4L * (values.Count + fields.Length) > options.MaxBytes) throw Source.TooLong(path, options.MaxBytes);
            for (int c = 0; c < fields.Length; c++)
            {
                string where = header ? $"row {row}, column {c + 1} ('{head[c]}')" : $"row {row}, column {c + 1}";
                if (fields[c].Length == 0) throw new InvalidDataException($"{path}: {where}: the value is missing");
                if (c == label) classes.Add(fields[c]);
                else if (!float.TryParse(fields[c], NumberStyles.Float, CultureInfo.InvariantCulture, out float v))
                    throw new InvalidDataException($"{path}: {where}: '{Short(fields[c])}' is not a number{(label < 0 ? $" (if it is the class, give label column {c + 1})" : "")}");
                else if (!float.IsFinite(v)) throw new InvalidDataException($"{path}: {where}: '{Short(fields[c])}' is not a finite number");
                else values.Add(v);
            }
        }
    }

    private static IEnumerable<(int Number, string Text)> Rows(StreamReader reader)
    {
        int number = 0;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line) && !line.StartsWith('#')) yield return (number, line);
        }
    }

    internal static char Separator(string line)
    {
        foreach (char c in ",;\t")
            if (line.Contains(c)) return c;
        return ' ';
    }

    internal static string[] Fields(string line, char separator)
    {
        if (!line.Contains('"'))
            return separator == ' ' ? line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) : [.. line.Split(separator).Select(f => f.Trim())];
        // Within quotes a separator is text, and two quotes are one.
        var fields = new List<string>();
        var field = new StringBuilder();
        bool quoted = false;
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (c == '"' && quoted && i + 1 < line.Length && line[i + 1] == '"') { field.Append('"'); i++; }
            else if (c == '"') quoted = !quoted;
            else if (c == separator && !quoted) { fields.Add(field.ToString().Trim()); field.Clear(); }
            else field.Append(c);
        }
        fields.Add(field.ToString().Trim());
        return [.. separator == ' ' ? fields.Where(f => f.Length > 0) : fields];
    }

    private static bool IsNumber(string field) => float.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static int LabelColumn(string path, string label, string[]? header, int columns)
    {
        if (header is not null && Array.IndexOf(header, label) is var named and >= 0) return named;
        if (int.TryParse(label, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
        {
            if (number >= 1 && number <= columns) return number - 1;
            if (number <= -1 && -number <= columns) return columns + number;
        }
        throw new InvalidDataException($"{path}: no label column '{label}': {(header is null ? "" : $"columns are {Short(string.Join(", ", header), 200)}; ")}numbers go from 1 to {columns}");
    }

    // Classes in the order of their numbers where all are numbers, else of their names.
    private static (long[] Labels, string[] Names) Encode(string path, List<string> classes)
    {
        string[] names = [.. classes.Distinct()];
        if (names.Length > MostClasses) throw new InvalidDataException($"{path}: the label column has {names.Length} different values, above {MostClasses}: is it a number to model instead?");
        names = names.All(IsNumber)
            ? [.. names.OrderBy(n => double.Parse(n, NumberStyles.Float, CultureInfo.InvariantCulture)).ThenBy(n => n, StringComparer.Ordinal)]
            : [.. names.Order(StringComparer.Ordinal)];
        var index = names.Select((n, i) => (n, i)).ToDictionary(p => p.n, p => (long)p.i);
        return ([.. classes.Select(c => index[c])], names);
    }

    private static string Short(string text, int most = 40) => text.Length <= most ? text : text[..most] + "…";
}
