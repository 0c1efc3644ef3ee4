using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>
/// The extractor for data without labels: the leading principal components of the training set's raw values, unscaled.
/// Honest about the global layout, blind to fine detail; nothing is learned from labels or from other data.
/// </summary>
/// <remarks>
/// Found by a randomised range finder with power iterations (Halko, Martinsson and Tropp 2011, SIAM Review 53), so that
/// no D × D matrix is made; exact where the data has no more dimensions than components.
/// </remarks>
public sealed class PrincipalComponents : IFeatureExtractor
{
    private const int Oversampling = 16, PowerIterations = 3;

    private readonly Tensor mean;
    private readonly Tensor components;

    /// <summary>Wraps given components; they are owned from now on.</summary>
    /// <param name="mean">float32 [D].</param>
    /// <param name="components">float32 [D, K], orthonormal columns, largest variance first.</param>
    public PrincipalComponents(Tensor mean, Tensor components)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(components);
        if (mean.dim() != 1 || components.dim() != 2 || components.size(0) != mean.size(0))
            throw new ArgumentException($"expected a mean [D] and components [D, K], got {Require.Shape(mean)} and {Require.Shape(components)}", nameof(components));
        this.mean = mean.DetachFromDisposeScope();
        this.components = components.DetachFromDisposeScope();
        Hash = Fingerprint.Short(State());
    }

    /// <summary>Finds the components of a training set.</summary>
    /// <param name="training">[N, ...], flattened to rows; at least two samples.</param>
    /// <param name="count">How many components K; lowered to D and to N − 1.</param>
    /// <param name="seed">Seed of the random start.</param>
    public static PrincipalComponents Of(Tensor training, int count = 64, long seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var x = training.flatten(1).to(float32);
        Require.Matrix(x, 2, nameof(training));
        Require.Finite(x, nameof(training));
        long n = x.size(0), d = x.size(1), k = Math.Min(count, Math.Min(d, n - 1)), width = Math.Min(k + Oversampling, Math.Min(d, n));
        var m = x.mean([0], type: float64).to(float32);
        // (X − 1mᵀ)V and (X − 1mᵀ)ᵀQ without a centred copy of X.
        Tensor Forth(Tensor v) => x.mm(v) - m.unsqueeze(0).mm(v);
        Tensor Back(Tensor q) => x.t().mm(q) - m.unsqueeze(1).mm(q.sum([0]).unsqueeze(0));
        using var random = new Generator((ulong)seed);
        var basis = linalg.qr(Forth(randn([d, width], generator: random))).Q;
        for (int i = 0; i < PowerIterations; i++)
            basis = linalg.qr(Forth(linalg.qr(Back(basis)).Q)).Q;
        var projected = Back(basis).to(float64);
        var (_, vectors) = linalg.eigh(projected.t().mm(projected));
        var directions = projected.mm(vectors.flip(1).narrow(1, 0, k));
        directions = linalg.qr(directions).Q.to(float32).contiguous();
        return new(m.MoveToOuterDisposeScope(), directions.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public string Name => $"principal components, {Width} of {mean.size(0)}";

    /// <inheritdoc/>
    public string Hash { get; }

    /// <inheritdoc/>
    public int Width => (int)components.size(1);

    /// <inheritdoc/>
    public int ClassCount => 0;

    /// <inheritdoc/>
    public Tensor Features(Tensor samples) => WrappedTensorDisposeScope(() =>
    {
        using var gradients = no_grad();
        var rows = samples.flatten(1).to(float32);
        if (rows.size(1) != mean.size(0))
            throw new ArgumentException($"samples of {rows.size(1)} values where the judge was fitted to {mean.size(0)}", nameof(samples));
        return (rows - mean).mm(components);
    });

    /// <inheritdoc/>
    public Tensor? Logits(Tensor samples) => null;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> State() => new Dictionary<string, Tensor> { ["mean"] = mean, ["components"] = components };

    /// <inheritdoc/>
    public void Dispose()
    {
        mean.Dispose();
        components.Dispose();
    }
}
