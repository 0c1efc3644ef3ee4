using Langevin.Denoisers;
using Langevin.Networks;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// Perturbed-attention guidance (PAG, Ahn et al. 2024, section 4): ε̂ + s (ε − ε_perturbed), away from the same model with attention
/// maps replaced by the identity.
/// </summary>
/// <param name="Inner">The denoiser that is guided, itself guided perhaps.</param>
/// <param name="Scale">s ≥ 0; 3 is usual.</param>
/// <param name="Layers">Which attention layers are perturbed, by name; those at the bottom of the U-Net if not given.</param>
/// <param name="Of">The plain model whose difference is taken; <paramref name="Inner"/> if not given.</param>
public sealed record PerturbedAttentionGuidance(IDenoiser Inner, double Scale, Predicate<string>? Layers = null, IDenoiser? Of = null) : DenoiserDecorator(Inner)
{
    /// <summary>s.</summary>
    public double Scale { get; } = Asked.Finite(Scale, nameof(Scale));

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        var said = Inner.Denoise(x, t, condition);
        var plain = Of is null ? said : Of.Denoise(x, t, condition);
        var identity = new IdentityAttention(Layers ?? SelfAttentionGuidance.Bottom);
        var perturbed = (Of ?? Inner).Denoise(x, t, condition.WithAttention(identity));
        SelfAttentionGuidance.NeedReached(identity);
        return said.Kept(said.Kind, said.Value + Scale * (plain.View(said.Kind) - perturbed.View(said.Kind)));
    }
}

/// <summary>
/// Self-attention guidance (SAG, Hong et al. 2023, algorithm 2): ε̂ + s (ε(x_t) − ε(x̃_t)), away from what the model says of the same
/// sample blurred where it attends most: x̃_t = α x̃_0 + σ ε, x̃_0 being x̂_0 blurred under the mask.
/// </summary>
/// <param name="Inner">The denoiser that is guided, itself guided perhaps.</param>
/// <param name="Scale">s; 0.1 to 1 is usual.</param>
/// <param name="Threshold">Attention received, 1 on average, above which a pixel is blurred.</param>
/// <param name="BlurSigma">Standard deviation of the blur in pixels; the kernel reaches four of them.</param>
/// <param name="Layers">The attention layer that is looked at, by name; the one at the bottom of the U-Net if not given.</param>
/// <param name="Of">The plain model whose difference is taken; <paramref name="Inner"/> if not given.</param>
public sealed record SelfAttentionGuidance(IDenoiser Inner, double Scale, double Threshold = 1, double BlurSigma = 1, Predicate<string>? Layers = null,
    IDenoiser? Of = null) : DenoiserDecorator(Inner)
{
    /// <summary>s.</summary>
    public double Scale { get; } = Asked.Finite(Scale, nameof(Scale));

    /// <summary>Standard deviation of the blur in pixels.</summary>
    public double BlurSigma { get; } = BlurSigma > 0 ? BlurSigma : throw new ArgumentOutOfRangeException(nameof(BlurSigma), BlurSigma, "The blur's standard deviation must be positive.");

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        using var probe = new AttentionProbe(Layers ?? Bottom);
        var model = Of ?? Inner;
        var plain = model.Denoise(x, t, condition.WithAttention(probe));
        var said = Of is null ? plain : Inner.Denoise(x, t, condition);
        NeedReached(probe);
        if (probe.Received!.shape[0] != x.shape[0])
            throw new InvalidOperationException($"The attention of {probe.Received.shape[0]} samples was seen for a batch of {x.shape[0]}: the denoiser inside asks its network several times; name the plain model with 'of'.");
        var mask = nn.functional.interpolate(probe.Received.gt(Threshold).to(x.dtype), size: x.shape[2..], mode: InterpolationMode.Nearest);
        var degraded = plain.X0 + mask * (Blur(plain.X0, BlurSigma) - plain.X0);
        var again = model.Denoise(Process.Corrupt(degraded, t, plain.Epsilon), t, condition);
        return said.Kept(PredictionKind.Epsilon, said.Epsilon + Scale * (plain.Epsilon - again.Epsilon));
    }

    internal static bool Bottom(string layer) => layer.StartsWith("mid_block", StringComparison.Ordinal);

    internal static void NeedReached(AttentionControl control)
    {
        if (control.Reached == 0)
            throw new InvalidOperationException("No attention layer of that name was reached: guidance by attention needs a UNet2D with such a layer (mid_block unless 'layers' says otherwise).");
    }

    /// <summary>Images [N, C, H, W] blurred by a Gaussian, edges reflected.</summary>
    internal static Tensor Blur(Tensor image, double sigma)
    {
        using var scope = NewDisposeScope();
        var shape = image.shape;
        long radius = Math.Min((long)Math.Ceiling(4 * sigma), Math.Min(shape[2], shape[3]) - 1);
        var kernel = (arange(-radius, radius + 1, ScalarType.Float64).square() * (-0.5 / (sigma * sigma))).exp();
        kernel = (kernel / kernel.sum()).to(image.dtype).to(image.device);
        var planes = nn.functional.pad(image.reshape(shape[0] * shape[1], 1, shape[2], shape[3]), [radius, radius, radius, radius], TorchSharp.PaddingModes.Reflect);
        planes = nn.functional.conv2d(planes, kernel.view(1, 1, 1, -1));
        return nn.functional.conv2d(planes, kernel.view(1, 1, -1, 1)).view(shape).MoveToOuterDisposeScope();
    }
}
