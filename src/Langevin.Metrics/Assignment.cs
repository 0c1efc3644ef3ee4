using System.Numerics;
using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Exact minimum-cost matching of rows to columns.</summary>
public static class Assignment
{
    /// <summary>The column of each row in a matching of least total cost.</summary>
    /// <param name="cost">Finite costs [N, M], N ≤ M.</param>
    /// <returns>int64 [N], distinct columns.</returns>
    /// <remarks>
    /// Shortest augmenting paths on reduced costs (Jonker and Volgenant 1987; Crouse 2016, IEEE TAES 52), after a row and
    /// column reduction that matches most rows at once: O(N²M) at worst.
    /// </remarks>
    public static Tensor Solve(Tensor cost)
    {
        ArgumentNullException.ThrowIfNull(cost);
        if (cost.dim() != 2 || cost.size(0) < 1 || cost.size(0) > cost.size(1))
            throw new ArgumentException($"expected costs [N, M] with 1 ≤ N ≤ M, got {Require.Shape(cost)}; transpose them when N > M", nameof(cost));
        Require.Finite(cost);
        using var scope = NewDisposeScope();
        var flat = cost.detach().cpu().to(float64).contiguous();
        long[] columns = Solve(flat.data<double>().ToArray(), (int)cost.size(0), (int)cost.size(1));
        return tensor(columns, int64).MoveToOuterDisposeScope();
    }

    private static long[] Solve(double[] cost, int rows, int columns)
    {
        var (u, v) = (new double[rows], new double[columns]);
        var (columnOf, rowOf) = (new int[rows], new int[columns]);
        Array.Fill(columnOf, -1);
        Array.Fill(rowOf, -1);
        ReduceAndMatch(cost, u, v, columnOf, rowOf);
        var path = new SearchState(columns);
        for (int row = 0; row < rows; row++)
            if (columnOf[row] < 0) Augment(cost, row, u, v, columnOf, rowOf, path);
        return Array.ConvertAll(columnOf, c => (long)c);
    }

    /// <summary>Duals with no negative reduced cost, and a first matching on zero reduced costs.</summary>
    private static void ReduceAndMatch(double[] cost, double[] u, double[] v, int[] columnOf, int[] rowOf)
    {
        int rows = u.Length, columns = v.Length;
        // Columns may stay unmatched where there are more of them, and then their dual must be 0.
        if (rows == columns)
        {
            Array.Fill(v, double.PositiveInfinity);
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < columns; j++)
                    v[j] = Math.Min(v[j], cost[i * columns + j]);
        }
        for (int i = 0; i < rows; i++)
        {
            int best = 0;
            double least = double.PositiveInfinity;
            for (int j = 0; j < columns; j++)
            {
                double reduced = cost[i * columns + j] - v[j];
                if (reduced < least || (reduced == least && rowOf[best] >= 0)) (least, best) = (reduced, j);
            }
            u[i] = least;
            if (rowOf[best] < 0) (columnOf[i], rowOf[best]) = (best, i);
        }
    }

    /// <summary>Dijkstra from a free row to the nearest free column, then flips the path and moves the duals.</summary>
    private static void Augment(double[] cost, int start, double[] u, double[] v, int[] columnOf, int[] rowOf, SearchState s)
    {
        s.Reset();
        int row = start, column;
        double reached = 0;
        while (true)
        {
            reached = s.Relax(cost, row, reached - u[row], v);
            column = s.NearestColumn(reached, rowOf);
            s.Close(column, reached);
            if (rowOf[column] < 0) break;
            row = rowOf[column];
        }
        u[start] += reached;
        foreach (int j in s.Closed)
        {
            double slack = reached - s.Distance[j];
            if (rowOf[j] >= 0) u[rowOf[j]] += slack;
            v[j] -= slack;
        }
        for (int i = -1; i != start;)
        {
            i = (int)s.From[column];
            rowOf[column] = i;
            (columnOf[i], column) = (column, columnOf[i]);
        }
    }

    /// <summary>One search's distances; closed columns are walled off by an infinite addend so that the scan has no branches.</summary>
    private sealed class SearchState(int columns)
    {
        private readonly double[] open = new double[columns];
        private readonly double[] wall = new double[columns];

        public double[] Distance { get; } = new double[columns];
        public long[] From { get; } = new long[columns];
        public List<int> Closed { get; } = new(columns);

        public void Reset()
        {
            Array.Fill(open, double.PositiveInfinity);
            Array.Clear(wall);
            Closed.Clear();
        }

        /// <summary>Offers every open column a way through a row; returns the least distance.</summary>
        public double Relax(double[] cost, int row, double offset, double[] v)
        {
            int width = Vector<double>.Count, at = row * columns, j = 0;
            var (least, shift, via) = (new Vector<double>(double.PositiveInfinity), new Vector<double>(offset), new Vector<long>(row));
            for (; j <= columns - width; j += width)
            {
                var way = shift + (new Vector<double>(cost, at + j) - new Vector<double>(v, j)) + new Vector<double>(wall, j);
                var old = new Vector<double>(open, j);
                var shorter = Vector.LessThan(way, old);
                var now = Vector.ConditionalSelect(shorter, way, old);
                now.CopyTo(open, j);
                Vector.ConditionalSelect(shorter, via, new Vector<long>(From, j)).CopyTo(From, j);
                least = Vector.Min(least, now);
            }
            double smallest = double.PositiveInfinity;
            for (int k = 0; k < width; k++) smallest = Math.Min(smallest, least[k]);
            for (; j < columns; j++)
            {
                double way = offset + (cost[at + j] - v[j]) + wall[j];
                if (way < open[j]) (open[j], From[j]) = (way, row);
                smallest = Math.Min(smallest, open[j]);
            }
            return smallest;
        }

        /// <summary>An open column at a distance, a free one where there is one.</summary>
        public int NearestColumn(double distance, int[] rowOf)
        {
            int first = Array.IndexOf(open, distance);
            for (int j = first; j >= 0; j = j + 1 < columns ? Array.IndexOf(open, distance, j + 1) : -1)
                if (rowOf[j] < 0) return j;
            return first;
        }

        public void Close(int column, double distance)
        {
            Distance[column] = distance;
            open[column] = wall[column] = double.PositiveInfinity;
            Closed.Add(column);
        }
    }
}
