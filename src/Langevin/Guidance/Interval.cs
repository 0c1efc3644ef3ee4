using Langevin.Processes;

namespace Langevin.Guidance;

/// <summary>The times at which guidance acts (Kynkäänniemi et al. 2024): outside it the plain conditional model samples, at half the cost.</summary>
public readonly record struct Interval
{
    private readonly bool ofTime;

    private Interval(double low, double high, bool ofTime)
    {
        if (!(low <= high)) throw new ArgumentException($"An interval's lower end, {low}, must not exceed its upper end, {high}.");
        (Low, High, this.ofTime) = (low, high, ofTime);
    }

    /// <summary>Lower end, included.</summary>
    public double Low { get; }

    /// <summary>Upper end, included.</summary>
    public double High { get; }

    /// <summary>Noise-to-signal ratios σ/α from low to high.</summary>
    public static Interval OfNoise(double low, double high) => new(low, high, false);

    /// <summary>Times of the process from low to high.</summary>
    public static Interval OfTime(double low, double high) => new(low, high, true);

    /// <summary>Whether a time of a process lies within.</summary>
    public bool Contains(GaussianProcess process, double t)
    {
        double at = ofTime ? t : process.Sigma(t) / process.Alpha(t);
        return at >= Low && at <= High;
    }
}
