using Langevin.Metrics;

namespace Langevin.Systems;

/// <summary>How the method stands to another arm.</summary>
public enum Verdict
{
    /// <summary>The interval is clear of zero on the better side.</summary>
    Beats,

    /// <summary>The interval holds zero.</summary>
    Ties,

    /// <summary>The interval is clear of zero on the worse side.</summary>
    Loses,
}

/// <summary>The method against another arm, paired by seed and, where the metric is a mean over items, by item.</summary>
/// <param name="Arm">The other arm.</param>
/// <param name="Role">What it is there for.</param>
/// <param name="Difference">Mean over the seeds of the method's value less the other's.</param>
/// <param name="Interval">95 % bootstrap interval of it: seeds are resampled, and within each seed items or samples.</param>
/// <param name="Verdict">What that says of the method.</param>
/// <param name="AsClaimed">Of an ablation: whether the metric moved as the paper says.</param>
public sealed record Comparison(string Arm, ArmRole Role, double Difference, Interval Interval, Verdict Verdict, bool? AsClaimed)
{
    private const int Resamples = 4000;

    /// <summary>Compares, seed by seed in the same order.</summary>
    /// <param name="arm">The other arm.</param>
    /// <param name="better">Which way the metric is better.</param>
    /// <param name="method">The method's scores.</param>
    /// <param name="other">The other's.</param>
    public static Comparison Of(Arm arm, Direction better, IReadOnlyList<Score> method, IReadOnlyList<Score> other)
    {
        if (method.Count == 0 || method.Count != other.Count) throw new ArgumentException($"{method.Count} seeds against {other.Count}: pairs are needed.");
        var random = new Random(12345);
        var values = new double[Resamples];
        for (int b = 0; b < Resamples; b++)
        {
            double sum = 0;
            for (int s = 0; s < method.Count; s++)
            {
                int i = random.Next(method.Count);
                sum += Drawn(method[i], other[i], random);
            }
            values[b] = sum / method.Count;
        }
        Array.Sort(values);
        var interval = new Interval(values[(int)(0.025 * Resamples)], values[(int)(0.975 * Resamples)], 0.95);
        double sign = better == Direction.Lower ? -1 : 1;
        var verdict = interval.Low <= 0 && interval.High >= 0 ? Verdict.Ties : sign * interval.Low > 0 ? Verdict.Beats : Verdict.Loses;
        bool? claimed = arm.Role != ArmRole.Ablation ? null : verdict == arm.Claim switch { Effect.Worse => Verdict.Beats, Effect.Better => Verdict.Loses, _ => Verdict.Ties };
        return new(arm.Name, arm.Role, method.Zip(other, (m, o) => m.Value - o.Value).Average(), interval, verdict, claimed);
    }

    // The difference of one seed as another draw of its items or samples might have given it.
    private static double Drawn(Score method, Score other, Random random)
    {
        if (method.Items is { } m && other.Items is { } o && m.Count == o.Count)
        {
            double sum = 0;
            for (int n = 0; n < m.Count; n++)
            {
                int i = random.Next(m.Count);
                sum += m[i] - o[i];
            }
            return sum / m.Count;
        }
        return One(method, random) - One(other, random);
    }

    private static double One(Score score, Random random)
    {
        if (score.Draws is { } draws) return draws[random.Next(draws.Count)];
        if (score.Items is not { } items) return score.Value;
        double sum = 0;
        for (int n = 0; n < items.Count; n++) sum += items[random.Next(items.Count)];
        return sum / items.Count;
    }
}
