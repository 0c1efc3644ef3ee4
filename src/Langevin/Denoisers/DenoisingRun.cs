using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>What a denoiser may know and remember of one run: the times it will be asked about, and tensors that outlive a step.</summary>
/// <param name="times">The times of the run's grid, descending.</param>
public sealed class DenoisingRun(IReadOnlyList<double> times) : IDisposable
{
    private readonly HashSet<Tensor> kept = new(ReferenceEqualityComparer.Instance);
    private readonly DenoisingRun? parent;

    private DenoisingRun(IReadOnlyList<double> times, DenoisingRun parent) : this(times) => this.parent = parent;

    /// <summary>The times of the run's grid, descending.</summary>
    public IReadOnlyList<double> Times => times;

    /// <summary>Keeps a tensor for later steps; what is still kept goes when the run ends.</summary>
    /// <param name="value">The tensor.</param>
    /// <param name="instead">One that was kept and is not needed any more.</param>
    public Tensor Keep(Tensor value, Tensor? instead = null)
    {
        if (parent is not null) return parent.Keep(value, instead);
        if (instead is not null && kept.Remove(instead)) instead.Dispose();
        var held = value.alias().DetachFromDisposeScope();
        kept.Add(held);
        return held;
    }

    /// <summary>The same run in the times of another process, for a denoiser that is asked about those.</summary>
    public DenoisingRun In(Func<double, double> time) => new([.. Times.Select(time)], parent ?? this);

    /// <summary>Ends the run.</summary>
    public void Dispose()
    {
        foreach (var tensor in kept) tensor.Dispose();
        kept.Clear();
    }
}
