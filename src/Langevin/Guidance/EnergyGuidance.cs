using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// Energy guidance (FreeDoM, Yu et al. 2023): the score minus w(t) ∇_x E(x̂_0(x_t)), through the denoiser, for any energy of a
/// clean sample. FreeDoM's time travel is a sampler around a sampler, <c>TimeTravel</c>.
/// </summary>
/// <remarks>
/// The plug-in x̂_0 neglects how uncertain it is. For data of variance v and E = ‖x_0 − y‖²/2τ² the exact weight is
/// τ²/(τ² + v σ²/(α² v + σ²)), which tends to 1 only as the noise goes.
/// </remarks>
/// <param name="Inner">The model.</param>
/// <param name="Energy">E of each sample, [N, ...] to [N], differentiable.</param>
/// <param name="Scale">A factor of the weight.</param>
/// <param name="Weight">w of process and time; 1 if not given.</param>
/// <param name="Interval">Where guidance acts; everywhere if not given.</param>
public sealed record EnergyGuidance(IDenoiser Inner, Func<Tensor, Tensor> Energy, double Scale = 1, Func<GaussianProcess, double, double>? Weight = null,
    Interval? Interval = null) : DenoiserDecorator(Inner)
{
    /// <summary>A factor of the weight.</summary>
    public double Scale { get; } = Asked.Finite(Scale, nameof(Scale));

    /// <summary>1 − cos of the angle between a sample's embedding and a target's: an energy for <see cref="EnergyGuidance"/>.</summary>
    /// <param name="embed">[N, ...] to [N, D], differentiable.</param>
    /// <param name="target">[D], or one a sample: [N, D].</param>
    public static Func<Tensor, Tensor> Dissimilarity(Func<Tensor, Tensor> embed, Tensor target) => x => 1 - SemanticGuidance.Similarity(embed(x), target);

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var weight = t.Select(u => Interval?.Contains(Process, u) ?? true ? Scale * (Weight?.Invoke(Process, u) ?? 1) : 0);
        if (weight.All(w => w == 0)) return Inner.Denoise(x, t, condition);
        using var scope = NewDisposeScope();
        using var on = enable_grad();
        var leaf = x.detach().clone().requires_grad_(true);
        var said = Inner.Denoise(leaf, t, condition);
        var gradient = Gradients.Of(leaf, Energy(said.X0), "The energy");
        var epsilon = said.Epsilon.detach() + t.Map(Process.Sigma, x) * weight.As(x) * gradient;
        return new(PredictionKind.Epsilon, epsilon.MoveToOuterDisposeScope(), x, Process, t, said.Variance?.detach().MoveToOuterDisposeScope(), said.VarianceKind);
    }
}

/// <summary>
/// Semantic diffusion guidance (SDG, Liu et al. 2023, sections 3.2 and 3.3: by language, and by an image's content): the score plus
/// w ∇_x cos(F(x_t, t), target), for an encoder F of images, or of texts and images alike, that knows noise. One that knows clean samples
/// only goes by <see cref="EnergyGuidance.Dissimilarity"/>, through the denoiser.
/// </summary>
/// <param name="Inner">The model.</param>
/// <param name="Encoder">F: [N, ...] and times to [N, D], differentiable.</param>
/// <param name="Target">The embedding to come close to, [D], or one a sample: [N, D].</param>
/// <param name="Scale">w.</param>
public sealed record SemanticGuidance(IDenoiser Inner, Func<Tensor, Times, Tensor> Encoder, Tensor Target, double Scale) : DenoiserDecorator(Inner)
{
    /// <summary>w.</summary>
    public double Scale { get; } = Asked.Finite(Scale, nameof(Scale));

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        var gradient = Gradients.Of(leaf => Similarity(Encoder(leaf, t), Target), x, "The encoder");
        return Inner.Denoise(x, t, condition).Steered(Scale * gradient);
    }

    internal static Tensor Similarity(Tensor embedding, Tensor target)
    {
        if (embedding.dim() != 2 || target.shape[^1] != embedding.shape[1])
            throw new ArgumentException($"The embeddings are [{string.Join(", ", embedding.shape)}] and the target [{string.Join(", ", target.shape)}]: they must be [N, D], and [D] or [N, D].");
        var to = target.to(embedding.dtype).expand_as(embedding);
        return (embedding * to).sum(1) / ((embedding.square().sum(1) * to.square().sum(1)).sqrt() + 1e-12);
    }
}
