using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Langevin.Data.Formats;

/// <summary>
/// Signals as a table: a row for each sample, a column for each channel, a header row with "name (unit)" or none. The rate follows from a
/// first column "time (s)" or "time (ms)", or from a line "# rate: 360". An empty field is a missing sample.
/// </summary>
internal static partial class SignalCsv
{
    public static SignalRecord Read(string path, long maxBytes)
    {
        string[] all = Encoding.UTF8.GetString(Source.ReadAll(path, maxBytes)).TrimStart('\ufeff').Split('\n');
        var comments = new List<string>();
        double? rate = null;
        string[]? head = null;
        char separator = SeparatorOf(all);
        var rows = new List<float[]>();
        var times = new List<double>();
        bool timed = false;
        for (int number = 1; number <= all.Length; number++)
        {
            string line = all[number - 1].TrimEnd('\r');
            if (line.StartsWith('#'))
            {
                string text = line[1..].Trim();
                if (RateLine().Match(text) is { Success: true } m) rate = double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture);
                else comments.Add(text);
            }
            else if (!string.IsNullOrWhiteSpace(line))
            {
                bool first = head is null;
                string[] fields = Csv.Fields(line, separator);
                bool names = first && fields.Any(f => f.Length > 0 && !double.TryParse(f, CultureInfo.InvariantCulture, out _));
                head ??= names ? fields : [.. fields.Select((_, i) => $"signal {i + 1}")];
                timed = names ? TimeColumn().IsMatch(fields[0]) : timed;
                if (names) continue;
                if (fields.Length != head.Length) throw new InvalidDataException($"{path}: row {number} has {fields.Length} fields: expected {head.Length} as in the first row");
                if (4L * (rows.Count + 1) * fields.Length > maxBytes) throw Source.TooLong(path, maxBytes);
                double[] values = [.. fields.Select((f, c) => Number(path, f, number, c, missing: !(timed && c == 0)))];
                if (timed) times.Add(values[0]);
                rows.Add([.. values.Skip(timed ? 1 : 0).Select(v => (float)v)]);
            }
        }
        if (rows.Count == 0 || rows[0].Length == 0) throw new InvalidDataException($"{path}: holds no samples");
        if (timed && times.Count > 1)
        {
            double own = RateOf(path, times, head![0].Contains("ms", StringComparison.OrdinalIgnoreCase) ? 1000 : 1);
            rate ??= own; // printed times are rounded
        }
        if (rate is not > 0) throw new InvalidDataException($"{path}: how many samples a second? Give a first column 'time (s)', or a line '# rate: 360' before the table");
        using var scope = NewDisposeScope();
        var samples = tensor(rows.SelectMany(r => r).ToArray()).view(rows.Count, -1).t().contiguous();
        return new(Path.GetFileNameWithoutExtension(SignalFile.Plain(path)), samples, rate.Value, [.. head!.Skip(timed ? 1 : 0).Select(Channel)]) { Comments = comments };
    }

    public static void Write(string path, SignalRecord record)
    {
        using var scope = NewDisposeScope();
        int count = record.Channels.Count;
        char separator = Path.GetExtension(path).Equals(".tsv", StringComparison.OrdinalIgnoreCase) ? '\t' : ',';
        float[] rows = record.Samples.cpu().t().contiguous().data<float>().ToArray();
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"# rate: {record.Rate:R}\n"));
        foreach (string comment in record.Comments) text.Append(CultureInfo.InvariantCulture, $"# {comment}\n");
        text.AppendJoin(separator, record.Channels.Select(c => Quoted($"{c.Name} ({c.Unit})", separator)).Prepend("time (s)")).Append('\n');
        for (int i = 0; i < rows.Length / count; i++)
        {
            text.Append((i / record.Rate).ToString("0.######", CultureInfo.InvariantCulture));
            foreach (float v in rows.AsSpan(i * count, count)) text.Append(separator).Append(float.IsNaN(v) ? "" : v.ToString("R", CultureInfo.InvariantCulture));
            text.Append('\n');
        }
        AtomicFile.WriteAllText(path, text.ToString());
    }

    // A header may hold blanks where the numbers stand alone: the first row of numbers decides.
    private static char SeparatorOf(string[] lines)
    {
        string row = lines.FirstOrDefault(l => l.TrimStart() is [var c, ..] && (char.IsAsciiDigit(c) || c is '-' or '+' or '.'), "").Trim();
        return Csv.Separator(row) is not ' ' and var separator ? separator : row.Contains(' ') ? ' ' : ',';
    }

    private static double Number(string path, string field, int row, int column, bool missing)
    {
        if (missing && (field.Length == 0 || field is "-" || field.Equals("nan", StringComparison.OrdinalIgnoreCase))) return double.NaN;
        return double.TryParse(field, CultureInfo.InvariantCulture, out double v) && double.IsFinite(v) ? v
            : throw new InvalidDataException($"{path}: row {row}, column {column + 1}: '{(field.Length > 40 ? field[..40] : field)}' is not a finite number");
    }

    // Of many rounded times the first and the last tell the rate best.
    private static double RateOf(string path, List<double> times, double unit)
    {
        double step = (times[^1] - times[0]) / (times.Count - 1);
        if (!(step > 0)) throw new InvalidDataException($"{path}: the times do not rise");
        for (int i = 0; i < times.Count; i++)
            if (Math.Abs(times[i] - times[0] - i * step) > 0.75 * step) throw new InvalidDataException($"{path}: the samples are not evenly spaced: time {times[i]} stands where {times[0] + i * step:g6} is expected");
        return Math.Round(unit / step, 3);
    }

    private static SignalChannel Channel(string head) => UnitOf().Match(head) is { Success: true } m ? new(m.Groups[1].Value, m.Groups[2].Value) : new(head);

    private static string Quoted(string field, char separator) => field.Contains(separator) || field.Contains('"') ? $"\"{field.Replace("\"", "\"\"")}\"" : field;

    [GeneratedRegex(@"^rate\s*[:=]?\s*([0-9.]+)\s*(?:Hz)?$", RegexOptions.IgnoreCase)]
    private static partial Regex RateLine();

    [GeneratedRegex(@"^\W*(?:time|seconds?|t)\b", RegexOptions.IgnoreCase)]
    private static partial Regex TimeColumn();

    [GeneratedRegex(@"^(.+?)\s*[(\[]([^()\[\]]+)[)\]]$")]
    private static partial Regex UnitOf();
}
