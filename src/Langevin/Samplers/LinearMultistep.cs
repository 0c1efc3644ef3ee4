using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// The linear multistep method of Adams and Bashforth with steps of any width (k-diffusion's LMS) on d(x/α)/d(σ/α) = ε̂: the
/// polynomial through the last slopes is integrated exactly. One evaluation a step.
/// </summary>
/// <param name="Order">How many slopes are used, 1 to 16; the first steps have fewer.</param>
public sealed record LinearMultistep(int Order = 4) : Sampler
{
    /// <summary>
    /// Ratios σ/α before the grid's first, descending, whose slopes count as zero: diffusers' LMS, begun in the middle, takes the weights of
    /// a memory that it does not have. None by default.
    /// </summary>
    public IReadOnlyList<double> Before { get; init; } = [];

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Order is < 1 or > 16) throw new ArgumentOutOfRangeException(nameof(Order), Order, "The order is 1 to 16.");
        var (process, path) = (run.Process, FlowCoordinates.Ratio);
        List<(double Ratio, Tensor? Slope)> slopes = [.. Before.Reverse().Take(Order).Select(r => (r, (Tensor?)null))]; // the last first
        return (x, t, s) =>
        {
            var prediction = run.Denoise(x, t);
            // Out of pure noise, where the ratio is infinite, the limit of Euler's step is DDIM's.
            if (process.Alpha(t) == 0) return Ddim.Draw(run, prediction, t, s, 0);
            Tensor? oldest = null;
            if (slopes.Count == Order)
            {
                oldest = slopes[^1].Slope;
                slopes.RemoveAt(Order - 1);
            }
            slopes.Insert(0, (path.Of(process, t), run.Keep(prediction.Epsilon, instead: oldest)));
            double[] nodes = [.. slopes.Select(e => e.Ratio)];
            double to = path.Of(process, s);
            var y = x / process.Alpha(t);
            for (int j = 0; j < nodes.Length; j++)
                if (slopes[j].Slope is { } slope) y = y + Weight(nodes, j, to) * slope;
            return process.Alpha(s) * y;
        };
    }

    /// <summary>The integral from the first node to <paramref name="to"/> of the polynomial that is 1 at node j and 0 at the others.</summary>
    internal static double Weight(double[] nodes, int j, double to) => GaussLegendre.Integrate(
        u => nodes.Where((_, k) => k != j).Aggregate(1.0, (product, node) => product * (u - node) / (nodes[j] - node)), nodes[0], to);
}
