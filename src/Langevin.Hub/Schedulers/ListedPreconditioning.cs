using Langevin.Denoisers;
using Langevin.Processes;

namespace Langevin.Hub.Schedulers;

/// <summary>
/// The network predicts directly and is told a listed number at each of the listed times: schedulers choose a noise level and
/// what the network hears of it apart (a rounded step). Between listed times it is told what lies between.
/// </summary>
internal sealed record ListedPreconditioning : Preconditioning
{
    private readonly PredictionKind kind;
    private readonly double[] times, told;

    /// <summary>From times of the process and what the network is told there; of a repeated time the first counts.</summary>
    public ListedPreconditioning(PredictionKind kind, IEnumerable<double> times, IEnumerable<double> told)
    {
        this.kind = kind;
        var pairs = times.Zip(told).DistinctBy(p => p.First).OrderBy(p => p.First).ToArray();
        (this.times, this.told) = ([.. pairs.Select(p => p.First)], [.. pairs.Select(p => p.Second)]);
    }

    /// <inheritdoc/>
    public override PredictionKind Kind => kind;

    /// <inheritdoc/>
    public override bool IsPlain => true;

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t)
    {
        int at = Array.BinarySearch(times, t);
        if (at >= 0) return told[at];
        int above = ~at;
        if (above == 0) return told[0];
        if (above == times.Length) return told[^1];
        double share = (t - times[above - 1]) / (times[above] - times[above - 1]);
        // A time that went through another process comes back with its last digit changed.
        return share < 1e-9 ? told[above - 1] : share > 1 - 1e-9 ? told[above] : told[above - 1] + share * (told[above] - told[above - 1]);
    }
}
