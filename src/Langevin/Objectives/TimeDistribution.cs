using Langevin.Processes;

namespace Langevin.Objectives;

/// <summary>The times of one batch and the weight of each sample's loss in the batch's mean.</summary>
/// <param name="Times">One time a sample.</param>
/// <param name="Weights">1 where the distribution is part of the objective; 1/(T p) where it only makes the estimate better.</param>
public readonly record struct TimeDraw(Times Times, double[] Weights);

/// <summary>How the uniform numbers behind a batch's times lie.</summary>
public enum Points
{
    /// <summary>Independent.</summary>
    Independent,

    /// <summary>(u + i/N) mod 1 with one u: even over every batch (Kingma et al. 2021, "low-discrepancy").</summary>
    LowDiscrepancy,

    /// <summary>u and 1 − u in pairs: sample i and i + N/2.</summary>
    Antithetic,
}

/// <summary>
/// Where in time a model is trained: an immutable description, by its quantile function. What a run must remember of it lies
/// in the <see cref="TimeSource"/> that it begins.
/// </summary>
public abstract record TimeDistribution
{
    /// <summary>How the points of a batch lie.</summary>
    public Points Points { get; init; }

    /// <summary>The times at which the distribution function is <paramref name="u"/>.</summary>
    /// <param name="process">The process.</param>
    /// <param name="u">Numbers strictly between 0 and 1.</param>
    public abstract double[] Quantiles(GaussianProcess process, double[] u);

    /// <summary>Begins a run.</summary>
    /// <param name="process">The process that is trained on.</param>
    /// <param name="seed">The seed of the run.</param>
    public virtual TimeSource Begin(GaussianProcess process, long seed) => new(this, process, seed);

    /// <summary>The time of a noise-to-signal ratio σ/α, inside the table when the process is one.</summary>
    protected static double TimeOfRatio(GaussianProcess process, double ratio)
    {
        double t = process.TimeOfLambda(-Math.Log(ratio));
        return process.StepCount is null ? t : Math.Clamp(t, process.MinTime, process.MaxTime);
    }

    /// <summary>The time at a share of the process's span from data to noise; a step of a table.</summary>
    protected static double TimeOfShare(GaussianProcess process, double share) => process.StepCount is { } steps
        ? Math.Clamp(Math.Floor(share * steps), 0, steps - 1)
        : Math.Clamp(process.DataTime + share * (process.MaxTime - process.DataTime), process.MinTime, process.MaxTime);
}

/// <summary>
/// The times of one training run, batch by batch: a function of the seed and the step, plus whatever <see cref="Observe"/>
/// has taught it, which <see cref="State"/> saves. Every process of a data-parallel run draws the whole batch and takes its part.
/// </summary>
public class TimeSource
{
    private readonly TimeDistribution distribution;
    private readonly long seed;

    /// <summary>The source of a distribution that does not learn.</summary>
    protected internal TimeSource(TimeDistribution distribution, GaussianProcess process, long seed) =>
        (this.distribution, Process, this.seed) = (distribution, process, seed);

    /// <summary>The process that is trained on.</summary>
    public GaussianProcess Process { get; }

    /// <summary>What a checkpoint must keep; empty where nothing is learned.</summary>
    /// <exception cref="ArgumentException">A state of another length is set.</exception>
    public virtual double[] State
    {
        get => [];
        set
        {
            if (value.Length != 0) throw new ArgumentException($"This time distribution has no state, but {value.Length} numbers are to be restored.", nameof(value));
        }
    }

    /// <summary>The times of a step's batch.</summary>
    /// <param name="count">N, the size of the batch.</param>
    /// <param name="step">The number of the step.</param>
    public TimeDraw Draw(int count, long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return At(Uniforms(count, step));
    }

    /// <summary>Whether <see cref="Observe"/> learns anything: the losses are read back from the device only then.</summary>
    public virtual bool Listens => false;

    /// <summary>Tells of the losses at some times; only importance sampling listens.</summary>
    /// <param name="times">The times.</param>
    /// <param name="losses">The loss of each sample, without the draw's weights.</param>
    public virtual void Observe(Times times, IReadOnlyList<double> losses)
    {
    }

    /// <summary>The draw at given quantiles.</summary>
    protected virtual TimeDraw At(double[] u)
    {
        var weights = new double[u.Length];
        Array.Fill(weights, 1);
        return new(Times.Each(distribution.Quantiles(Process, u)), weights);
    }

    private double[] Uniforms(int count, long step)
    {
        var u = new double[count];
        for (int i = 0; i < count; i++)
        {
            u[i] = distribution.Points switch
            {
                Points.LowDiscrepancy => Math.Max((CounterRandom.Uniform(seed, step, 0) + (double)i / count) % 1, double.Epsilon),
                Points.Antithetic when i >= count - count / 2 => 1 - u[i - (count - count / 2)],
                _ => CounterRandom.Uniform(seed, step, i),
            };
        }
        return u;
    }
}
