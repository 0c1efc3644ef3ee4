using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>Pictures in tiles that overlap by a quarter and are mixed there, so that a large picture needs no more memory than a tile.</summary>
public static class Tiles
{
    /// <summary>A map of pictures, tile by tile.</summary>
    /// <param name="x">[N, C, H, W].</param>
    /// <param name="side">Side of a tile.</param>
    /// <param name="multiple">What sides and places of tiles must be multiples of.</param>
    /// <param name="scale">How much larger its output is than its input.</param>
    /// <param name="map">The map.</param>
    public static Tensor Map(Tensor x, int side, int multiple, double scale, Func<Tensor, Tensor> map)
    {
        if (x.size(2) <= side && x.size(3) <= side) return map(x);
        using var scope = NewDisposeScope();
        Tensor? sum = null, weight = null;
        foreach (long top in Starts(x.size(2)))
            foreach (long left in Starts(x.size(3)))
            {
                using var inner = NewDisposeScope();
                long height = Math.Min(side, x.size(2)), width = Math.Min(side, x.size(3));
                var tile = map(x.narrow(2, top, height).narrow(3, left, width));
                if (sum is null)
                {
                    sum = zeros([tile.size(0), tile.size(1), Scaled(x.size(2)), Scaled(x.size(3))], tile.dtype, tile.device).MoveToOuterDisposeScope();
                    weight = zeros([1, 1, Scaled(x.size(2)), Scaled(x.size(3))], tile.dtype, tile.device).MoveToOuterDisposeScope();
                }
                var share = (Ramp(tile.size(2), top > 0, top + height < x.size(2)).unsqueeze(1) * Ramp(tile.size(3), left > 0, left + width < x.size(3))).to(tile.dtype, tile.device);
                sum.narrow(2, Scaled(top), tile.size(2)).narrow(3, Scaled(left), tile.size(3)).add_(tile * share);
                weight!.narrow(2, Scaled(top), tile.size(2)).narrow(3, Scaled(left), tile.size(3)).add_(share);
            }
        return sum!.div_(weight!).MoveToOuterDisposeScope();

        long Scaled(long length) => (long)Math.Round(length * scale);

        IEnumerable<long> Starts(long length)
        {
            long stride = Math.Max(multiple, side * 3 / 4 / multiple * multiple);
            for (long at = 0; at + side < length; at += stride) yield return at;
            yield return Math.Max(0, length - side);
        }

        // Up over the first quarter and down over the last, where another tile begins or ends.
        Tensor Ramp(long length, bool up, bool down)
        {
            long edge = Math.Max(1, length / 4);
            double[] all = [.. Enumerable.Range(0, (int)length).Select(i => Math.Min(up ? Math.Min(1, (i + 0.5) / edge) : 1, down ? Math.Min(1, (length - i - 0.5) / edge) : 1))];
            return tensor(all);
        }
    }
}
