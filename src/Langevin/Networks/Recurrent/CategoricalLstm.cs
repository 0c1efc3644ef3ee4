using Langevin.Networks.Layers;
using Langevin.Networks.Recurrent;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A text as one symbol after the other: p(x) = Π_t p(x_t | x_1 … x_{t−1}), each factor a softmax over K symbols of what an LSTM that
/// has read the symbols before says (Graves 2013).
/// </summary>
public sealed class CategoricalLstm : nn.Module<Tensor, Tensor>
{
    private readonly Embedding embedding;
    private readonly LstmTrunk trunk;
    private readonly Linear head;
    private readonly long symbols;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="symbols">Number of symbols K.</param>
    /// <param name="hidden">Width of the state and of the symbols' vectors.</param>
    /// <param name="layers">LSTM layers.</param>
    public CategoricalLstm(int symbols, int hidden = 128, int layers = 1) : base(nameof(CategoricalLstm))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(symbols, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(hidden, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(layers, 1);
        this.symbols = symbols;
        embedding = new(symbols + 1, hidden);
        trunk = new(hidden, hidden, layers);
        head = new(hidden, symbols);
        RegisterComponents();
    }

    /// <summary>ln p of every symbol at every place given the symbols before it, [N, T, K] for int64 x [N, T]; the first is given nothing.</summary>
    public override Tensor forward(Tensor x)
    {
        CheckSymbols(x);
        return WrappedTensorDisposeScope(() => head.call(trunk.call(Inputs(x).narrow(1, 0, x.size(1)))).log_softmax(-1));
    }

    /// <summary>ln p(x_t | x_1 … x_{t−1}) in nats, [N, T] for int64 x [N, T].</summary>
    public Tensor LogProbability(Tensor x) => WrappedTensorDisposeScope(() => call(x).gather(2, x.unsqueeze(2)).squeeze(2));

    /// <summary>Draws what comes next.</summary>
    /// <param name="beginning">int64 [N, C]; C may be 0.</param>
    /// <param name="steps">How many symbols, at least 1.</param>
    /// <param name="temperature">Above 0: ln p is divided by it.</param>
    /// <param name="generator">Source of the draws; libtorch's own where null.</param>
    /// <returns>int64 [N, steps].</returns>
    public Tensor Continue(Tensor beginning, int steps, double temperature = 1, Generator? generator = null)
    {
        CheckSymbols(beginning);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (!(temperature > 0)) throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "Expected above 0.");
        using var still = no_grad();
        return WrappedTensorDisposeScope(() => trunk.Continue(Inputs(beginning), steps,
            // The largest of ln p + Gumbel noise is a draw from p.
            state => (head.call(state).log_softmax(1) / temperature - rand([state.size(0), symbols], generator: generator).clamp_min(1e-20).log().neg().log()).argmax(1),
            value => embedding.call(value)));
    }

    // The row after the symbols' stands before the first.
    private Tensor Inputs(Tensor x) => embedding.call(nn.functional.pad(x, [1, 0], value: symbols).flatten()).view(x.size(0), x.size(1) + 1, -1);

    private void CheckSymbols(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.dim() != 2 || x.dtype != ScalarType.Int64) throw new ArgumentException($"CategoricalLstm: the symbols are {x.dtype} [{string.Join(", ", x.shape)}], expected int64 [N, T].", nameof(x));
        Check.Index(x, symbols, "symbol", nameof(CategoricalLstm));
    }
}
