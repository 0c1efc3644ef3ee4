using System.Diagnostics;

namespace Langevin.Benchmarks;

/// <summary>Measures things against each other on a machine that may do other work too.</summary>
internal static class Clock
{
    /// <summary>
    /// Times several actions in turns, after one untimed turn each, so that a change of the machine's load meets them all.
    /// </summary>
    /// <param name="rounds">Number of turns.</param>
    /// <param name="actions">What to time.</param>
    /// <returns>The seconds of each action in each turn.</returns>
    public static double[][] Turns(int rounds, params Action[] actions)
    {
        var seconds = actions.Select(_ => new double[rounds]).ToArray();
        foreach (var action in actions) action();
        for (int round = 0; round < rounds; round++)
            for (int k = 0; k < actions.Length; k++)
            {
                int i = round % 2 == 0 ? k : actions.Length - 1 - k; // who goes first must not matter
                long start = Stopwatch.GetTimestamp();
                actions[i]();
                seconds[i][round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        return seconds;
    }

    public static double Median(this IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int half = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    /// <summary>Median over the turns of the ratio of two actions within a turn.</summary>
    public static double Ratio(double[] above, double[] below) => above.Zip(below, (a, b) => a / b).Median();

    /// <summary>95 % interval of that median by order statistics: no assumption on how the turns spread.</summary>
    public static (double Low, double High) RatioInterval(double[] above, double[] below)
    {
        double[] sorted = [.. above.Zip(below, (a, b) => a / b).Order()];
        int rank = Math.Max((int)Math.Floor((sorted.Length - 1.96 * Math.Sqrt(sorted.Length)) / 2), 1);
        return (sorted[rank - 1], sorted[^rank]);
    }

    public static string Milliseconds(double seconds) => $"{1000 * seconds:0.##} ms";
}
