using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Recurrent;

/// <summary>
/// Long short-term memory (Hochreiter and Schmidhuber 1997) under a sequence model: the state at place t has read what comes before t
/// and nothing else.
/// </summary>
internal sealed class LstmTrunk : nn.Module<Tensor, Tensor>
{
    private readonly LSTM lstm;

    public LstmTrunk(long inputs, long hidden, long layers) : base(nameof(LstmTrunk))
    {
        lstm = nn.LSTM(inputs, hidden, layers, batchFirst: true);
        RegisterComponents();
    }

    /// <summary>States [N, T, hidden] for inputs [N, T, inputs], the input at t being the value at t − 1.</summary>
    public override Tensor forward(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        return lstm.call(inputs).Item1.MoveToOuterDisposeScope();
    }

    /// <summary>Goes on from a given beginning, value by value.</summary>
    /// <param name="inputs">[N, C + 1, inputs]: what stands for "before the first", then the beginning.</param>
    /// <param name="steps">How many values.</param>
    /// <param name="draw">A value [N, ...] for the last state [N, hidden].</param>
    /// <param name="read">The input [N, inputs] that a value is.</param>
    /// <returns>[N, steps, ...].</returns>
    public Tensor Continue(Tensor inputs, int steps, Func<Tensor, Tensor> draw, Func<Tensor, Tensor> read)
    {
        using var scope = NewDisposeScope();
        var values = new List<Tensor>(steps);
        var (all, h, c) = lstm.call(inputs);
        var state = all.select(1, all.size(1) - 1);
        for (int k = 0; k < steps; k++)
        {
            using var step = NewDisposeScope();
            using var h0 = h;
            using var c0 = c;
            using var last = state;
            values.Add(draw(state).MoveToOuterDisposeScope());
            (all, h, c) = lstm.call(read(values[k]).unsqueeze(1), (h0, c0));
            state = all.select(1, 0).MoveToOuterDisposeScope();
            h.MoveToOuterDisposeScope();
            c.MoveToOuterDisposeScope();
        }
        return stack(values, 1).MoveToOuterDisposeScope();
    }
}
