namespace Langevin.Data.Procedural;

/// <summary>What an object of a <see cref="Scene"/> is; in the order of the class labels of <see cref="Shapes"/>.</summary>
public enum ShapeKind
{
    /// <summary>A disc.</summary>
    Circle,

    /// <summary>A square.</summary>
    Square,

    /// <summary>An equilateral triangle.</summary>
    Triangle,

    /// <summary>A five-pointed star.</summary>
    Star,
}

/// <summary>The eight colours of objects.</summary>
public enum ShapeColor
{
    /// <summary>Red.</summary>
    Red,

    /// <summary>Orange.</summary>
    Orange,

    /// <summary>Yellow.</summary>
    Yellow,

    /// <summary>Green.</summary>
    Green,

    /// <summary>Cyan.</summary>
    Cyan,

    /// <summary>Blue.</summary>
    Blue,

    /// <summary>Purple.</summary>
    Purple,

    /// <summary>White.</summary>
    White,
}

/// <summary>An axis-parallel box in pixels: left ≤ x &lt; right, top ≤ y &lt; bottom, within the image.</summary>
public readonly record struct Box(float Left, float Top, float Right, float Bottom);

/// <summary>One object of a scene.</summary>
/// <param name="Kind">Its shape.</param>
/// <param name="Color">Its colour.</param>
/// <param name="X">Centre, pixels from the left edge.</param>
/// <param name="Y">Centre, pixels from the top edge.</param>
/// <param name="Radius">Radius of the circle around it, in pixels.</param>
/// <param name="Angle">Rotation in radians.</param>
public sealed record SceneObject(ShapeKind Kind, ShapeColor Color, float X, float Y, float Radius, float Angle)
{
    /// <summary>"small" below 4.5 pixels of radius, "large" from 8.5, else "medium".</summary>
    public string SizeWord => Radius < 4.5f ? "small" : Radius < 8.5f ? "medium" : "large";

    /// <summary>For example "large red circle".</summary>
    public string Phrase => $"{SizeWord} {Color.ToString().ToLowerInvariant()} {Kind.ToString().ToLowerInvariant()}";

    /// <summary>The smallest box around the object, cut off at the edges of the image.</summary>
    public Box BoundingBox => new Outline(this).Box;
}

/// <summary>A small picture described exactly: up to three objects, the main one first, on a grey background.</summary>
/// <param name="Objects">Main object first; drawn in reverse order, so it is never covered.</param>
/// <param name="Top">Grey level of the background's upper edge, 0..1.</param>
/// <param name="Bottom">Grey level of its lower edge, 0..1.</param>
public sealed record Scene(IReadOnlyList<SceneObject> Objects, float Top, float Bottom)
{
    /// <summary>Height and width in pixels, in which coordinates are given.</summary>
    public const int Size = 32;

    private static readonly (float R, float G, float B)[] Palette =
    [
        (0.90f, 0.10f, 0.12f), (0.97f, 0.53f, 0.08f), (0.98f, 0.90f, 0.15f), (0.15f, 0.75f, 0.25f),
        (0.15f, 0.85f, 0.90f), (0.18f, 0.32f, 0.95f), (0.66f, 0.22f, 0.88f), (0.97f, 0.97f, 0.97f),
    ];

    /// <summary>A sentence: "a large red circle", "a large red circle above a small blue star", "a large red circle, a small blue star and a medium white square".</summary>
    public string Caption => Objects.Count switch
    {
        1 => $"a {Objects[0].Phrase}",
        2 => $"a {Objects[0].Phrase} {Relation(Objects[0], Objects[1])} a {Objects[1].Phrase}",
        _ => $"{string.Join(", ", Objects.SkipLast(1).Select(o => $"a {o.Phrase}"))} and a {Objects[^1].Phrase}",
    };

    /// <summary>Where the first object lies seen from the second.</summary>
    private static string Relation(SceneObject a, SceneObject b)
    {
        float dx = a.X - b.X, dy = a.Y - b.Y;
        return MathF.Abs(dx) > MathF.Abs(dy) ? dx < 0 ? "left of" : "right of" : dy < 0 ? "above" : "below";
    }

