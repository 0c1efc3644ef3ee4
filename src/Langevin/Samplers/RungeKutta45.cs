using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// The Dormand–Prince pair of orders 5 and 4 with proportional–integral step control, for dy/du = f(y, u) in either direction
/// of u. It keeps the step size from one call to the next.
/// </summary>
internal sealed class RungeKutta45(Func<Tensor, double, Tensor> field, double rtol, double atol, CancellationToken cancellation = default)
{
    private static readonly double[] Nodes = [0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1];
    private static readonly double[][] Stages =
    [
        [],
        [1.0 / 5],
        [3.0 / 40, 9.0 / 40],
        [44.0 / 45, -56.0 / 15, 32.0 / 9],
        [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
        [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    ];
    private static readonly double[] Fifth = [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84];
    // Fifth minus fourth order, over the six stages and the slope at the end.
    private static readonly double[] Error = [71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40];

    private double size, lastError = 1e-4;

    /// <summary>Carries y [N, ...] from u = from to u = to; the result is in the caller's scope, y stays the caller's.</summary>
    /// <exception cref="InvalidOperationException">The step underflows: the field is not smooth or not finite.</exception>
    public Tensor Integrate(Tensor y, double from, double to)
    {
        using var outer = NewDisposeScope();
        if (from == to) return y.alias().MoveToOuterDisposeScope();
        double u = from, direction = Math.Sign(to - from);
        var slope = field(y, u);
        if (size == 0) size = Start(y, slope, u, direction, Math.Abs(to - from));
        Tensor state = y;
        while (u != to)
        {
            cancellation.ThrowIfCancellationRequested();
            double left = Math.Abs(to - u), length = size;
            // Stretch the last step a little rather than leave a crumb after it.
            bool last = length * 1.01 >= left;
            double h = direction * (last ? left : length), end = last ? to : u + h;
            if (!(Math.Abs(h) >= 1e-14 * Math.Max(1e-10, Math.Abs(u)))) // NaN too
                throw new InvalidOperationException($"The adaptive solver's step fell to {h:g3} at {u:g6}: the flow is not finite or not smooth there. Does the denoiser give NaN, or are the tolerances below its precision?");
            using var scope = NewDisposeScope();
            var (next, nextSlope, error) = Try(state, slope, u, h, end);
            double factor = 0.2;
            if (error <= 1)
            {
                factor = 0.9 * Math.Pow(Math.Max(error, 1e-10), -0.7 / 5) * Math.Pow(lastError, 0.4 / 5);
                lastError = Math.Max(error, 1e-4);
                if (!ReferenceEquals(state, y)) state.Dispose();
                slope.Dispose();
                (state, slope, u) = (next.MoveToOuterDisposeScope(), nextSlope.MoveToOuterDisposeScope(), end);
            }
            else if (double.IsFinite(error)) factor = Math.Min(1, 0.9 * Math.Pow(error, -1.0 / 5));
            double tried = Math.Abs(h) * Math.Clamp(factor, 0.2, 10);
            // A step cut short by the end of the interval says nothing against the size before it.
            size = last && error <= 1 ? Math.Max(size, tried) : tried;
        }
        return state.MoveToOuterDisposeScope();
    }

    private (Tensor Next, Tensor Slope, double Error) Try(Tensor y, Tensor slope, double u, double h, double end)
    {
        List<Tensor> k = [slope];
        for (int i = 1; i < 6; i++) k.Add(field(Combine(y, h, Stages[i], k), i == 5 ? end : u + Nodes[i] * h));
        var next = Combine(y, h, Fifth, k);
        k.Add(field(next, end));
        using var miss = Combine(null, h, Error, k);
        return (next, k[6], Norm(miss / (atol + rtol * y.abs().maximum(next.abs()))));
    }

    private static Tensor Combine(Tensor? y, double h, double[] weights, List<Tensor> k)
    {
        using var scope = NewDisposeScope();
        var sum = y ?? zeros_like(k[0]);
        for (int i = 0; i < weights.Length; i++)
            if (weights[i] != 0) sum = sum.add(k[i], alpha: h * weights[i]);
        return sum.MoveToOuterDisposeScope();
    }

    /// <summary>The largest over the batch of each sample's root mean square.</summary>
    public static double Norm(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.flatten(1).square().mean([1]).sqrt().max().to(ScalarType.Float64).item<double>();
    }

    // A first step such that an Euler step changes y by about 1% (Hairer, Nørsett & Wanner, II.4), within the interval: the field may end with it.
    private double Start(Tensor y, Tensor slope, double u, double direction, double most)
    {
        using var scope = NewDisposeScope();
        var tolerance = atol + rtol * y.abs();
        double size0 = Norm(y / tolerance), size1 = Norm(slope / tolerance);
        double h0 = size0 < 1e-5 || size1 < 1e-5 ? 1e-6 : 0.01 * size0 / size1;
        h0 = Math.Min(h0, most);
        double size2 = Norm((field(y + direction * h0 * slope, u + direction * h0) - slope) / tolerance) / h0;
        double steepest = Math.Max(size1, size2);
        return Math.Min(100 * h0, steepest <= 1e-15 ? Math.Max(1e-6, 1e-3 * h0) : Math.Pow(0.01 / steepest, 1.0 / 5));
    }
}
