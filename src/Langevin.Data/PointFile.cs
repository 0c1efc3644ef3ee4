using System.Globalization;
using System.Text;
using Langevin.Data.Formats;
using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>The points of one file: PLY, OBJ, OFF, text of three numbers a line (XYZ, PTS), or a NumPy array [points, 3]; gzip too.</summary>
public static class PointFile
{
    private static readonly string[] Extensions = [".ply", ".obj", ".off", ".xyz", ".pts"];

    /// <summary>Reads the points or vertices; faces, normals and colours are passed over.</summary>
    /// <param name="path">The file; the extension says its kind.</param>
    /// <param name="maxBytes">Limit on the file's bytes.</param>
    /// <returns>float64 [points, 3], the caller's.</returns>
    /// <exception cref="InvalidDataException">Damaged, of another kind, empty, or above the limit.</exception>
    public static Tensor Load(string path, long maxBytes = 1 << 30)
    {
        string plain = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        if (Path.GetExtension(plain).Equals(".npy", StringComparison.OrdinalIgnoreCase)) return Array(path, maxBytes);
        byte[] bytes = Source.ReadAll(path, maxBytes);
        double[] points = Path.GetExtension(plain).ToLowerInvariant() switch
        {
            ".ply" => Ply.Points(path, bytes),
            ".obj" => Lines(path, bytes, w => w is ["v", _, _, _, ..] ? w[1..4] : null),
            ".off" => Off(path, bytes),
            _ => Lines(path, bytes, w => w.Length >= 3 && !w[0].StartsWith('#') ? w[..3] : null),
        };
        if (points.Length == 0) throw new InvalidDataException($"{path}: holds no points");
        if (points.AsSpan().ContainsAny(double.NaN, double.PositiveInfinity, double.NegativeInfinity)) throw new InvalidDataException($"{path}: holds points that are not finite");
        return tensor(points, [points.Length / 3, 3]);
    }

    /// <summary>Whether a name ends as a file of points does. NumPy arrays may hold anything and are not counted.</summary>
    public static bool HasPointExtension(string path) =>
        Extensions.Contains(Path.GetExtension(path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path).ToLowerInvariant());

    private static Tensor Array(string path, long maxBytes)
    {
        using var scope = NewDisposeScope();
        var array = Npy.Read(path, maxBytes);
        if (array.dim() != 2 || array.size(1) != 3 || array.size(0) == 0) throw new InvalidDataException($"{path}: expected points [N, 3], got [{string.Join(", ", array.shape)}]");
        return array.to(ScalarType.Float64).MoveToOuterDisposeScope();
    }

    internal static double[] Lines(string path, byte[] bytes, Func<string[], string[]?> pick, int most = int.MaxValue)
    {
        var points = new List<double>();
        int number = 0;
        foreach (string line in Encoding.UTF8.GetString(bytes).Split('\n'))
        {
            number++;
            if (points.Count / 3 >= most) break;
            if (pick(line.Split((char[])[' ', '\t', '\r', ',', ';'], StringSplitOptions.RemoveEmptyEntries)) is not { } words) continue;
            foreach (string word in words)
                points.Add(double.TryParse(word, CultureInfo.InvariantCulture, out double v) ? v : throw new InvalidDataException($"{path}: line {number}: '{word}' is not a number"));
        }
        return [.. points];
    }

    private static double[] Off(string path, byte[] bytes)
    {
        string[] words = [.. Encoding.UTF8.GetString(bytes).Split('\n').Select(l => l.Split('#')[0]).SelectMany(l => l.Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries))];
        // Some writers leave no space between the magic and the counts.
        if (words.Length > 0 && words[0].StartsWith("OFF", StringComparison.Ordinal)) words = words[0].Length > 3 ? [words[0][3..], .. words[1..]] : words[1..];
        else throw new InvalidDataException($"{path}: not an OFF file: the first word is not OFF");
        if (words.Length < 3 || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int count)) throw new InvalidDataException($"{path}: the OFF header has no counts");
        if (words.Length - 3 < 3L * count) throw new InvalidDataException($"{path}: truncated: {count} vertices are announced, {(words.Length - 3) / 3} are there");
        return [.. words.AsSpan(3, 3 * count).ToArray().Select(w => double.TryParse(w, CultureInfo.InvariantCulture, out double v) ? v : throw new InvalidDataException($"{path}: '{w}' is not a number"))];
    }
}
