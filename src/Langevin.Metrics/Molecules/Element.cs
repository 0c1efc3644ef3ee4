using System.Collections.Frozen;

namespace Langevin.Metrics.Molecules;

/// <summary>The symbols of the elements.</summary>
internal static class Element
{
    private static readonly string[] symbols = (
        "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd "
        + "In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu "
        + "Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og").Split(' ');

    private static readonly FrozenSet<string> known = symbols.ToFrozenSet(StringComparer.Ordinal);

    public static bool Exists(string symbol) => symbol is not null && known.Contains(symbol);

    public static string Symbol(long number) => number >= 1 && number <= symbols.Length
        ? symbols[number - 1] : throw new ArgumentException($"{number} is no atomic number: give 1 to {symbols.Length}, 0 for no atom", nameof(number));
}
