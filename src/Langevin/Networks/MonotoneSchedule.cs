using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A learned noise schedule γ(t) = −log SNR on t ∈ [0, 1] (Kingma et al. 2021, appendix H): γ = γ_0 + (γ_1 − γ_0) s(t), where s rises from 0
/// to 1 by a network of one hidden layer, r(t) = p_0 t + Σ p_k sigmoid(w_k (t − b_k)), all p and w positive, and s = (r − r(0))/(r(1) − r(0)).
/// </summary>
/// <remarks>The ends and what lies between are parameters of their own: they may be trained for different ends, or not at all.</remarks>
public sealed class MonotoneSchedule : nn.Module<Tensor, Tensor>
{
    // A step of the optimiser moves an end by so many times what it moves a weight.
    private const double Unit = 10;

    private readonly Parameter start, log_width;
    private readonly Parameter? line, heights, rates, places;

    /// <summary>A straight line, or nearly.</summary>
    /// <param name="low">γ(0).</param>
    /// <param name="high">γ(1).</param>
    /// <param name="hidden">Hidden units; 0 keeps the line straight.</param>
    /// <exception cref="ArgumentException">The ends are not in order.</exception>
    public MonotoneSchedule(double low = -13.3, double high = 5, int hidden = 64) : base(nameof(MonotoneSchedule))
    {
        if (!(high > low)) throw new ArgumentException($"γ must rise: it is to go from {low} to {high}.", nameof(high));
        ArgumentOutOfRangeException.ThrowIfNegative(hidden);
        start = nn.Parameter(tensor((float)(low / Unit)));
        log_width = nn.Parameter(tensor((float)Math.Log(high - low)));
        if (hidden > 0)
        {
            // Units side by side, each as wide as eight: half of the rise, the straight part the other half.
            line = nn.Parameter(tensor((float)InverseSoftplus(1)));
            heights = nn.Parameter(full([hidden], InverseSoftplus(1.0 / hidden), ScalarType.Float32));
            rates = nn.Parameter(full([hidden], Math.Max(4, hidden / 2.0), ScalarType.Float32));
            places = nn.Parameter((arange(hidden, ScalarType.Float32) + 0.5) / hidden);
        }
        RegisterComponents();
    }

    /// <summary>γ(t), shaped as t; float64.</summary>
    public override Tensor forward(Tensor t)
    {
        using var scope = NewDisposeScope();
        return (Low + Width * Interior(t).Share).MoveToOuterDisposeScope();
    }

    /// <summary>γ(0), a scalar that gradients reach.</summary>
    public Tensor Low => Double(start) * Unit;

    /// <summary>γ(1) − γ(0), a scalar that gradients reach.</summary>
    public Tensor Width => Double(log_width).exp();

    /// <summary>γ(1), a scalar that gradients reach.</summary>
    public Tensor High => Low + Width;

    /// <summary>s, ds/dt and d²s/dt², each shaped as t [N], in the current dispose scope; gradients reach the weights between the ends alone.</summary>
    /// <param name="t">[N] in [0, 1].</param>
    public (Tensor Share, Tensor Slope, Tensor Bend) Interior(Tensor t)
    {
        using var scope = NewDisposeScope();
        t = t.to(ScalarType.Float64);
        if (heights is null) return (t.clone().MoveToOuterDisposeScope(), ones_like(t).MoveToOuterDisposeScope(), zeros_like(t).MoveToOuterDisposeScope());
        var (value, slope, bend) = Raw(t);
        var ends = Raw(tensor([0.0, 1.0])).Value;
        Tensor low = ends[0], rise = ends[1] - ends[0];
        return (((value - low) / rise).MoveToOuterDisposeScope(), (slope / rise).MoveToOuterDisposeScope(), (bend / rise).MoveToOuterDisposeScope());
    }

    /// <summary>γ and dγ/dt as they are now, as functions on the host: what a process is made of.</summary>
    public (Func<double, double> Gamma, Func<double, double> Slope) Freeze()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        double low = Low.item<double>(), width = Width.item<double>();
        if (heights is null) return (t => low + width * t, _ => width);
        double straight = Positive(line!).item<double>();
        double[] p = Values(Positive(heights)), w = Values(Positive(rates!)), b = Values(places!);
        double first = Sum(0), rise = Sum(1) - first;
        return (t => low + width * (Sum(t) - first) / rise, t => width * Rate(t) / rise);

        double Sum(double t)
        {
            double sum = straight * t;
            for (int k = 0; k < p.Length; k++) sum += p[k] / (1 + Math.Exp(-w[k] * (t - b[k])));
            return sum;
        }

        double Rate(double t)
        {
            double sum = straight;
            for (int k = 0; k < p.Length; k++)
            {
                double h = 1 / (1 + Math.Exp(-w[k] * (t - b[k])));
                sum += p[k] * w[k] * h * (1 - h);
            }
            return sum;
        }
    }

    private (Tensor Value, Tensor Slope, Tensor Bend) Raw(Tensor t)
    {
        Tensor p = Positive(heights!), w = Positive(rates!), straight = Positive(line!), h = (w * (t.unsqueeze(-1) - Double(places!))).sigmoid();
        Tensor first = h * (1 - h), second = first * (1 - 2 * h);
        return (straight * t + (p * h).sum(-1), straight + (p * w * first).sum(-1), (p * w.square() * second).sum(-1));
    }

    private static Tensor Double(Tensor x) => x.to(ScalarType.Float64);

    private static Tensor Positive(Tensor x) => nn.functional.softplus(Double(x));

    private static double InverseSoftplus(double y) => Math.Log(double.ExpM1(y));

    private static double[] Values(Tensor x) => Double(x.detach()).contiguous().data<double>().ToArray();
}
