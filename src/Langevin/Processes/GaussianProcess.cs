using static TorchSharp.torch;

namespace Langevin.Processes;

/// <summary>
/// A linear-Gaussian corruption process, <c>x_t = α(t) x_0 + σ(t) ε</c> with <c>ε ~ N(0, I)</c> (survey equations 1 and 9).
/// A process is the pair (α, σ) on its time domain; everything else is derived here, in double.
/// </summary>
/// <remarks>
/// Noise grows with time. Continuous processes live on t ∈ [<see cref="MinTime"/>, <see cref="MaxTime"/>]; tables of T steps on
/// n ∈ [0, T−1], interpolated in between. <see cref="DataTime"/> is where α = 1 and σ = 0.
/// </remarks>
public abstract class GaussianProcess
{
    /// <summary>Signal scale α(t), in [0, 1].</summary>
    public abstract double Alpha(double t);

    /// <summary>Noise scale σ(t), ≥ 0.</summary>
    public abstract double Sigma(double t);

    /// <summary>dα/dt.</summary>
    public abstract double AlphaDot(double t);

    /// <summary>dσ/dt.</summary>
    public abstract double SigmaDot(double t);

    /// <summary>log α(t).</summary>
    public virtual double LogAlpha(double t) => Math.Log(Alpha(t));

    /// <summary>The time of clean data: α = 1, σ = 0.</summary>
    public virtual double DataTime => 0;

    /// <summary>The smallest time that is trained on and sampled from.</summary>
    public abstract double MinTime { get; }

    /// <summary>The largest time.</summary>
    public abstract double MaxTime { get; }

    /// <summary>Number of steps when the process is a table, else null.</summary>
    public virtual int? StepCount => null;

    /// <summary>Standard deviation of the prior N(0, std² I) that stands for p(x) at <see cref="MaxTime"/>.</summary>
    public virtual double PriorStd => Math.Sqrt(Math.Pow(Alpha(MaxTime), 2) + Math.Pow(Sigma(MaxTime), 2));

    /// <summary>Signal-to-noise ratio α²/σ².</summary>
    public double Snr(double t) => Math.Exp(2 * Lambda(t));

    /// <summary>Half log signal-to-noise ratio λ(t) = log(α/σ).</summary>
    public virtual double Lambda(double t) => LogAlpha(t) - Math.Log(Sigma(t));

    /// <summary>The inverse of <see cref="Lambda"/>; by bisection to the last bit unless a closed form is known.</summary>
    /// <remarks>A λ beyond the process's range gives the end of the range.</remarks>
    public virtual double TimeOfLambda(double lambda)
    {
        double low = LowestTime, high = MaxTime;
        // Where clean data lie infinitely far off, go down until λ is passed.
        if (double.IsInfinity(low))
            for (low = MinTime; Lambda(low) < lambda && double.IsFinite(low); ) low -= high - low;
        for (int i = 0; i < 200; i++)
        {
            double middle = 0.5 * (low + high);
            if (middle <= low || middle >= high) break;
            if (Lambda(middle) > lambda) low = middle; else high = middle;
        }
        return 0.5 * (low + high);
    }

    /// <summary>The lower end of the search for <see cref="TimeOfLambda"/>.</summary>
    protected virtual double LowestTime => DataTime;

    /// <summary>Drift coefficient f(t) = d log α/dt of the SDE dx = f x dt + g dw.</summary>
    public virtual double Drift(double t) => AlphaDot(t) / Alpha(t);

    /// <summary>Squared diffusion coefficient g²(t) = dσ²/dt − 2 f σ².</summary>
    public virtual double DiffusionSquared(double t)
    {
        double sigma = Sigma(t);
        return 2 * sigma * (SigmaDot(t) - Drift(t) * sigma);
    }

    /// <summary>q(x_t | x_s) = N(scale · x_s, variance · I) for s &lt; t.</summary>
    public virtual (double Scale, double Variance) Transition(double s, double t)
    {
        double ss = Sigma(s), st = Sigma(t), scale = Alpha(t) / Alpha(s);
        return (scale, Math.Max(0, (st - scale * ss) * (st + scale * ss)));
    }

    /// <summary>q(x_s | x_t, x_0) = N(ofX · x_t + ofX0 · x_0, variance · I) for s &lt; t.</summary>
    public virtual (double OfX, double OfX0, double Variance) Posterior(double s, double t)
    {
        var (scale, variance) = Transition(s, t);
        double st2 = Math.Pow(Sigma(t), 2), ss2 = Math.Pow(Sigma(s), 2);
        return (scale * ss2 / st2, Alpha(s) * variance / st2, variance * ss2 / st2);
    }

    /// <summary>
    /// The same noise-to-signal ratio over time with the signal left unscaled: α = 1, σ = this process's σ/α
    /// (Karras et al. 2022's s(t) = 1).
    /// </summary>
    public GaussianProcess Unscaled() => new RescaledProcess(this, preserving: false);

    /// <summary>The same noise-to-signal ratio over time with unit variance: α² + σ² = 1.</summary>
    public GaussianProcess UnitVariance() => new RescaledProcess(this, preserving: true);

    /// <summary>Draws from q(x_t | x_0): α x_0 + σ ε.</summary>
    /// <param name="x0">Clean data [N, ...].</param>
    /// <param name="t">One time, or one a sample.</param>
    /// <param name="noise">ε ~ N(0, I), shaped as x0.</param>
    public Tensor Corrupt(Tensor x0, Times t, Tensor noise)
    {
        using var scope = NewDisposeScope();
        return (t.Map(Alpha, x0) * x0 + t.Map(Sigma, x0) * noise).MoveToOuterDisposeScope();
    }
}
