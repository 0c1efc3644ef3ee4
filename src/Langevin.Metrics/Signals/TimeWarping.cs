using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>Dynamic time warping, exact: the alignment of two sequences with the least summed cost (Sakoe and Chiba 1978, IEEE TASSP 26).</summary>
public static class TimeWarping
{
    /// <summary>
    /// The pairs of the best alignment from (0, 0) to (F − 1, G − 1) by steps of (1, 1), (1, 0) and (0, 1), int64 [L, 2]. Of equally
    /// good ways the one with more diagonal steps at the end is taken.
    /// </summary>
    /// <param name="cost">[F, G], finite.</param>
    public static Tensor Path(Tensor cost)
    {
        ArgumentNullException.ThrowIfNull(cost);
        if (cost.dim() != 2 || cost.numel() == 0) throw new ArgumentException($"expected costs [F, G], got {Require.Shape(cost)}", nameof(cost));
        Require.Finite(cost);
        using var scope = NewDisposeScope();
        double[] sum = cost.detach().cpu().to(float64).contiguous().data<double>().ToArray();
        int rows = (int)cost.size(0), columns = (int)cost.size(1);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                if (i + j > 0) sum[i * columns + j] += At(i - 1, j - 1, Math.Min(At(i - 1, j), At(i, j - 1)));
        var path = new Stack<long>();
        for (int i = rows - 1, j = columns - 1; i >= 0 && j >= 0;)
        {
            path.Push(j);
            path.Push(i);
            double across = At(i - 1, j - 1), down = At(i - 1, j), right = At(i, j - 1);
            if (across <= down && across <= right) (i, j) = (i - 1, j - 1);
            else if (down <= right) i--;
            else j--;
        }
        return tensor(path.ToArray(), int64).view(-1, 2).MoveToOuterDisposeScope();

        double At(int i, int j, double least = double.PositiveInfinity) => i < 0 || j < 0 ? least : Math.Min(least, sum[i * columns + j]);
    }
}
