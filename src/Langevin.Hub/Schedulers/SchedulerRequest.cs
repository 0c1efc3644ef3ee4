using Langevin.Inverse;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>What a pipeline asks of a scheduler besides its configuration: how many steps or which, and the options of its step.</summary>
public sealed record SchedulerRequest
{
    /// <summary>Number of steps; not with <see cref="Timesteps"/> or <see cref="Sigmas"/>.</summary>
    public int? Steps { get; init; }

    /// <summary>The times themselves, descending, in the table's steps.</summary>
    public IReadOnlyList<double>? Timesteps { get; init; }

    /// <summary>The noise levels themselves, descending, for schedulers that take them.</summary>
    public IReadOnlyList<double>? Sigmas { get; init; }

    /// <summary>μ of a dynamic shift: the larger the image, the larger.</summary>
    public double? Mu { get; init; }

    /// <summary>Number of steps that are left out at the beginning, as image-to-image does.</summary>
    public int First { get; init; }

    /// <summary>η of DDIM (default 0) and TCD (default 0.3).</summary>
    public double? Eta { get; init; }

    /// <summary>Whether DDIM derives ε again from the clipped sample.</summary>
    public bool RederiveEpsilon { get; init; }

    /// <summary>Noise churn of the Euler and Heun families.</summary>
    public Churn? Churn { get; init; }

    /// <summary>Standard deviation of the fresh noise of DPM++ SDE (default 1).</summary>
    public double? NoiseStd { get; init; }

    /// <summary>Order of the linear multistep method (default 4).</summary>
    public int? Order { get; init; }

    /// <summary>τ(t) of SA-Solver, of the time the network is told: 0 is the flow, 1 the reverse SDE. Its own default if not given.</summary>
    public Func<double, double>? Tau { get; init; }

    /// <summary>RePaint's picture and what is seen of it, of an <see cref="Inpainting"/>.</summary>
    public Measurement? Measurement { get; init; }

    /// <summary>RePaint's jump length.</summary>
    public int Jump { get; init; } = 10;

    /// <summary>How often RePaint walks each stretch.</summary>
    public int Resamplings { get; init; } = 10;

    /// <summary>A number of steps is a request.</summary>
    public static implicit operator SchedulerRequest(int steps) => new() { Steps = steps };

    internal int Count(string className)
    {
        int given = (Steps is null ? 0 : 1) + (Timesteps is null ? 0 : 1) + (Sigmas is null ? 0 : 1);
        if (given == 0 || (Steps is not null && given > 1)) throw new ArgumentException($"{className} needs either a number of steps or a list of times or noise levels.");
        int count = Steps ?? Timesteps?.Count ?? Sigmas!.Count;
        if (count < 1) throw new ArgumentOutOfRangeException(nameof(Steps), count, "A sampler needs at least one step.");
        if (First < 0 || First >= count) throw new ArgumentOutOfRangeException(nameof(First), First, $"Of {count} steps, from 0 to {count - 1} can be left out.");
        return count;
    }
}
