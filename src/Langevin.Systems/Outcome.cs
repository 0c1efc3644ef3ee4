using Langevin.Metrics;
using static TorchSharp.torch;

namespace Langevin.Systems;

/// <summary>The metric of one arm with one seed, with what is needed to say how far chance moves it.</summary>
/// <param name="Value">The value.</param>
public sealed record Score(double Value)
{
    /// <summary>Values of the single items whose mean it is, where it is a mean. Item i of every arm is about the same thing.</summary>
    public IReadOnlyList<double>? Items { get; init; }

    /// <summary>Values under resampled samples, where it belongs to a set as a whole.</summary>
    public IReadOnlyList<double>? Draws { get; init; }

    /// <summary>The mean of items.</summary>
    /// <param name="items">Floating or boolean [N].</param>
    public static Score Of(Tensor items)
    {
        using var scope = NewDisposeScope();
        double[] values = items.detach().cpu().to(ScalarType.Float64).contiguous().data<double>().ToArray();
        return new(values.Average()) { Items = values };
    }

    /// <summary>A statistic of a set of samples, resampled.</summary>
    /// <param name="samples">[N, ...].</param>
    /// <param name="statistic">Given some of them, with repeats.</param>
    /// <param name="seed">Seed of the resampling.</param>
    /// <param name="resamples">How many.</param>
    public static Score Of(Tensor samples, Func<Tensor, double> statistic, long seed, int resamples = 100)
    {
        double value = statistic(samples);
        double[] draws = Bootstrap.Resamples(samples.size(0), i => statistic(samples.index_select(0, i)), resamples, seed);
        // Repeated samples bias distances of sets: what counts is how much the value moves.
        double shift = value - draws.Average();
        return new(value) { Draws = [.. draws.Select(d => d + shift)] };
    }
}

/// <summary>What an arm gave with one seed.</summary>
/// <param name="Score">The system's metric.</param>
public sealed record Outcome(Score Score)
{
    /// <summary>What else was measured, by name.</summary>
    public IReadOnlyDictionary<string, double> Figures { get; init; } = new Dictionary<string, double>();

    /// <summary>Seconds that the arm took; the bench fills it in.</summary>
    public double Seconds { get; init; }

    /// <summary>A score by itself.</summary>
    public static implicit operator Outcome(Score score) => new(score);

    /// <summary>The same with one more figure.</summary>
    public Outcome With(string name, double value) => this with { Figures = new Dictionary<string, double>(Figures) { [name] = value } };
}
