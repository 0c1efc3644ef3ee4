using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Tests.Guidance;

/// <summary>Data in classes whose conditional scores and classifier are known exactly, and gradients of densities to hold them against.</summary>
internal static class ClassMixtures
{
    /// <summary>Three classes in the plane, one of them of two clusters, in double.</summary>
    public static ClassMixture Of(GaussianProcess process) => new([0.5, 0.3, 0.2],
        new(process, tensor(new[] { 0.7, 0.3 }), tensor(new[,] { { -1.5, 0.5 }, { -0.5, -1.0 } }), tensor(new[] { 0.3, 0.4 })),
        new(process, ones(1, ScalarType.Float64), tensor(new[,] { { 1.0, -1.0 } }), tensor(new[] { 0.5 })),
        new(process, ones(1, ScalarType.Float64), tensor(new[,] { { 0.5, 1.2 } }), tensor(new[] { 0.2 })));

    /// <summary>Points around the data's spread at a time, [count, 2].</summary>
    public static Tensor Points(GaussianProcess process, double t, long count = 12)
    {
        double spread = Math.Sqrt(Math.Pow(process.Alpha(t), 2) + Math.Pow(process.Sigma(t), 2));
        return randn([count, 2], ScalarType.Float64, generator: new Generator(5)) * spread;
    }

    public static Condition Labels(params long[] labels) => Condition.OfLabel(tensor(labels));

    /// <summary>Labels 0, 1, 2, 0, ...</summary>
    public static Condition InTurn(long count) => Condition.OfLabel(arange(count, ScalarType.Int64) % 3);

    /// <summary>∇ of the sum of a function's values.</summary>
    public static Tensor Gradient(Func<Tensor, Tensor> function, Tensor x)
    {
        var leaf = x.clone().requires_grad_(true);
        return autograd.grad([function(leaf).sum()], [leaf])[0];
    }

    /// <summary>log p_t(x | label of each sample).</summary>
    public static Tensor LogConditional(ClassMixture mixture, Tensor x, double t, Tensor label) =>
        stack([.. Enumerable.Range(0, mixture.Count).Select(k => mixture[k].LogProbability(x, t))], 1).gather(1, label.unsqueeze(1)).squeeze(1);
}
