using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>
/// A denoiser used under another process than its own: at time t it is asked at the time of its own process that has the
/// same signal-to-noise ratio, about x scaled as there. What it says of x_0 and ε holds under both.
/// </summary>
internal sealed class Reparameterised(IDenoiser inner, GaussianProcess process) : IDenoiser
{
    public GaussianProcess Process => process;

    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var own = t.Select(u => inner.Process.TimeOfLambda(process.Lambda(u)));
        var said = inner.Denoise(own.Zip(t, (v, u) => Norm(inner.Process, v) / Norm(process, u)).As(x) * x, own, condition);
        return new(said.X0, said.Epsilon, x, process, t, said.Variance, said.VarianceKind);
    }

    public IDenoiser Begin(DenoisingRun run) => new Reparameterised(inner.Begin(run.In(u => inner.Process.TimeOfLambda(process.Lambda(u)))), process);

    private static double Norm(GaussianProcess p, double t) => Math.Sqrt(Math.Pow(p.Alpha(t), 2) + Math.Pow(p.Sigma(t), 2));
}

/// <summary>Ways to use a denoiser.</summary>
public static class DenoiserExtensions
{
    /// <summary>
    /// The denoiser under another process: times are matched by signal-to-noise ratio and samples scaled, so that a model
    /// trained on one process samples by another's schedule and scale (Karras et al. 2022, table 1).
    /// </summary>
    public static IDenoiser On(this IDenoiser denoiser, GaussianProcess process) => new Reparameterised(denoiser, process);
}
