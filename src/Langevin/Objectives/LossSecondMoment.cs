using Langevin.Processes;

namespace Langevin.Objectives;

/// <summary>
/// Importance sampling over a table's steps by the second moment of their recent losses (Nichol &amp; Dhariwal 2021, section 3.3):
/// p ∝ √E[L²], mixed with a little of the uniform, and weights 1/(T p) that leave the expected loss as it is.
/// </summary>
/// <remarks>Uniform until every step has <paramref name="History"/> losses.</remarks>
/// <param name="History">Losses remembered for each step.</param>
/// <param name="UniformShare">Share of the uniform distribution.</param>
public sealed record LossSecondMoment(int History = 10, double UniformShare = 0.001) : TimeDistribution
{
    /// <summary>Without losses the distribution is uniform.</summary>
    public override double[] Quantiles(GaussianProcess process, double[] u) => new UniformTime().Quantiles(process, u);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The process is not a table.</exception>
    public override TimeSource Begin(GaussianProcess process, long seed) => new LossSecondMomentSource(this, process, seed);
}

/// <summary>The running state of <see cref="LossSecondMoment"/>: the last losses of each step.</summary>
public sealed class LossSecondMomentSource : TimeSource
{
    private readonly LossSecondMoment options;
    private readonly double[][] history; // the last losses of each step, oldest first
    private readonly int[] counts;

    internal LossSecondMomentSource(LossSecondMoment options, GaussianProcess process, long seed) : base(options, process, seed)
    {
        int steps = process.StepCount ?? throw new ArgumentException("Importance sampling by the losses of steps needs a process that is a table.", nameof(process));
        if (options.History < 1) throw new ArgumentOutOfRangeException(nameof(options), options.History, "The history needs at least one loss a step.");
        this.options = options;
        counts = new int[steps];
        history = [.. Enumerable.Range(0, steps).Select(_ => new double[options.History])];
    }

    /// <summary>Whether every step has its full history, so that the losses count.</summary>
    public bool WarmedUp => Array.TrueForAll(counts, c => c == options.History);

    /// <summary>The probability of each step.</summary>
    public double[] Probabilities()
    {
        int steps = counts.Length;
        var p = new double[steps];
        Array.Fill(p, 1.0 / steps);
        if (!WarmedUp) return p;
        var moments = Array.ConvertAll(history, losses => Math.Sqrt(losses.Sum(l => l * l) / losses.Length));
        double sum = moments.Sum();
        if (sum > 0)
            for (int n = 0; n < steps; n++) p[n] = moments[n] / sum * (1 - options.UniformShare) + options.UniformShare / steps;
        return p;
    }

    /// <summary>The weight 1/(T p) of each step's loss.</summary>
    public double[] Weights() => Array.ConvertAll(Probabilities(), p => 1 / (counts.Length * p));

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A time that is no step, a loss that is not finite, or not as many losses as times.</exception>
    public override bool Listens => true;

    /// <inheritdoc/>
    public override void Observe(Times times, IReadOnlyList<double> losses)
    {
        if (times.Count is { } count && count != losses.Count)
            throw new ArgumentException($"There are {losses.Count} losses for {count} times.", nameof(losses));
        for (int i = 0; i < losses.Count; i++)
        {
            int n = (int)times[i];
            if (n != times[i] || n < 0 || n >= counts.Length) throw new ArgumentException($"Time {times[i]} is not a step of a table of {counts.Length}.", nameof(times));
            if (!double.IsFinite(losses[i])) throw new ArgumentException($"The loss of sample {i} is {losses[i]}.", nameof(losses));
            if (counts[n] == options.History) Array.Copy(history[n], 1, history[n], 0, --counts[n]);
            history[n][counts[n]++] = losses[i];
        }
    }

    /// <summary>For each step the number of losses, then the losses: T (1 + history) numbers.</summary>
    public override double[] State
    {
        get => [.. Enumerable.Range(0, counts.Length).SelectMany(n => history[n].Prepend(counts[n]))];
        set
        {
            int stride = options.History + 1;
            if (value.Length != counts.Length * stride)
                throw new ArgumentException($"The saved state has {value.Length} numbers; {counts.Length} steps with a history of {options.History} need {counts.Length * stride}.", nameof(value));
            for (int n = 0; n < counts.Length; n++)
            {
                counts[n] = (int)value[n * stride] is var c && c >= 0 && c <= options.History
                    ? c : throw new ArgumentException($"The saved state gives step {n} {c} losses of at most {options.History}.", nameof(value));
                Array.Copy(value, n * stride + 1, history[n], 0, options.History);
            }
        }
    }

    /// <inheritdoc/>
    protected override TimeDraw At(double[] u)
    {
        var p = Probabilities();
        var cumulative = new double[p.Length];
        double sum = 0;
        for (int n = 0; n < p.Length; n++) cumulative[n] = sum += p[n];
        var steps = Array.ConvertAll(u, u =>
        {
            int at = Array.BinarySearch(cumulative, u * sum);
            return Math.Min(at < 0 ? ~at : at, p.Length - 1);
        });
        return new(Times.Each(Array.ConvertAll(steps, n => (double)n)), Array.ConvertAll(steps, n => 1 / (p.Length * p[n])));
    }
}