    /// <summary>Which object each pixel's centre belongs to, row by row: 0 is background, k the k-th object.</summary>
    public byte[] Mask()
    {
        var mask = new byte[Size * Size];
        var outlines = Objects.Select(o => new Outline(o)).ToArray();
        for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
                for (int k = 0; k < outlines.Length; k++)
                    if (outlines[k].Distance(x + 0.5f, y + 0.5f) < 0)
                    {
                        mask[y * Size + x] = (byte)(k + 1);
                        break;
                    }
        return mask;
    }

    /// <summary>Draws the scene as three planes of size × size bytes: red, green, blue.</summary>
    /// <param name="target">3 · size · size bytes.</param>
    /// <param name="size">Height and width of the picture, in pixels of its own.</param>
    public void Draw(Span<byte> target, int size = Size)
    {
        int plane = size * size;
        if (target.Length != 3 * plane) throw new ArgumentException($"{target.Length} bytes: expected {3 * plane}.", nameof(target));
        float unit = (float)Size / size; // side of a pixel of the picture
        var color = new float[3 * plane];
        for (int y = 0; y < size; y++)
        {
            float grey = Top + (Bottom - Top) * (y + 0.5f) / size;
            for (int c = 0; c < 3; c++) color.AsSpan(c * plane + y * size, size).Fill(grey);
        }
        for (int k = Objects.Count - 1; k >= 0; k--)
        {
            var o = Objects[k];
            var outline = new Outline(o);
            var (r, g, b) = Palette[(int)o.Color];
            int left = Math.Max(0, (int)((o.X - o.Radius) / unit - 1)), right = Math.Min(size - 1, (int)((o.X + o.Radius) / unit + 1));
            int top = Math.Max(0, (int)((o.Y - o.Radius) / unit - 1)), bottom = Math.Min(size - 1, (int)((o.Y + o.Radius) / unit + 1));
            for (int y = top; y <= bottom; y++)
                for (int x = left; x <= right; x++)
                {
                    // The share of the pixel that the object covers, for an outline about straight within it.
                    float cover = Math.Clamp(0.5f - outline.Distance((x + 0.5f) * unit, (y + 0.5f) * unit) / unit, 0, 1);
                    if (cover == 0) continue;
                    int i = y * size + x;
                    color[i] += cover * (r - color[i]);
                    color[i + plane] += cover * (g - color[i + plane]);
                    color[i + 2 * plane] += cover * (b - color[i + 2 * plane]);
                }
        }
        for (int i = 0; i < color.Length; i++) target[i] = (byte)(255 * color[i] + 0.5f);
    }

    /// <summary>Scene number <paramref name="item"/> of a seed: shapes take turns, colours take turns within a shape.</summary>
    internal static Scene Of(long seed, long item)
    {
        var random = new SeededRandom(seed, stream: 0x5343, item);
        float top = (float)random.Uniform(0.02, 0.4), bottom = (float)Math.Clamp(top + random.Uniform(-0.15, 0.15), 0, 0.5);
        int wanted = 1 + random.Next(3);
        float radius = (float)random.Uniform(6.5, 11);
        float margin = wanted == 1 ? 0.8f * radius : 0.9f * radius;
        var objects = new List<SceneObject>
        {
            new((ShapeKind)(item % 4), (ShapeColor)(item / 4 % 8), (float)random.Uniform(margin, Size - margin), (float)random.Uniform(margin, Size - margin), radius, (float)random.Jitter(0.12)),
        };
        for (int tries = 0; objects.Count < wanted && tries < 60; tries++)
        {
            float r = (float)random.Uniform(3, 0.6 * radius), x = (float)random.Uniform(r, Size - r), y = (float)random.Uniform(r, Size - r);
            var candidate = new SceneObject((ShapeKind)random.Next(4), (ShapeColor)random.Next(8), x, y, r, (float)random.Jitter(0.12));
            if (objects.All(o => (o.X - x) * (o.X - x) + (o.Y - y) * (o.Y - y) > (o.Radius + r + 1) * (o.Radius + r + 1))) objects.Add(candidate);
        }
        return new(objects, top, bottom);
    }
}
