using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Langevin.Metrics.Text;

/// <summary>Checks of token sequences, and tensors of what was counted in them.</summary>
internal static class Texts
{
    /// <summary>At least one candidate, each with at least one reference, none of which is empty.</summary>
    public static void Check<T>(
        IReadOnlyList<IReadOnlyList<T>> candidates, IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>> references,
        [CallerArgumentExpression(nameof(candidates))] string candidatesName = "", [CallerArgumentExpression(nameof(references))] string name = "")
    {
        Check(candidates, candidatesName);
        CheckReferences(references, name);
        if (candidates.Count != references.Count)
            throw new ArgumentException($"{references.Count} sets of references for {candidates.Count} candidates: each candidate needs its own set", name);
    }

    /// <summary>At least one set of references, each of at least one text with at least one token.</summary>
    public static void CheckReferences<T>(IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>> references, [CallerArgumentExpression(nameof(references))] string name = "")
    {
        ArgumentNullException.ThrowIfNull(references, name);
        for (int i = 0; i < references.Count; i++)
            if (references[i] is not { Count: > 0 } set || set.Any(r => r is not { Count: > 0 }))
                throw new ArgumentException($"item {i} has no reference, or an empty one: nothing can be compared with it", name);
    }

    /// <summary>At least one text; texts may be empty, not null.</summary>
    public static void Check<T>(IReadOnlyList<IReadOnlyList<T>> texts, [CallerArgumentExpression(nameof(texts))] string name = "")
    {
        ArgumentNullException.ThrowIfNull(texts, name);
        if (texts.Count == 0) throw new ArgumentException("no text was given", name);
        for (int i = 0; i < texts.Count; i++)
            if (texts[i] is null) throw new ArgumentException($"text {i} is null", name);
    }

    /// <summary>One value for each item, [N].</summary>
    public static Tensor Scores(double[] values) => tensor(values, float64);

    /// <summary>Rows of counts, [N, columns].</summary>
    public static Tensor Rows(IReadOnlyList<double[]> rows)
    {
        using var flat = tensor(rows.SelectMany(r => r).ToArray(), float64);
        return flat.reshape(rows.Count, rows[0].Length);
    }

    /// <summary>The sums of columns of counts.</summary>
    public static double[] Sum(Tensor counts, long columns, [CallerArgumentExpression(nameof(counts))] string name = "")
    {
        Require.Matrix(counts, 1, name);
        if (counts.size(1) != columns) throw new ArgumentException($"expected counts [N, {columns}], got {Require.Shape(counts)}", name);
        using var sum = WrappedTensorDisposeScope(() => counts.to(float64).sum([0]).cpu());
        return sum.data<double>().ToArray();
    }
}
