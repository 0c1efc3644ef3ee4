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
            for (int i = 0; i < actions.Length; i++)
            {
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

    public static string Milliseconds(double seconds) => $"{1000 * seconds:0.##} ms";
}
