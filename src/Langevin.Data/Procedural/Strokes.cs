using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>
/// Handwriting-like digits, 28×28 grey, white on black, drawn on the spot from jittered pen strokes: no file is needed.
/// </summary>
/// <remarks>
/// Item i shows the digit i mod 10, so any run of 10 items is balanced, and is a pure function of (seed, i). It varies by glyph
/// (several ways to write most digits), pen width and pressure, slant, rotation, proportions, position and unsteadiness.
/// </remarks>
public static class Strokes
{
    private const int Size = 28, SamplesPerSpan = 5;
    private static readonly string[] Names = [.. "0123456789".Select(c => c.ToString())];

    /// <summary>Draws items first..first + count − 1 in parallel: uint8 [count, 1, 28, 28], 10 classes.</summary>
    /// <param name="count">Number of items, 1..10,000,000.</param>
    /// <param name="seed">Decides the writing.</param>
    /// <param name="first">Number of the first item; a range of its own gives a held-out set.</param>
    public static ArrayDataset Create(int count = 12_000, long seed = 0, long first = 0)
    {
        var images = Render.Images("strokes", count, 1, Size, () => new Pen(Size), (pen, i, target) => Draw(pen, seed, first + i, target));
        return new("strokes", images, Render.Turns(first, count, 10), Names) { Kind = "procedural" };
    }

    private static void Draw(Pen pen, long seed, long item, Span<byte> target)
    {
        var random = new SeededRandom(seed, stream: 0x5354, item);
        var variants = Glyphs.Digits[item % 10];
        var glyph = variants[random.Next(variants.Length)];
        var hand = Hand.Of(ref random);

        // The curve of every stroke, in units of the glyph's height, before it is put on the paper.
        var curves = new (float X, float Y)[glyph.Length][];
        for (int s = 0; s < glyph.Length; s++)
        {
            var points = new (float X, float Y)[glyph[s].Length];
            for (int p = 0; p < points.Length; p++)
                points[p] = hand.Place(glyph[s][p].X + (float)random.Jitter(0.027), glyph[s][p].Y + (float)random.Jitter(0.027));
            curves[s] = Spline(points);
        }

        // Centred by its bounding box, like a scanned digit, then moved a little.
        float left = curves.Min(c => c.Min(p => p.X)), right = curves.Max(c => c.Max(p => p.X));
        float top = curves.Min(c => c.Min(p => p.Y)), bottom = curves.Max(c => c.Max(p => p.Y));
        float scale = hand.Height / MathF.Max(bottom - top, right - left);
        float x0 = Size / 2f + (float)random.Jitter(0.7) - scale * (left + right) / 2, y0 = Size / 2f + (float)random.Jitter(0.7) - scale * (top + bottom) / 2;

        pen.Clear();
        foreach (var curve in curves)
        {
            float phase = (float)random.Uniform(0, 2 * Math.PI), rate = (float)random.Uniform(0.2, 0.5);
            for (int p = 1; p < curve.Length; p++)
                pen.Segment(x0 + scale * curve[p - 1].X, y0 + scale * curve[p - 1].Y, Radius(p - 1), x0 + scale * curve[p].X, y0 + scale * curve[p].Y, Radius(p));

            float Radius(int p) => hand.Radius * (1 + hand.Pressure * MathF.Sin(phase + rate * p));
        }
        pen.Write(target, hand.Ink);
    }

    /// <summary>What is one writer's: the linear map, the pen.</summary>
    private readonly record struct Hand(float Xx, float Xy, float Yx, float Yy, float Bend, float BendPhase, float Height, float Radius, float Pressure, float Ink)
    {
        public static Hand Of(ref SeededRandom random)
        {
            double angle = random.Jitter(0.09), slant = 0.12 + random.Jitter(0.16), width = 0.78 * Math.Exp(random.Jitter(0.13));
            double cos = Math.Cos(angle), sin = Math.Sin(angle);
            // rotation · [width, −slant; 0, 1]: tops lean to the right
            return new((float)(cos * width), (float)(-cos * slant - sin), (float)(sin * width), (float)(-sin * slant + cos),
                (float)random.Jitter(0.025), (float)random.Uniform(0, 2 * Math.PI), (float)(19.2 + random.Jitter(0.7)),
                (float)Math.Clamp(1.25 * Math.Exp(random.Jitter(0.26)), 0.75, 2.2), (float)random.Uniform(0, 0.22), (float)random.Uniform(0.85, 1));
        }

        public (float X, float Y) Place(float x, float y)
        {
            x += Bend * MathF.Sin(4 * y + BendPhase) - 0.5f;
            y -= 0.5f;
            return (Xx * x + Xy * y, Yx * x + Yy * y);
        }
    }

    /// <summary>Catmull–Rom curve through the points, its ends mirrored.</summary>
    private static (float X, float Y)[] Spline((float X, float Y)[] p)
    {
        int spans = p.Length - 1;
        var curve = new (float X, float Y)[spans * SamplesPerSpan + 1];
        curve[0] = p[0];
        for (int s = 0; s < spans; s++)
        {
            var (b, c) = (p[s], p[s + 1]);
            var a = s > 0 ? p[s - 1] : (X: 2 * b.X - c.X, Y: 2 * b.Y - c.Y);
            var d = s + 2 < p.Length ? p[s + 2] : (X: 2 * c.X - b.X, Y: 2 * c.Y - b.Y);
            for (int k = 1; k <= SamplesPerSpan; k++)
            {
                float t = (float)k / SamplesPerSpan;
                curve[s * SamplesPerSpan + k] = (Cubic(a.X, b.X, c.X, d.X, t), Cubic(a.Y, b.Y, c.Y, d.Y, t));
            }
        }
        return curve;

        static float Cubic(float a, float b, float c, float d, float t) =>
            b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
    }
}
