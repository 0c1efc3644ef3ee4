using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>A table of vectors, standard normal to begin with.</summary>
internal sealed class Embedding : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;

    public Embedding(long rows, long width) : base(nameof(Embedding))
    {
        Rows = rows;
        weight = UnsetWeights.Normal(rows, width);
        RegisterComponents();
    }

    public long Rows { get; }

    /// <summary>The table itself, [rows, width].</summary>
    public Tensor Table => weight;

    /// <summary>Draws the table anew, uniform in ±bound.</summary>
    public void Spread(double bound)
    {
        using var _ = no_grad();
        weight.uniform_(-bound, bound);
    }

    /// <summary>Rows of the table for int64 [N] in 0..Rows−1.</summary>
    public override Tensor forward(Tensor index) => weight.index_select(0, index);
}
