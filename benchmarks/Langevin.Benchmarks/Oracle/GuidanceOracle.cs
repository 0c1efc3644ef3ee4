using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Metrics.Distributions;
using Langevin.Processes;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks.Oracle;

/// <summary>How far guided samples are from the density that guidance is said to sample, p(x) p(y | x)^w.</summary>
internal static class GuidanceOracle
{
    private const double W = 3;
    private const long Label = 0;

    public static Table Run(bool quick)
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var mixture = Classes(process);
        using var weaker = Classes(process, blur: 0.35);
        long count = quick ? 1000 : 4000;
        var condition = Condition.OfLabel(full(count, Label, ScalarType.Int64));
        using var truth = Tilted(mixture, count, 21);
        using var again = Tilted(mixture, count, 22);
        var table = new Table("guidance", "sampler", "mean off by", "spread over true", "sliced Wasserstein", "p(y | x) > 0.9")
        {
            Note = $"Four classes of two Gaussians each on a circle (std 0.35, so that neighbours overlap), class {Label}, w = {W}, {count} samples. "
                + $"The truth is p(x) p(y | x)^w, drawn by importance resampling from p(x | y); two sets of it are {TwoSample.SlicedWasserstein1(truth, again, 64, 1):f3} apart in sliced Wasserstein distance. "
                + "Spread: √ of the trace of the covariance over the truth's. Last column: the share of samples of which the exact classifier is sure; of the truth it is " + $"{Sure(mixture, truth):f2}.",
        };
        int steps = quick ? 20 : 50;
        var unconditional = mixture.Told(c => c.Null());
        Func<Tensor, Tensor> energy = x0 => -W * mixture.Logits(x0, process.MinTime).log_softmax(1).select(1, Label);
        void Add(string name, IDenoiser denoiser, Sampler sampler, string solver)
        {
            using var inner = NewDisposeScope();
            var noise = new OneNoise(7);
            var grid = TimeGrid.Karras(process, steps, sigmaMin: 0.02);
            var x = sampler.Run(denoiser, Sampler.Prior(process, [count, 2], noise, time: grid[0], dtype: ScalarType.Float64), grid, condition, noise);
            double spread = Math.Sqrt(x.t().cov().trace().item<double>() / truth.t().cov().trace().item<double>());
            table.Add(name, solver, $"{(x.mean([0L]) - truth.mean([0L])).norm().item<double>():f3}", $"{spread:f2}", $"{TwoSample.SlicedWasserstein1(x, truth, 64, 1):f3}", $"{Sure(mixture, x):f2}");
        }
        var heun = new ProbabilityFlow(2);
        Add("none, w = 1", mixture, heun, "heun");
        Add("classifier-free", mixture.Guided(W), heun, "heun");
        Add("classifier-free", mixture.Guided(W), new DdpmAncestral(), "ddpm");
        Add("classifier-free + 4 Langevin steps", mixture.Guided(W), new PredictorCorrector(new ReverseDiffusion(), new LangevinCorrector(Snr: 0.2, Count: 4, BatchNorms: true)), "pc");
        Add("classifier-free, rescale 0.7", mixture.Guided(W, rescale: 0.7), heun, "heun");
        Add("classifier-free, σ/α in [0.2, 3]", mixture.Guided(W, interval: Interval.OfNoise(0.2, 3)), heun, "heun");
        Add("projected (η = 0)", mixture.GuidedProjected(W), heun, "heun");
        Add("projected (η = 0, momentum −0.5)", mixture.GuidedProjected(W, momentum: -0.5), heun, "heun");
        Add("CFG++ (λ = 0.6)", mixture.GuidedPlusPlus(0.6), new Ddim(), "ddim");
        Add("CFG-Zero* (no standing still)", mixture.GuidedZeroStar(W, zeroSteps: 0), heun, "heun");
        Add("exact classifier", unconditional.GuidedByClassifier(mixture, W), heun, "heun");
        Add("auto (weaker: blurred by 0.35)", mixture.GuidedBy(weaker, W), heun, "heun");
        Add("negative: the next class", mixture.GuidedWithout(Condition.OfLabel(tensor(new[] { Label + 1 })), W), heun, "heun");
        Add("energy −w log p(y | x̂_0)", unconditional.GuidedByEnergy(energy), heun, "heun");
        Add("energy −w log p(y | x̂_0)", unconditional.GuidedByEnergy(energy), new DdpmAncestral(), "ddpm");
        Add("energy, time travel 3", unconditional.GuidedByEnergy(energy), new TimeTravel(new DdpmAncestral(), 3, From: 3, To: 0.1), "ddpm");
        return table;
    }

    private static double Sure(ClassMixture mixture, Tensor x)
    {
        using var scope = NewDisposeScope();
        return mixture.Logits(x, mixture.Process.MinTime).softmax(1).select(1, Label).gt(0.9).to(ScalarType.Float64).mean().item<double>();
    }

    // p(x | y) p(y | x)^(w − 1) is p(x) p(y | x)^w up to a constant, and its weights are at most 1.
    private static Tensor Tilted(ClassMixture mixture, long count, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        var draws = mixture[(int)Label].Draw(20 * count, generator);
        var weights = ((W - 1) * mixture.Logits(draws, mixture.Process.MinTime).log_softmax(1).select(1, Label)).exp();
        return draws.index_select(0, multinomial(weights, count, replacement: true, generator: generator)).MoveToOuterDisposeScope();
    }

    private static ClassMixture Classes(GaussianProcess process, double blur = 0) => new([1, 1, 1, 1], [.. Enumerable.Range(0, 4).Select(k =>
    {
        double[] at = [.. ((int[])[2 * k, 2 * k + 1]).SelectMany(i => new[] { 1.4 * Math.Cos(i * Math.PI / 4), 1.4 * Math.Sin(i * Math.PI / 4) })];
        return new GaussianMixture(process, ones(2, ScalarType.Float64), tensor(at).view(2, 2), full(2, Math.Sqrt(0.35 * 0.35 + blur * blur), ScalarType.Float64));
    })]);
}
