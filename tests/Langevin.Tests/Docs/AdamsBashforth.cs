using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>Second-order Adams–Bashforth in the ratio σ/α, where the flow is d(x/α)/d(σ/α) = ε̂.</summary>
public sealed record AdamsBashforth : Sampler
{
    public override Step Begin(SamplingRun run)
    {
        Tensor? before = null; // what the run remembers
        double width = 0;
        return (x, t, s) =>
        {
            var p = run.Process;
            var slope = run.Denoise(x, t).Epsilon; // d(x/α)/d(σ/α)
            double h = p.Sigma(s) / p.Alpha(s) - p.Sigma(t) / p.Alpha(t);
            var mean = before is null ? slope : (1 + h / (2 * width)) * slope - h / (2 * width) * before;
            (before, width) = (run.Keep(slope, instead: before), h); // outlives the step
            return p.Alpha(s) * (x / p.Alpha(t) + h * mean);
        };
    }
}
