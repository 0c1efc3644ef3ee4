using System.Collections.Frozen;

namespace Langevin.Metrics.Molecules;

/// <summary>Typical lengths of bonds in picometres, by order (Hoogeboom et al. 2022, arXiv:2203.17003, appendix).</summary>
internal static class BondLengths
{
    private static readonly FrozenDictionary<(string, string), int>[] orders =
    [
        Table(
            "H-H 74 H-B 119 H-C 109 H-N 101 H-O 96 H-F 92 H-Si 148 H-P 144 H-S 134 H-Cl 127 H-As 152 H-Br 141 H-I 161",
            "B-Cl 175",
            "C-C 154 C-N 147 C-O 143 C-F 135 C-Si 185 C-P 184 C-S 182 C-Cl 177 C-Br 194 C-I 214",
            "N-N 145 N-O 140 N-F 136 N-P 177 N-S 168 N-Cl 175 N-Br 214 N-I 222",
            "O-O 148 O-F 142 O-Si 163 O-P 163 O-S 151 O-Cl 164 O-Br 172 O-I 194",
            "F-F 142 F-Si 160 F-P 156 F-S 158 F-Cl 166 F-Br 178 F-I 187",
            "Si-Si 233 Si-S 200 Si-Cl 202 Si-Br 215 Si-I 243",
            "P-P 221 P-S 210 P-Cl 203 P-Br 222",
            "S-S 204 S-Cl 207 S-Br 225 S-I 234",
            "Cl-Cl 199 Cl-Br 214 Br-Br 228 I-I 266"),
        Table("C-C 134 C-N 129 C-O 120 C-S 160", "N-N 125 N-O 121", "O-O 121 O-P 150", "P-S 186"),
        Table("C-C 120 C-N 116 C-O 113", "N-N 110"),
    ];

    /// <summary>Length of a bond of an order, 1 to 3; null where the table has none.</summary>
    public static int? Of(string first, string second, int order) => orders[order - 1].TryGetValue((first, second), out int length) ? length : null;

    private static FrozenDictionary<(string, string), int> Table(params string[] lines)
    {
        string[] words = string.Join(' ', lines).Split(' ');
        var table = new Dictionary<(string, string), int>();
        foreach (string[] entry in words.Chunk(2))
        {
            string[] pair = entry[0].Split('-');
            table[(pair[0], pair[1])] = table[(pair[1], pair[0])] = int.Parse(entry[1], System.Globalization.CultureInfo.InvariantCulture);
        }
        return table.ToFrozenDictionary();
    }
}
