namespace Langevin.Data.Procedural;

/// <summary>
/// The ways to write each digit. A glyph is a list of strokes, a stroke the control points of a smooth curve; the digit's box is
/// [0, 1]², y downwards. A corner is where one stroke ends and the next begins.
/// </summary>
internal static class Glyphs
{
    /// <summary>Glyph variants by digit.</summary>
    public static readonly (float X, float Y)[][][][] Digits =
    [
        [ // 0: a loop begun at the top right, closed or nearly so, and one begun on the left
            Glyph("56,4 26,9 9,38 10,70 35,97 66,92 86,60 82,24 60,5 44,7"),
            Glyph("70,8 38,3 12,30 10,66 34,98 68,94 88,62 86,28 68,6"),
        ],
        [ // 1: a bare stroke, with a flag, with a flag and a foot
            Glyph("51,0 50,50 49,100"),
            Glyph("24,26 38,16 52,2", "52,2 51,50 51,100"),
            Glyph("26,24 38,15 52,2", "52,2 52,50 52,100", "24,100 52,99 80,100"),
        ],
        [ // 2: with a sharp foot, with a looped foot
            Glyph("12,26 28,6 58,2 80,22 70,48 40,76 10,97", "10,97 50,94 90,96"),
            Glyph("12,24 36,3 70,10 74,36 46,74 18,96 7,86 22,77 52,91 92,94"),
        ],
        [ // 3: two bows, a flat top
            Glyph("12,14 40,2 72,15 66,38 36,47", "36,47 74,56 84,78 52,99 10,88"),
            Glyph("12,5 46,4 80,5", "80,5 62,24 42,41", "42,41 80,54 82,84 46,100 10,90"),
        ],
        [ // 4: open, closed
            Glyph("22,2 18,28 12,54", "12,54 48,55 88,52", "68,8 66,50 63,100"),
            Glyph("64,1 36,34 6,66", "6,66 48,66 92,65", "64,1 64,50 63,100"),
        ],
        [ // 5: in one go, with a bar set on afterwards
            Glyph("80,4 52,4 26,6", "26,6 22,26 19,46", "19,46 54,37 84,62 70,92 36,100 8,89"),
            Glyph("28,8 25,26 21,47", "21,47 58,40 82,66 66,94 36,100 10,92", "27,6 56,5 86,3"),
        ],
        [ // 6: a wide bow, a straight back
            Glyph("74,4 40,22 14,58 20,89 52,100 82,82 70,58 42,56 18,76"),
            Glyph("58,0 34,32 16,68 28,97 62,97 78,76 62,57 36,62 18,80"),
        ],
        [ // 7: plain, crossed, curved with a serif
            Glyph("10,6 48,6 86,4", "86,4 62,50 40,100"),
            Glyph("12,6 48,6 86,4", "86,4 64,50 44,100", "32,53 54,51 78,49"),
            Glyph("10,20 12,12 13,5", "13,5 50,7 84,4", "84,4 62,38 50,68 46,100"),
        ],
        [ // 8: in one go, as two rings
            Glyph("76,12 46,2 18,20 40,44 72,62 80,84 48,100 16,85 28,60 58,42 78,20 70,9"),
            Glyph("50,2 24,10 26,36 50,46 74,36 76,12 50,2", "50,46 20,58 14,84 50,100 86,84 80,58 50,46"),
        ],
        [ // 9: a ring with a straight tail, with a hooked one
            Glyph("80,20 52,2 18,18 24,46 56,48 80,22", "80,16 77,58 68,100"),
            Glyph("78,18 48,2 16,20 24,47 56,48 78,20", "79,16 82,62 62,95 24,94"),
        ],
    ];

    // Coordinates in hundredths of the box.
    private static (float X, float Y)[][] Glyph(params string[] strokes) =>
        [.. strokes.Select(s => s.Split(' ').Select(p => p.Split(',')).Select(p => (int.Parse(p[0]) / 100f, int.Parse(p[1]) / 100f)).ToArray())];
}
