using Langevin.Networks.Layers;
using Langevin.Networks.Recurrent;
using Parameter = TorchSharp.Modules.Parameter;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A series as one value after the other: p(x) = Π_t N(x_t; μ_t, diag σ_t²), where μ_t and σ_t come from an LSTM that has read
/// x_1 … x_{t−1} (DeepAR, Salinas et al. 2020, equation 1 with a Gaussian likelihood).
/// </summary>
public sealed class GaussianLstm : nn.Module<Tensor, Tensor>
{
    private const double LogTwoPi = 1.8378770664093453, Smallest = -7, Largest = 7;
    private readonly LstmTrunk trunk;
    private readonly Linear head;
    private readonly Parameter? log_deviation;
    private readonly long channels;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="channels">Numbers D of a value.</param>
    /// <param name="hidden">Width of the state.</param>
    /// <param name="layers">LSTM layers.</param>
    /// <param name="constantDeviation">Whether σ is one vector for all times, learnt, in place of the network's answer.</param>
    public GaussianLstm(int channels, int hidden = 64, int layers = 1, bool constantDeviation = false) : base(nameof(GaussianLstm))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(hidden, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(layers, 1);
        this.channels = channels;
        trunk = new(channels, hidden, layers);
        head = new(hidden, constantDeviation ? channels : 2 * channels);
        if (constantDeviation) log_deviation = nn.Parameter(zeros(channels));
        RegisterComponents();
    }

    /// <summary>Mean and ln σ of every value given those before it, [N, T, 2 D] for x [N, T, D]; the first is given nothing.</summary>
    public override Tensor forward(Tensor x)
    {
        Check(x);
        return WrappedTensorDisposeScope(() => Answer(trunk.call(Inputs(x).narrow(1, 0, x.size(1)))));
    }

    /// <summary>ln p(x_t | x_1 … x_{t−1}) in nats, [N, T] for x [N, T, D].</summary>
    public Tensor LogProbability(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var parts = call(x).chunk(2, 2);
        var z = (x - parts[0]) * (-parts[1]).exp();
        return -(0.5 * z.square() + parts[1] + 0.5 * LogTwoPi).sum(2);
    });

    /// <summary>Draws what comes next.</summary>
    /// <param name="beginning">[N, C, D]; C may be 0.</param>
    /// <param name="steps">How many values, at least 1.</param>
    /// <param name="generator">Source of the noise; libtorch's own where null.</param>
    /// <returns>[N, steps, D].</returns>
    public Tensor Continue(Tensor beginning, int steps, Generator? generator = null)
    {
        Check(beginning);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        using var still = no_grad();
        return WrappedTensorDisposeScope(() => trunk.Continue(Inputs(beginning), steps, state =>
        {
            var parts = Answer(state).chunk(2, 1);
            return parts[0] + parts[1].exp() * randn(parts[0].shape, parts[0].dtype, generator: generator);
        }, value => value));
    }

    private Tensor Answer(Tensor state)
    {
        var answer = head.call(state);
        if (log_deviation is not null) return cat([answer, log_deviation.clamp(Smallest, Largest).expand(answer.shape)], -1);
        var parts = answer.chunk(2, -1);
        return cat([parts[0], parts[1].clamp(Smallest, Largest)], -1);
    }

    // Zeros stand before the first value.
    private Tensor Inputs(Tensor x) => cat([zeros([x.size(0), 1L, channels], x.dtype, x.device), x], 1);

    private void Check(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.dim() != 3 || x.size(2) != channels) throw new ArgumentException($"GaussianLstm: the series are [{string.Join(", ", x.shape)}], expected [N, T, {channels}].", nameof(x));
    }
}
