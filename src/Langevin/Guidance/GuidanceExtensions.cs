using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>Guidance as it is written: <c>model.Guided(4).Thresholded(0.995)</c>. The last named acts last.</summary>
public static class GuidanceExtensions
{
    /// <summary>Classifier-free guidance of scale w (1 is none); see <see cref="ClassifierFreeGuidance"/>.</summary>
    public static IDenoiser Guided(this IDenoiser denoiser, double scale, double rescale = 0, Interval? interval = null) =>
        scale == 1 ? denoiser : new ClassifierFreeGuidance(denoiser, scale, rescale, interval);

    /// <summary>Adaptive projected guidance; see <see cref="AdaptiveProjectedGuidance"/>.</summary>
    public static IDenoiser GuidedProjected(this IDenoiser denoiser, double scale, double eta = 0, double normThreshold = double.PositiveInfinity, double momentum = 0,
        Interval? interval = null) => new AdaptiveProjectedGuidance(denoiser, scale, eta, normThreshold, momentum, interval);

    /// <summary>CFG++ of λ in [0, 1]; see <see cref="CfgPlusPlus"/>.</summary>
    public static IDenoiser GuidedPlusPlus(this IDenoiser denoiser, double lambda) => new CfgPlusPlus(denoiser, lambda);

    /// <summary>CFG-Zero*; see <see cref="CfgZeroStar"/>.</summary>
    public static IDenoiser GuidedZeroStar(this IDenoiser denoiser, double scale, int zeroSteps = 1, Interval? interval = null) => new CfgZeroStar(denoiser, scale, zeroSteps, interval);

    /// <summary>Towards the condition and away from another; see <see cref="PerpendicularNegative"/>.</summary>
    public static IDenoiser GuidedWithout(this IDenoiser denoiser, Condition negative, double scale, double negativeWeight = 1) =>
        new PerpendicularNegative(denoiser, negative, scale, negativeWeight);

    /// <summary>Away from a weaker model; see <see cref="AutoGuidance"/>.</summary>
    public static IDenoiser GuidedBy(this IDenoiser denoiser, IDenoiser weaker, double scale, Interval? interval = null) => new AutoGuidance(denoiser, weaker, scale, interval);

    /// <summary>Towards the condition's label by a classifier; see <see cref="ClassifierGuidance"/>.</summary>
    public static IDenoiser GuidedByClassifier(this IDenoiser denoiser, INoisyClassifier classifier, double scale = 1, double temperature = 1, Interval? interval = null) =>
        new ClassifierGuidance(denoiser, classifier, scale, temperature, interval);

    /// <summary>Away from itself with its attention perturbed; see <see cref="PerturbedAttentionGuidance"/>.</summary>
    public static IDenoiser GuidedByPerturbedAttention(this IDenoiser denoiser, double scale, Predicate<string>? layers = null, IDenoiser? of = null) =>
        new PerturbedAttentionGuidance(denoiser, scale, layers, of);

    /// <summary>Away from what it says where it attends and the sample is blurred; see <see cref="SelfAttentionGuidance"/>.</summary>
    public static IDenoiser GuidedBySelfAttention(this IDenoiser denoiser, double scale, double threshold = 1, double blurSigma = 1, Predicate<string>? layers = null, IDenoiser? of = null) =>
        new SelfAttentionGuidance(denoiser, scale, threshold, blurSigma, layers, of);

    /// <summary>Down an energy of the clean sample; see <see cref="EnergyGuidance"/>.</summary>
    public static IDenoiser GuidedByEnergy(this IDenoiser denoiser, Func<Tensor, Tensor> energy, double scale = 1, Func<GaussianProcess, double, double>? weight = null, Interval? interval = null) =>
        new EnergyGuidance(denoiser, energy, scale, weight, interval);

    /// <summary>Towards an embedding by an encoder that knows noise; see <see cref="SemanticGuidance"/>.</summary>
    public static IDenoiser GuidedTowards(this IDenoiser denoiser, Func<Tensor, Times, Tensor> encoder, Tensor target, double scale) => new SemanticGuidance(denoiser, encoder, target, scale);

    /// <summary>Between the condition asked under and another; see <see cref="Guidance.Between"/>.</summary>
    public static IDenoiser Between(this IDenoiser denoiser, Condition other, double share) => new Between(denoiser, other, share);

    /// <summary>Told something else than it is asked; see <see cref="Guidance.Told"/>.</summary>
    public static IDenoiser Told(this IDenoiser denoiser, Func<Condition, Condition> what) => new Told(denoiser, what);

    /// <summary>Dynamic thresholding; see <see cref="DynamicThresholding"/>.</summary>
    public static IDenoiser Thresholded(this IDenoiser denoiser, double quantile = 0.995) => new DynamicThresholding(denoiser, quantile);

    /// <summary>x_0 clamped to ±limit; see <see cref="StaticThresholding"/>.</summary>
    public static IDenoiser Clamped(this IDenoiser denoiser, double limit = 1) => new StaticThresholding(denoiser, limit);
}
