using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>The denoisers that golden cases are made with.</summary>
internal static class GoldenModels
{
    /// <summary>The case's Gaussian mixture under a process.</summary>
    public static GaussianMixture Mixture(this GoldenCase c, GaussianProcess process) => new(process, c["gm_weights"], c["gm_means"], c["gm_stds"]);

    /// <summary>
    /// Runs a sampler over pairs of times that need not be a chain: some references step from t as far as one time and then go
    /// on as if they had reached another.
    /// </summary>
    public static Tensor Drive(this Sampler sampler, IDenoiser denoiser, Tensor x, IEnumerable<(double T, double S)> pairs, INoise? noise = null, List<Tensor>? states = null)
    {
        (double T, double S)[] steps = [.. pairs];
        double[] grid = [.. steps.Select(p => p.T).Append(steps[^1].S).Distinct().OrderDescending()];
        if (grid.Length < 2) grid = [grid[0], grid[0] - 1];
        var run = new SamplingRun(denoiser, new TimeGrid(grid), Condition.None, noise ?? new ReplayedNoise([]));
        var step = sampler.Begin(run);
        for (int i = 0; i < steps.Length; i++)
        {
            run.Index = i + run.Grid.Steps - steps.Length; // counted from the end
            x = step(x, steps[i].T, steps[i].S);
            states?.Add(x);
        }
        return x;
    }
}

/// <summary>A denoiser given by a function, on a process that may not be the function's own.</summary>
internal sealed class FunctionDenoiser(GaussianProcess process, Func<Tensor, Times, Prediction> denoise) : IDenoiser
{
    public GaussianProcess Process => process;

    public Prediction Denoise(Tensor x, Times t, Condition condition) => denoise(x, t);
}

/// <summary>Keeps what a denoiser was asked.</summary>
internal sealed class Recorder(IDenoiser inner) : IDenoiser
{
    public List<Tensor> X { get; } = [];
    public List<double> T { get; } = [];
    public List<Tensor> X0 { get; } = [];

    public GaussianProcess Process => inner.Process;

    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var said = inner.Denoise(x, t, condition);
        X.Add(x.clone().DetachFromDisposeScope());
        X0.Add(said.X0.clone().DetachFromDisposeScope());
        T.Add(t.IsUniform ? t.Value : double.NaN);
        return said;
    }
}
