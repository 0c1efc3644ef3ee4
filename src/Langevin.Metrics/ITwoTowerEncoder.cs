using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>An encoder with one tower for images and one for text into a common space, such as CLIP.</summary>
public interface ITwoTowerEncoder : IDisposable
{
    /// <summary>What it is, for the report.</summary>
    string Name { get; }

    /// <summary>First 16 hexadecimal digits of the SHA-256 of its weights: scores compare only at equal hashes.</summary>
    string Hash { get; }

    /// <summary>Embeddings [N, D] of images [N, C, H, W] in [−1, 1].</summary>
    Tensor Images(Tensor images);

    /// <summary>Embeddings [N, D] of sentences.</summary>
    Tensor Texts(IReadOnlyList<string> texts);
}
