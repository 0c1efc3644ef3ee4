using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>Turns samples into the feature rows that the distances compare.</summary>
public interface IFeatureExtractor : IDisposable
{
    /// <summary>What it is, for the report: "classifier, 64 features" or "principal components, 64 of 784".</summary>
    string Name { get; }

    /// <summary>First 16 hexadecimal digits of the SHA-256 of its weights: equal hashes make distances comparable.</summary>
    string Hash { get; }

    /// <summary>Features of a sample.</summary>
    int Width { get; }

    /// <summary>Classes it tells apart; 0 where it knows none.</summary>
    int ClassCount { get; }

    /// <summary>Features, float32 [N, Width], of a batch of samples in the data's own scale.</summary>
    Tensor Features(Tensor samples);

    /// <summary>Class logits, float32 [N, ClassCount]; null where it knows no classes.</summary>
    Tensor? Logits(Tensor samples);

    /// <summary>Its weights by name, owned by the extractor.</summary>
    IReadOnlyDictionary<string, Tensor> State();
}
