using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>
/// The vector that every block of a small network reads, [N, width]: silu(e(noise) + class), for a noise level in any
/// customary unit and a class table whose last row, that of label −1, is "no class".
/// </summary>
/// <remarks>
/// Sines and cosines of the level itself, with angular frequencies 1 to 10⁻⁴, tell integer steps apart; those of its
/// area hyperbolic sine, with frequencies 16 to 0.1, resolve levels of a few units (ln σ / 4, or a time in [0, 1]) and
/// grow only logarithmically, so that they stay smooth from one integer step to the next.
/// </remarks>
internal sealed class NoiseClassEmbedding : nn.Module<Tensor, Tensor, Condition, Tensor>
{
    private const double Finest = 16, Coarsest = 0.1;

    private readonly TimestepEmbedding time_embedding;
    private readonly Embedding? class_embedding;
    private readonly long features;
    private readonly int classes;
    private readonly string network;

    /// <param name="features">Features of each of the two scales.</param>
    /// <param name="width">Width of the result.</param>
    /// <param name="classes">Number of classes, 0 for none.</param>
    /// <param name="network">What errors name.</param>
    public NoiseClassEmbedding(long features, long width, int classes, string network) : base(nameof(NoiseClassEmbedding))
    {
        (this.features, this.classes, this.network) = (features, classes, network);
        time_embedding = new(2 * features, width, Activation.SiLU);
        if (classes > 0) class_embedding = new(classes + 1, width);
        RegisterComponents();
    }

    /// <param name="x">The network's input, [N, ...]: it gives batch size and dtype.</param>
    /// <param name="noise">[N].</param>
    /// <param name="condition">Labels where there are classes.</param>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        Check.Noise(noise, x, network);
        using var scope = NewDisposeScope();
        var t = noise.to(x.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32);
        var near = NoiseFeatures.Sinusoidal(t.asinh() * Finest, features, period: Finest / Coarsest);
        var far = NoiseFeatures.Sinusoidal(t, features);
        var embedding = time_embedding.call(cat([far, near], 1).to(x.dtype));
        if (ClassRows(x, condition) is { } rows) embedding = embedding + rows;
        return embedding.silu().MoveToOuterDisposeScope();
    }

    private Tensor? ClassRows(Tensor x, Condition condition)
    {
        if (class_embedding is null)
        {
            if (condition.Label is not null) throw new ArgumentException($"{network}: labels were given to a network without classes: set class_count, or drop the labels.", nameof(condition));
            return null;
        }
        var label = Check.Label(condition, x, network);
        var none = label.eq(-1);
        Check.Index(label.masked_fill(none, 0), classes, "label", network);
        return class_embedding.call(label.masked_fill(none, classes)).to(x.dtype);
    }
}
