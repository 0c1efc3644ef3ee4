using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Metrics.Series;

/// <summary>One GRU layer and a linear map of its outputs: [N, T, D] to [N, T, K].</summary>
internal sealed class SequenceNetwork : nn.Module<Tensor, Tensor>
{
    private readonly GRU gru;
    private readonly Linear head;

    public SequenceNetwork(long channels, int hidden, long outputs) : base(nameof(SequenceNetwork))
    {
        gru = nn.GRU(channels, hidden, batchFirst: true);
        head = nn.Linear(hidden, outputs);
        RegisterComponents();
    }

    /// <summary>Draws all weights from one seed, uniform in ±1/√hidden as the two layers' own default is.</summary>
    public SequenceNetwork Seeded(Generator random)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        double bound = 1 / Math.Sqrt(head.weight.size(1));
        foreach (var (_, p) in named_parameters()) p.uniform_(-bound, bound, random);
        return this;
    }

    public override Tensor forward(Tensor x) => WrappedTensorDisposeScope(() => head.call(gru.call(x).Item1));

    /// <summary>The output after the last step, [N, K].</summary>
    public Tensor Last(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var states = gru.call(x).Item1;
        return head.call(states.select(1, states.size(1) - 1));
    });
}
