using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>p(x_0 | x_1): how a Gaussian at the last step states the likelihood of the data themselves.</summary>
public abstract record Decoder
{
    /// <summary>Data quantised to 256 levels in [−1, 1].</summary>
    public static Decoder EightBit { get; } = new DiscretizedGaussian();

    /// <summary>Continuous data.</summary>
    public static Decoder Density { get; } = new GaussianDensity();

    /// <summary>The log likelihood of each element, in nats.</summary>
    /// <param name="x0">The data.</param>
    /// <param name="mean">Mean of the Gaussian, shaped as x0.</param>
    /// <param name="logVariance">Its log variance, to broadcast against x0.</param>
    /// <returns>Shaped as x0.</returns>
    public abstract Tensor LogLikelihood(Tensor x0, Tensor mean, Tensor logVariance);
}

/// <summary>The density itself.</summary>
public sealed record GaussianDensity : Decoder
{
    /// <inheritdoc/>
    public override Tensor LogLikelihood(Tensor x0, Tensor mean, Tensor logVariance)
    {
        using var scope = NewDisposeScope();
        return (-0.5 * (Math.Log(2 * Math.PI) + logVariance + (x0 - mean).square() * (-logVariance).exp())).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// The values of the levels compared with each other: p(x_0) ∝ N(x_0; mean, variance) over the levels (Kingma et al. 2021, equation 8, where
/// the mean is z_0/α_0: <see cref="ContinuousBound.FromObservation"/>). Levels are evenly spaced in [−1, 1].
/// </summary>
/// <param name="Levels">Number of levels.</param>
public sealed record LevelPosterior(int Levels = 256) : Decoder
{
    /// <inheritdoc/>
    public override Tensor LogLikelihood(Tensor x0, Tensor mean, Tensor logVariance)
    {
        using var scope = NewDisposeScope();
        var precision = (-logVariance).exp();
        var levels = linspace(-1, 1, Levels, x0.dtype, x0.device);
        Tensor Logit(Tensor x, Tensor m, Tensor p) => -0.5 * p * (x - m).square();
        var all = Logit(levels, mean.unsqueeze(-1), precision.dim() == 0 ? precision : precision.unsqueeze(-1)).logsumexp(-1);
        return (Logit(x0, mean, precision) - all).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// The mass of the Gaussian in the bin of each level, the outer bins reaching to infinity (Ho et al. 2020, equation 13; survey
/// equation 3, L_0). Levels are evenly spaced in [−1, 1].
/// </summary>
/// <param name="Levels">Number of levels.</param>
/// <param name="TanhApproximation">
/// Whether the normal distribution function is the tanh approximation of published figures, with probabilities kept above 1e-12; else it is
/// exact, into the far tails.
/// </param>
public sealed record DiscretizedGaussian(int Levels = 256, bool TanhApproximation = false) : Decoder
{
    private double HalfBin => 1.0 / (Levels - 1);

    /// <inheritdoc/>
    public override Tensor LogLikelihood(Tensor x0, Tensor mean, Tensor logVariance)
    {
        using var scope = NewDisposeScope();
        var difference = x0 - mean;
        var precision = (-0.5 * logVariance).exp(); // 1/std
        // Within an eighth of a bin of ±1 lies the outermost level only.
        double edge = 1 - 0.25 * HalfBin;
        Tensor top = x0.gt(edge), bottom = x0.lt(-edge);
        return (TanhApproximation ? Approximate(difference, precision, top, bottom) : Exact(difference, precision, top, bottom)).MoveToOuterDisposeScope();
    }

    private Tensor Exact(Tensor difference, Tensor precision, Tensor top, Tensor bottom)
    {
        // An outer bin reaches to infinity: a tail. An inner one is looked at from the side where its far end is a tail too, so that
        // what is small is small by itself and not a difference of large numbers.
        var outer = LogTail((where(top, difference, -difference) - HalfBin) * precision);
        var distance = difference.abs();
        var inner = LogInterval((distance - HalfBin) * precision, (distance + HalfBin) * precision);
        return where(top.logical_or(bottom), outer, inner);
    }

    // Q = 1 − Φ is taken from erfc up to here, and from its asymptotic series beyond, where single precision underflows.
    private const double Far = 8;
    private const double Tiny = 1e-37;

    // log Q(z).
    private static Tensor LogTail(Tensor z)
    {
        var near = (0.5 * special.erfc(z.clamp(max: Far) / Math.Sqrt(2))).log();
        var beyond = z.clamp(min: Far);
        return where(z.lt(Far), near, Mills(beyond).log() - 0.5 * beyond.square());
    }

    // log (Q(a) − Q(b)) for b > |a|.
    private static Tensor LogInterval(Tensor a, Tensor b)
    {
        var near = (0.5 * (special.erfc(a.clamp(max: Far) / Math.Sqrt(2)) - special.erfc(b / Math.Sqrt(2)))).clamp(min: Tiny).log();
        Tensor start = a.clamp(min: Far), end = b.clamp(min: Far), mills = Mills(start);
        var share = Mills(end) / mills * (0.5 * (start.square() - end.square())).exp(); // Q(b) / Q(a)
        var beyond = mills.log() - 0.5 * start.square() + (1 - share).clamp(min: Tiny).log();
        return where(a.lt(Far), near, beyond);
    }

    // Q(z) e^(z²/2) for large z, to 1e-7 from 8 on.
    private static Tensor Mills(Tensor z)
    {
        var r = z.square().reciprocal();
        var series = 1 - 13 * r;
        for (int k = 11; k > 0; k -= 2) series = 1 - k * r * series;
        return series / (z * Math.Sqrt(2 * Math.PI));
    }

    private Tensor Approximate(Tensor difference, Tensor precision, Tensor top, Tensor bottom)
    {
        var upper = TanhCdf((difference + HalfBin) * precision);
        var lower = TanhCdf((difference - HalfBin) * precision);
        var probability = where(bottom, upper, where(top, 1 - lower, upper - lower));
        return probability.clamp(min: 1e-12).log();
    }

    /// <summary>½ (1 + tanh(√(2/π) (z + 0.044715 z³))).</summary>
    internal static Tensor TanhCdf(Tensor z)
    {
        var y = Math.Sqrt(2 / Math.PI) * (z + 0.044715 * z.pow(3));
        var tanh = y.tanh();
        // The single-precision tanh behind the published figures is ±1 beyond 8.664, others' only beyond 9.01: in the tails, where a
        // probability is a few units of rounding, that is whole bits.
        if (z.dtype == ScalarType.Float32) tanh = where(y.abs().gt(8.664339742f), y.sign(), tanh);
        return 0.5 * (1 + tanh);
    }
}
