using System.Globalization;

namespace Langevin.Processes;

/// <summary>Which steps of a table a model with fewer steps keeps, as guided diffusion names them (Nichol &amp; Dhariwal 2021).</summary>
public static class Respacing
{
    /// <summary>The steps that a description keeps, ascending.</summary>
    /// <param name="total">T, the steps of the table.</param>
    /// <param name="sections">
    /// "ddimN" for N steps of an integer stride; else the number of steps in each of several equal sections of the table, "10,10,20".
    /// </param>
    /// <exception cref="ArgumentException">The table cannot be divided so, or the description cannot be read.</exception>
    public static int[] Steps(int total, string sections)
    {
        if (sections.StartsWith("ddim", StringComparison.Ordinal)) return Strided(total, Number(sections[4..], sections));
        return Steps(total, [.. sections.Split(',').Select(s => Number(s, sections))]);
    }

    /// <summary>The steps that are kept when the table is cut into equal sections with a number of steps in each.</summary>
    /// <exception cref="ArgumentException">A section is smaller than its number of steps.</exception>
    public static int[] Steps(int total, IReadOnlyList<int> counts)
    {
        var steps = new SortedSet<int>();
        int start = 0;
        for (int i = 0; i < counts.Count; i++)
        {
            int size = total / counts.Count + (i < total % counts.Count ? 1 : 0);
            if (counts[i] > size || counts[i] < 1)
                throw new ArgumentException($"A section of {size} steps cannot keep {counts[i]}: keep 1 to {size}, or use fewer sections.", nameof(counts));
            // Both ends of a section are kept, and rounding is to even.
            double stride = counts[i] == 1 ? 1 : (size - 1.0) / (counts[i] - 1), at = 0;
            for (int k = 0; k < counts[i]; k++, at += stride) steps.Add(start + (int)Math.Round(at));
            start += size;
        }
        return [.. steps];
    }

    private static int[] Strided(int total, int count)
    {
        for (int stride = 1; stride < total; stride++)
            if ((total + stride - 1) / stride == count)
                return [.. Enumerable.Range(0, count).Select(i => i * stride)];
        throw new ArgumentException($"No integer stride keeps exactly {count} of {total} steps.", nameof(count));
    }

    private static int Number(string text, string sections) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int n)
        ? n
        : throw new ArgumentException($"'{sections}' is not a respacing: give \"ddim50\", \"250\" or \"10,10,20\".", nameof(sections));
}
