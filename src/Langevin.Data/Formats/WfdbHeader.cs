using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Langevin.Data.Formats;

/// <summary>One signal's line of a WFDB header.</summary>
internal sealed record WfdbSignal(string File, int Format, long Offset, SignalChannel Channel);

/// <summary>A WFDB header (PhysioNet's header(5)): the record's line, a line for each signal, comments.</summary>
internal sealed partial record WfdbHeader(string Name, double Rate, long? Length, IReadOnlyList<WfdbSignal> Signals, IReadOnlyList<string> Comments)
{
    private const double DefaultRate = 250, DefaultGain = 200;

    public static WfdbHeader Parse(string path, string text)
    {
        string[] all = [.. text.Split('\n').Select(l => l.Trim())];
        string[] lines = [.. all.Where(l => l.Length > 0 && l[0] != '#')];
        if (lines.Length == 0 || RecordLine().Match(lines[0]) is not { Success: true } head) throw new InvalidDataException($"{path}: not a WFDB header: the first line gives no record name and number of signals");
        if (head.Groups["segments"].Success) throw new InvalidDataException($"{path}: a record of several segments: read its segments one by one");
        int count = Whole(path, head.Groups["signals"].Value, "number of signals");
        if (count < 1) throw new InvalidDataException($"{path}: the record has no signals");
        if (lines.Length - 1 < count) throw new InvalidDataException($"{path}: {count} signals are announced, {lines.Length - 1} are described");
        double rate = head.Groups["rate"].Success ? Real(path, head.Groups["rate"].Value, "rate") : DefaultRate;
        if (!(rate > 0)) throw new InvalidDataException($"{path}: a rate of {rate} samples per second");
        // A length of 0 stands for "not stated".
        long? length = head.Groups["length"].Success && Whole(path, head.Groups["length"].Value, "number of samples") is > 0 and var n ? n : null;
        return new(head.Groups["name"].Value, rate, length, [.. lines[1..(count + 1)].Select((line, i) => Signal(path, line, i))],
            [.. all.Where(l => l.StartsWith('#')).Select(l => l[1..].Trim())]);
    }

    public string Text()
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{Name} {Signals.Count} {Rate:R} {Length}\n"));
        foreach (var (file, format, _, c) in Signals)
            text.Append(CultureInfo.InvariantCulture, $"{file} {format} {c.Gain:R}({c.Baseline})/{c.Unit.Replace(' ', '_')} 16 0 {c.InitialValue} {c.Checksum} 0 {c.Name}\n");
        foreach (string comment in Comments) text.Append(CultureInfo.InvariantCulture, $"# {comment}\n");
        return text.ToString();
    }

    private static WfdbSignal Signal(string path, string line, int index)
    {
        var m = SignalLine().Match(line);
        string what = $"signal {index + 1}";
        if (!m.Success) throw new InvalidDataException($"{path}: {what}: '{line}' does not begin with a file name and a format");
        if (m.Groups["frame"].Success && m.Groups["frame"].Value != "1") throw new InvalidDataException($"{path}: {what} has {m.Groups["frame"].Value} samples in a frame: only one is read");
        if (m.Groups["skew"].Success && m.Groups["skew"].Value.TrimStart('0').Length > 0) throw new InvalidDataException($"{path}: {what} is skewed by {m.Groups["skew"].Value} samples: skew is not read");
        string file = m.Groups["file"].Value;
        if (file != Path.GetFileName(file) || file is "." or ".." or "-") throw new InvalidDataException($"{path}: {what} lies in '{file}': only files beside the header are read");
        double gain = m.Groups["gain"].Success ? Real(path, m.Groups["gain"].Value, $"gain of {what}") : 0;
        int? Optional(string group) => m.Groups[group].Success ? Whole(path, m.Groups[group].Value, $"{group} of {what}") : null;
        // A gain of 0 stands for "not calibrated"; the zero of the scale is the converter's unless it is given.
        return new(file, Whole(path, m.Groups["format"].Value, "format"), Optional("offset") ?? 0, new(m.Groups["name"].Success ? m.Groups["name"].Value : $"signal {index + 1}", m.Groups["unit"].Success ? m.Groups["unit"].Value : "mV")
        {
            Gain = gain == 0 ? DefaultGain : gain,
            Baseline = Optional("baseline") ?? Optional("zero") ?? 0,
            InitialValue = Optional("initial"),
            Checksum = Optional("checksum"),
        });
    }

    private static int Whole(string path, string text, string what) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) ? value
        : throw new InvalidDataException($"{path}: {what}: '{text}' is not a whole number in range");

    private static double Real(string path, string text, string what) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) ? value
        : throw new InvalidDataException($"{path}: {what}: '{text}' is not a number");

    [GeneratedRegex(@"^(?<name>[^\s/]+)(?:/(?<segments>\d+))?\s+(?<signals>\d+)(?:\s+(?<rate>[^\s/]+)(?:/\S+)?(?:\s+(?<length>\d+))?)?")]
    private static partial Regex RecordLine();

    [GeneratedRegex(@"^(?<file>\S+)\s+(?<format>\d+)(?:x(?<frame>\d+))?(?::(?<skew>\d+))?(?:\+(?<offset>\d+))?(?:\s+(?<gain>[^\s(/]+)(?:\((?<baseline>-?\d+)\))?(?:/(?<unit>\S+))?(?:\s+(?<resolution>\d+)(?:\s+(?<zero>-?\d+)(?:\s+(?<initial>-?\d+)(?:\s+(?<checksum>-?\d+)(?:\s+(?<block>-?\d+)(?:\s+(?<name>.+))?)?)?)?)?)?)?\s*$")]
    private static partial Regex SignalLine();
}
