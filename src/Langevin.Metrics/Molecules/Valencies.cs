using System.Collections.Frozen;

namespace Langevin.Metrics.Molecules;

/// <summary>How many bonds, counted by order, an atom of each element has. Immutable.</summary>
public sealed class Valencies
{
    private readonly FrozenDictionary<string, int[]> allowed;

    private Valencies(IEnumerable<KeyValuePair<string, int[]>> allowed) => this.allowed = allowed.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>
    /// Those of the EDM paper's figures (Hoogeboom et al. 2022, arXiv:2203.17003): H, F, Cl, Br, I 1; O 2; N, B, Al, As 3; C, Si, S 4;
    /// P, Bi 3 or 5; Hg 1 or 2. Ions are unstable by them, and so is sulfur in thiols and sulfones.
    /// </summary>
    public static Valencies Edm { get; } = new(new Dictionary<string, int[]>
    {
        ["H"] = [1], ["B"] = [3], ["C"] = [4], ["N"] = [3], ["O"] = [2], ["F"] = [1], ["Al"] = [3], ["Si"] = [4], ["P"] = [3, 5],
        ["S"] = [4], ["Cl"] = [1], ["As"] = [3], ["Br"] = [1], ["I"] = [1], ["Hg"] = [1, 2], ["Bi"] = [3, 5],
    });

    /// <summary>The same with other valencies of one element: <c>Edm.With("S", 2, 4, 6)</c>.</summary>
    /// <param name="element">Its symbol.</param>
    /// <param name="valencies">At least one, none negative.</param>
    public Valencies With(string element, params int[] valencies)
    {
        ArgumentNullException.ThrowIfNull(valencies);
        if (!Element.Exists(element)) throw new ArgumentException($"'{element}' is no element: write a symbol such as C or Cl", nameof(element));
        if (valencies.Length == 0 || valencies.Min() < 0) throw new ArgumentException("give at least one valency, none negative", nameof(valencies));
        return new(allowed.Where(e => e.Key != element).Append(new(element, [.. valencies])));
    }

    /// <summary>Whether an atom of an element may have this sum of bond orders.</summary>
    public bool Allows(string element, int orders) => Array.IndexOf(Of(element), orders) >= 0;

    /// <summary>The most that an atom of an element may have.</summary>
    public int Most(string element) => Of(element).Max();

    private int[] Of(string element) => allowed.TryGetValue(element, out int[]? valencies)
        ? valencies : throw new ArgumentException($"the valency of {element} is not known: name it by Valencies.With", nameof(element));
}
