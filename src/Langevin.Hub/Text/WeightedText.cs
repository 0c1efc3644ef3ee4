using System.Globalization;
using System.Text;

namespace Langevin.Hub;

/// <summary>A stretch of a prompt and how much its words count.</summary>
/// <param name="Text">The stretch.</param>
/// <param name="Weight">What the states of its tokens are multiplied by; 1 is as written.</param>
public sealed record WeightedText(string Text, double Weight)
{
    private const double Stronger = 1.1;

    /// <summary>
    /// Reads the notation that prompts are written in for Stable Diffusion: <c>(words)</c> count 1.1 times, <c>(words:1.4)</c> 1.4 times,
    /// <c>[words]</c> 1/1.1 times, one within another multiplied; <c>\(</c> is a bracket itself.
    /// </summary>
    /// <exception cref="ArgumentException">A bracket is not closed or not opened, or a weight is no positive number.</exception>
    public static IReadOnlyList<WeightedText> Parse(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var all = new List<(StringBuilder Text, double Weight)> { (new(), 1) };
        var open = new Stack<(char Kind, int First, int At)>();
        for (int i = 0; i < prompt.Length; i++)
        {
            char c = prompt[i];
            if (c == '\\' && i + 1 < prompt.Length && "()[]\\".Contains(prompt[i + 1], StringComparison.Ordinal)) all[^1].Text.Append(prompt[++i]);
            else if (c is '(' or '[')
            {
                open.Push((c, all.Count, i));
                all.Add((new(), 1));
            }
            else if (c is ')' or ']')
            {
                if (!open.TryPop(out var begun) || begun.Kind != (c == ')' ? '(' : '[')) throw new ArgumentException($"The prompt's '{c}' at {i + 1} closes nothing; write \\{c} for the sign itself.", nameof(prompt));
                double weight = c == ']' ? 1 / Stronger : Named(all[^1].Text, prompt) ?? Stronger;
                for (int k = begun.First; k < all.Count; k++) all[k] = (all[k].Text, all[k].Weight * weight);
                all.Add((new(), 1));
            }
            else all[^1].Text.Append(c);
        }
        if (open.TryPeek(out var left)) throw new ArgumentException($"The prompt's '{left.Kind}' at {left.At + 1} is not closed; write \\{left.Kind} for the sign itself.", nameof(prompt));
        return [.. all.Where(p => p.Text.Length > 0).Select(p => new WeightedText(p.Text.ToString(), p.Weight))];
    }

    // "words:1.4" is cut to "words".
    private static double? Named(StringBuilder text, string prompt)
    {
        string all = text.ToString();
        int colon = all.LastIndexOf(':');
        if (colon < 0) return null;
        if (!double.TryParse(all[(colon + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out double weight)) return null;
        if (!(double.IsFinite(weight) && weight > 0)) throw new ArgumentException($"The weight {weight.ToString(CultureInfo.InvariantCulture)} in \"{ClipTokenizer.Beginning(prompt)}\" must be a positive number.", nameof(prompt));
        text.Length = colon;
        return weight;
    }
}
