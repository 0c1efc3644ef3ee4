using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>The times of a request: those of the process, one more than steps, and what the network is told at the start of each.</summary>
/// <param name="Times">Times of the process; the last is where the last step ends.</param>
/// <param name="Told">What the network is told, one a step.</param>
internal sealed record SchedulerTimes(double[] Times, double[] Told);

/// <summary>What the options of a scheduler come to.</summary>
/// <param name="Process">The process.</param>
/// <param name="Prediction">What the network predicts.</param>
/// <param name="Grid">The times of a request for a number of steps.</param>
/// <param name="Sampler">The sampler of a request; it sees all the times, also those that the request leaves out.</param>
internal sealed record SchedulerPlan(GaussianProcess Process, PredictionKind Prediction, Func<SchedulerRequest, int, SchedulerTimes> Grid,
    Func<SchedulerRequest, SchedulerTimes, Sampler> Sampler)
{
    /// <summary>What is done to every prediction.</summary>
    public Func<SchedulerRequest, Func<IDenoiser, IDenoiser>> Decoration { get; init; } = _ => d => d;

    /// <summary>How the network is asked, where it is not simply told the listed times.</summary>
    public Func<SchedulerTimes, Preconditioning>? Preconditioning { get; init; }

    /// <summary>Standard deviation of the noise that sampling starts from.</summary>
    public Func<SchedulerTimes, double> InitialStd { get; init; } = _ => 1;

    /// <summary>How a predicted variance is encoded.</summary>
    public VarianceKind? Variance { get; init; }

    /// <summary>Whether a learned variance is the variance itself.</summary>
    public bool PlainVariance { get; init; }

    /// <summary>Whether a request may list the table's times.</summary>
    public bool TakesTimesteps { get; init; }

    /// <summary>Whether a request may list noise levels.</summary>
    public bool TakesSigmas { get; init; }

    /// <summary>The composition of a request.</summary>
    public SchedulerComposition Compose(SchedulerRequest request, string className)
    {
        int count = request.Count(className);
        if (request.Timesteps is not null && !TakesTimesteps) throw new ArgumentException($"{className} with these options takes a number of steps, not a list of times.");
        if (request.Sigmas is not null && !TakesSigmas) throw new ArgumentException($"{className} with these options takes no list of noise levels.");
        var all = Grid(request, count);
        var preconditioning = Preconditioning?.Invoke(all) ?? new ListedPreconditioning(Prediction, all.Times, all.Told);
        return new(Process, preconditioning, TimeGrid.Verbatim(all.Times[request.First..]), all.Told[request.First..], Sampler(request, all))
        {
            Decoration = Decoration(request),
            InitialStd = InitialStd(all),
            Variance = Variance,
            PlainVariance = PlainVariance,
        };
    }
}
