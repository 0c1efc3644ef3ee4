namespace Langevin.Data.Procedural;

/// <summary>The boundary of a scene's object, with exact distances: a circle or a polygon.</summary>
internal readonly struct Outline
{
    private readonly SceneObject shape;
    private readonly (float X, float Y)[] corners;

    public Outline(SceneObject shape)
    {
        this.shape = shape;
        int n = shape.Kind switch { ShapeKind.Circle => 0, ShapeKind.Square => 4, ShapeKind.Triangle => 3, _ => 10 };
        // A square stands on a side, a triangle and a star point upwards.
        float start = shape.Angle + (shape.Kind == ShapeKind.Square ? MathF.PI / 4 : -MathF.PI / 2);
        corners = new (float, float)[n];
        for (int i = 0; i < n; i++)
        {
            float r = shape.Kind == ShapeKind.Star && i % 2 == 1 ? 0.45f * shape.Radius : shape.Radius, angle = start + 2 * MathF.PI * i / n;
            corners[i] = (shape.X + r * MathF.Cos(angle), shape.Y + r * MathF.Sin(angle));
        }
    }

    /// <summary>Distance in pixels from a point to the outline, negative inside.</summary>
    public float Distance(float x, float y)
    {
        if (corners.Length == 0) return MathF.Sqrt((x - shape.X) * (x - shape.X) + (y - shape.Y) * (y - shape.Y)) - shape.Radius;
        float nearest = float.MaxValue;
        bool inside = false;
        for (int i = 0, j = corners.Length - 1; i < corners.Length; j = i++)
        {
            var (ax, ay) = corners[i];
            var (bx, by) = corners[j];
            float ex = bx - ax, ey = by - ay, px = x - ax, py = y - ay;
            float t = Math.Clamp((px * ex + py * ey) / (ex * ex + ey * ey), 0, 1), dx = px - t * ex, dy = py - t * ey;
            nearest = MathF.Min(nearest, dx * dx + dy * dy);
            // The ray from the point to the right crosses this edge: even-odd rule.
            if (ay > y != by > y && x < ax + py * ex / ey) inside = !inside;
        }
        return inside ? -MathF.Sqrt(nearest) : MathF.Sqrt(nearest);
    }

    /// <summary>The smallest box around it, cut off at the edges of the image.</summary>
    public Box Box => corners.Length == 0
        ? Clip(shape.X - shape.Radius, shape.Y - shape.Radius, shape.X + shape.Radius, shape.Y + shape.Radius)
        : Clip(corners.Min(c => c.X), corners.Min(c => c.Y), corners.Max(c => c.X), corners.Max(c => c.Y));

    private static Box Clip(float left, float top, float right, float bottom) =>
        new(Math.Clamp(left, 0, Scene.Size), Math.Clamp(top, 0, Scene.Size), Math.Clamp(right, 0, Scene.Size), Math.Clamp(bottom, 0, Scene.Size));
}
