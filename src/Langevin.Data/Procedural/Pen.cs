namespace Langevin.Data.Procedural;

/// <summary>
/// Draws thick anti-aliased curves on a small grey canvas: for every pixel the signed distance to the nearest ink is kept,
/// and ink is what lies within.
/// </summary>
internal sealed class Pen(int size)
{
    private const float Soft = 0.75f, Far = 1e3f; // half the width of the soft edge, in pixels
    private readonly float[] field = new float[size * size];

    /// <summary>Empties the canvas.</summary>
    public void Clear() => Array.Fill(field, Far);

    /// <summary>A tapered segment from (ax, ay) with radius ar to (bx, by) with radius br, in pixels; pixel i covers [i, i + 1).</summary>
    public void Segment(float ax, float ay, float ar, float bx, float by, float br)
    {
        float reach = MathF.Max(ar, br) + Soft + 1, dx = bx - ax, dy = by - ay;
        float inverse = 1 / MathF.Max(dx * dx + dy * dy, 1e-8f);
        int left = Math.Max(0, (int)(MathF.Min(ax, bx) - reach)), right = Math.Min(size - 1, (int)(MathF.Max(ax, bx) + reach));
        int top = Math.Max(0, (int)(MathF.Min(ay, by) - reach)), bottom = Math.Min(size - 1, (int)(MathF.Max(ay, by) + reach));
        for (int y = top; y <= bottom; y++)
            for (int x = left; x <= right; x++)
            {
                float px = x + 0.5f - ax, py = y + 0.5f - ay;
                float t = Math.Clamp((px * dx + py * dy) * inverse, 0, 1);
                float ex = px - t * dx, ey = py - t * dy;
                float d = MathF.Sqrt(ex * ex + ey * ey) - (ar + t * (br - ar));
                ref float at = ref field[y * size + x];
                at = MathF.Min(at, d);
            }
    }

    /// <summary>Writes the canvas as bytes: 0 is paper, 255 · <paramref name="ink"/> is ink.</summary>
    public void Write(Span<byte> target, float ink)
    {
        for (int i = 0; i < field.Length; i++)
        {
            float u = Math.Clamp((Soft - field[i]) / (2 * Soft), 0, 1);
            target[i] = (byte)(255 * ink * u * u * (3 - 2 * u) + 0.5f);
        }
    }
}
