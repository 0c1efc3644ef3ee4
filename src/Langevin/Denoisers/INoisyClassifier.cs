using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>A classifier that knows noise: log p(y | x_t) up to a constant.</summary>
public interface INoisyClassifier
{
    /// <summary>Unnormalised log-probabilities of the classes: [N, K].</summary>
    /// <param name="x">x_t, [N, ...].</param>
    /// <param name="t">The time of the batch, or of each sample.</param>
    Tensor Logits(Tensor x, Times t);
}

/// <summary>A network as a classifier, trained as any network is: <c>new Trainer(classifier.Denoiser, new ClassificationObjective(), ...)</c>.</summary>
/// <param name="denoiser">The network, which gives logits [N, K], with its process and the scaling of its input.</param>
public sealed class NetworkClassifier(NetworkDenoiser denoiser) : INoisyClassifier
{
    /// <summary>The network with its process, for the trainer.</summary>
    public NetworkDenoiser Denoiser => denoiser;

    /// <inheritdoc/>
    public Tensor Logits(Tensor x, Times t) => denoiser.Denoise(x, t, Condition.None).Output;
}
