using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>Keeps the predicted x_0 within [−limit, limit] (Ho et al. 2020, for images in [−1, 1]).</summary>
public sealed record StaticThresholding : DenoiserDecorator
{
    private readonly double limit;
    private readonly bool keepEpsilon;

    /// <summary>Clamps a denoiser's x_0.</summary>
    /// <param name="inner">The denoiser.</param>
    /// <param name="limit">Largest magnitude, &gt; 0.</param>
    /// <param name="keepEpsilon">
    /// Whether ε stays as predicted (diffusers' DDIM unless told otherwise) instead of following from the clamped x_0 (guided diffusion).
    /// </param>
    public StaticThresholding(IDenoiser inner, double limit = 1, bool keepEpsilon = false) : base(inner)
    {
        if (!(limit > 0)) throw new ArgumentOutOfRangeException(nameof(limit), limit, "The limit of |x_0| must be positive.");
        (this.limit, this.keepEpsilon) = (limit, keepEpsilon);
    }

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var said = Inner.Denoise(x, t, condition);
        return said.WithX0(said.X0.clamp(-limit, limit), keepEpsilon);
    }
}

/// <summary>
/// Imagen's dynamic thresholding (Saharia et al. 2022, section 2.3): x_0 of each sample is clamped to ±s and divided by s, where
/// s is a quantile of |x_0|, at least 1.
/// </summary>
public sealed record DynamicThresholding : DenoiserDecorator
{
    private readonly double quantile, floor, ceiling;
    private readonly bool keepEpsilon;

    /// <summary>Thresholds a denoiser.</summary>
    /// <param name="inner">The denoiser.</param>
    /// <param name="quantile">In (0, 1]; 0.995 is usual.</param>
    /// <param name="floor">The least s.</param>
    /// <param name="ceiling">The largest s.</param>
    /// <param name="keepEpsilon">Whether ε stays as predicted instead of following from the new x_0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A quantile outside (0, 1].</exception>
    public DynamicThresholding(IDenoiser inner, double quantile = 0.995, double floor = 1, double ceiling = double.PositiveInfinity, bool keepEpsilon = false) : base(inner)
    {
        if (quantile is not (> 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(quantile), quantile, "The quantile lies in (0, 1]; 0.995 is usual.");
        (this.quantile, this.floor, this.ceiling, this.keepEpsilon) = (quantile, floor, ceiling, keepEpsilon);
    }

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var said = Inner.Denoise(x, t, condition);
        var x0 = said.X0;
        var s = Quantile(x0.flatten(1).abs(), quantile).clamp_min(floor).clamp_max(ceiling).view([-1, .. Enumerable.Repeat(1L, (int)x.dim() - 1)]);
        return said.WithX0(x0.minimum(s).maximum(-s) / s, keepEpsilon);
    }

    // The quantile of each row by linear interpolation; by its largest entries, since it is near the top.
    internal static Tensor Quantile(Tensor rows, double quantile)
    {
        using var scope = NewDisposeScope();
        long count = rows.shape[1];
        double position = quantile * (count - 1);
        long low = (long)Math.Floor(position);
        var top = rows.topk((int)(count - low), 1, largest: true, sorted: true).values;
        var below = top.select(1, count - low - 1);
        double share = position - low;
        return (share > 0 ? below + share * (top.select(1, count - low - 2) - below) : below.alias()).MoveToOuterDisposeScope();
    }
}
