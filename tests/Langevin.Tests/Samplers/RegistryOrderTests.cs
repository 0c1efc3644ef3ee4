using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

/// <summary>
/// The order that <see cref="SamplerRegistry"/> gives for every name is the one that is measured: of the flow's error on a mixture, and for
/// stochastic samplers of the error of mean and variance on a Gaussian, where a sampler is linear in its start and in each of its draws, so
/// that both moments follow without drawing anything.
/// </summary>
public class RegistryOrderTests
{
    private const double High = 3, Low = 0.05;

    // Adaptive solvers choose their steps themselves: what they keep is their tolerance, which has tests of its own.
    public static TheoryData<string> Deterministic() => [.. Entries(SamplerKind.Ode).Where(e => e.Evaluations is not null).Select(e => e.Name)];

    public static TheoryData<string> Stochastic() => [.. Entries(SamplerKind.Sde).Where(e => e.Order > 0).Select(e => e.Name)];

    [Theory, MemberData(nameof(Deterministic))]
    public void Deterministic_samplers_have_their_order(string name)
    {
        using var scope = NewDisposeScope();
        var (entry, process) = Find(name);
        using var mixture = Kit.Mixture(process);
        double from = process.TimeOfLambda(-Math.Log(High)), to = process.TimeOfLambda(-Math.Log(Low));
        var x = Kit.Draw(mixture, from, 32, 1);
        var exact = new DormandPrince(1e-11, 1e-11).Run(mixture, x, new TimeGrid([from, to]));
        // Groups of three steps end at the target: n + 2 is a multiple of 3.
        double coarse = Miss(100), fine = Miss(199), measured = Math.Log(coarse / fine) / Math.Log(199.0 / 100);
        Assert.True(measured > entry.Order - 0.35 && measured < entry.Order + 0.9 && fine < 0.05, $"{name}: order {measured:0.00} of {entry.Order} ({coarse:g3} to {fine:g3})");

        double Miss(int n)
        {
            double h = Math.Log(High / Low) / n;
            // Even in λ, with first steps of h² and h^(4/3) for what has a memory; Adams and Bashforth's own weights want even times.
            var times = name == "ipndm" ? Betas.Spaced(n + 1, from, to)
                : [.. new[] { 0, h * h, h * h + Math.Pow(h, 4.0 / 3) / 2 }.Concat(Enumerable.Range(1, n).Select(k => k * h)).Select(l => process.TimeOfLambda(l - Math.Log(High)))];
            times[^1] = to;
            return (Until(entry, process, mixture, x, times, Further(process, h)) - exact).abs().mean().item<double>();
        }
    }

    [Theory, MemberData(nameof(Stochastic))]
    public void Stochastic_samplers_have_their_order(string name)
    {
        using var scope = NewDisposeScope();
        var (entry, process) = Find(name);
        const double centre = 0.7, variance = 0.16;
        using var gaussian = new GaussianMixture(process, ones(1, ScalarType.Float64), tensor(new[,] { { centre } }), tensor(new[] { Math.Sqrt(variance) }));
        double coarse = Miss(150), fine = Miss(300), measured = Math.Log2(coarse / fine);
        Assert.True(measured > entry.Order - 0.35 && fine < 0.1, $"{name}: order {measured:0.00} of {entry.Order} ({coarse:g3} to {fine:g3})");

        double Miss(int n)
        {
            double h = Math.Log(High / Low) / n;
            double[] times = [.. Enumerable.Range(0, n + 1).Select(k => process.TimeOfLambda(k * h - Math.Log(High)))];
            // Row 0 starts at 0 and draws nothing, row 1 starts at 1, row k + 2 draws 1 at the k-th draw.
            var start = zeros(3 * n + 50, 1, ScalarType.Float64);
            start[1] = 1;
            var noise = new UnitDraws();
            var end = Until(entry, process, gaussian, start, times, Further(process, h), noise);
            Assert.InRange(noise.Count, 1, start.shape[0] - 3);
            double rest = end[0].item<double>(), kept = end[1].item<double>() - rest;
            double Variance(double t) => Math.Pow(process.Alpha(t), 2) * variance + Math.Pow(process.Sigma(t), 2);
            double mean = rest + kept * process.Alpha(times[0]) * centre;
            double spread = kept * kept * Variance(times[0]) + (end.narrow(0, 2, noise.Count) - rest).square().sum().item<double>();
            double std = Math.Sqrt(Variance(times[^1]));
            return Math.Abs(mean - process.Alpha(times[^1]) * centre) / std + Math.Abs(Math.Sqrt(spread) / std - 1);
        }
    }

    [Fact]
    public void Langevin_steps_of_one_length_have_none()
    {
        Assert.Equal(["pc", "annealed-langevin"], Entries(SamplerKind.Sde).Where(e => e.Order == 0).Select(e => e.Name));
    }

    private static IEnumerable<SamplerEntry> Entries(SamplerKind kind) => SamplerRegistry.All.Where(e => e.Kind == kind && e.Name != "ab2");

    private static (SamplerEntry Entry, GaussianProcess Process) Find(string name)
    {
        var entry = SamplerRegistry.Find(name);
        return (entry, new[] { Kit.Processes["vp-linear"], Kit.Processes["ve"] }.First(p => entry.RunsOn(p)));
    }

    // Samplers may end in steps of lower order, or at a mean: three steps beyond the target.
    private static double[] Further(GaussianProcess process, double h) => [.. Enumerable.Range(1, 3).Select(k => process.TimeOfLambda(k * h - Math.Log(Low)))];

    private static Tensor Until(SamplerEntry entry, GaussianProcess process, IDenoiser denoiser, Tensor x, double[] times, double[] further, INoise? noise = null)
    {
        var grid = new TimeGrid(times.Concat(further));
        var sampler = entry.Create(process, grid);
        // EDM's noise is a little too large on purpose.
        if (sampler is ProbabilityFlow { Churn: { } churn } flow) sampler = flow with { Churn = churn with { Noise = 1 } };
        foreach (var step in sampler.Steps(denoiser, x, grid, noise: noise))
            if (step.Time == times[^1]) return step.X.clone();
        throw new InvalidOperationException();
    }

    private sealed class UnitDraws : INoise
    {
        public int Count { get; private set; }

        public Tensor Next(Tensor like)
        {
            var draw = zeros_like(like);
            draw[2 + Count++] = 1;
            return draw;
        }
    }
}
