using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>
/// The two losses of a generator G and a discriminator with logits D, as means over a batch. With r = D(real) and f = D(G(z)) they are
/// what each of the two makes small.
/// </summary>
/// <param name="Name">For messages.</param>
/// <param name="Generator">Of f.</param>
/// <param name="Discriminator">Of r and f.</param>
public sealed record AdversarialLoss(string Name, Func<Tensor, Tensor> Generator, Func<Tensor, Tensor, Tensor> Discriminator)
{
    /// <summary>−log σ(f); −log σ(r) − log(1 − σ(f)) (Goodfellow et al. 2014, section 3, the heuristic loss).</summary>
    public static AdversarialLoss NonSaturating { get; } = new("non-saturating", f => Softplus(-f).mean(), Classify);

    /// <summary>log(1 − σ(f)), the game's own value, whose gradient fades where the discriminator wins (equation 1 there).</summary>
    public static AdversarialLoss Saturating { get; } = new("saturating", f => -Softplus(f).mean(), Classify);

    /// <summary>−f; max(0, 1 − r) + max(0, 1 + f) (Lim and Ye 2017).</summary>
    public static AdversarialLoss Hinge { get; } = new("hinge", f => -f.mean(), (r, f) => (1 - r).relu().mean() + (1 + f).relu().mean());

    /// <summary>−f; f − r, for a discriminator held to be Lipschitz (Arjovsky, Chintala and Bottou 2017).</summary>
    public static AdversarialLoss Wasserstein { get; } = new("Wasserstein", f => -f.mean(), (r, f) => f.mean() - r.mean());

    /// <summary>½ E‖∇_x D(x)‖² over real samples (Mescheder, Geiger and Nowozin 2018, equation 9, without γ), to be differentiated once more.</summary>
    /// <param name="discriminator">Differentiable twice.</param>
    /// <param name="real">[N, ...].</param>
    /// <returns>A scalar.</returns>
    public static Tensor GradientPenalty(Func<Tensor, Tensor> discriminator, Tensor real)
    {
        ArgumentNullException.ThrowIfNull(discriminator);
        ArgumentNullException.ThrowIfNull(real);
        var x = real.detach().requires_grad_(true);
        var slope = Autograd.Slope(discriminator(x).sum(), x, "The discriminator's answer");
        return 0.5 * slope.square().flatten(1).sum(1).mean();
    }

    private static Tensor Classify(Tensor r, Tensor f) => Softplus(-r).mean() + Softplus(f).mean();

    private static Tensor Softplus(Tensor x) => nn.functional.softplus(x);
}
