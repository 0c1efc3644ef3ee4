using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A network that also reads sin(2ⁿ π z) and cos(2ⁿ π z) of every channel of its input (Kingma et al. 2021, appendix C): fine detail, below what
/// the weights of a convolution resolve, becomes as large as the rest.
/// </summary>
/// <remarks>For data of 256 levels in [−1, 1] a level is 2/255 wide, and n = 7 turns by about half a turn from each level to the next.</remarks>
public sealed class FourierInput : Network
{
    private readonly Network inner;
    private readonly double[] frequencies;

    /// <summary>Wraps a network.</summary>
    /// <param name="inner">Reads <see cref="Channels"/> channels for every one of the input.</param>
    /// <param name="exponents">n; 7 and 8 in the paper.</param>
    public FourierInput(Network inner, params int[] exponents) : base(nameof(FourierInput))
    {
        this.inner = inner;
        frequencies = [.. exponents.Select(n => Math.PI * Math.Pow(2, n))];
        RegisterComponents();
    }

    /// <summary>How many channels the wrapped network reads for one of the input.</summary>
    /// <param name="exponents">How many n there are.</param>
    public static int Channels(int exponents) => 1 + 2 * exponents;

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor> { x };
        foreach (double frequency in frequencies)
        {
            var angle = frequency * x;
            parts.Add(angle.sin());
            parts.Add(angle.cos());
        }
        return inner.call(cat([.. parts], 1), noise, condition).MoveToOuterDisposeScope();
    }
}
