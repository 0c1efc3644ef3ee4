using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Metrics.Distributions;
using Langevin.Processes;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks.Oracle;

/// <summary>How far guided samples are from the density that guidance is named after: p(x) p(y | x)^w, or what stands in its place.</summary>
internal static class GuidanceOracle
{
    private const double Std = 0.35, Blur = 0.35;
    private const int Label = 0;

    public static string Run(Sheet sheet)
    {
        using var scope = NewDisposeScope();
        using var lab = new Lab(sheet.Quick);
        return $"{Kinds(sheet, lab, 3)}\n{Scales(sheet, lab)}";
    }

    // Every kind of guidance at one scale.
    private static Table Kinds(Sheet sheet, Lab lab, double w)
    {
        using var scope = NewDisposeScope();
        var (mixture, weaker, process, condition) = (lab.Mixture, lab.Weaker, lab.Process, lab.Condition);
        var unconditional = mixture.Told(c => c.Null());
        var next = Condition.OfLabel(tensor(new[] { Label + 1L }));
        Tensor Log(Tensor x, int k) => lab.LogPosterior(x).select(1, k);
        var probabilities = (Tensor x, Times t) => mixture.Logits(x, t).softmax(1);
        var target = nn.functional.one_hot(tensor((long)Label), mixture.Count).to(ScalarType.Float64);

        var tilted = lab.Truth(x => (w - 1) * Log(x, Label));
        var table = new Table("guidance", "truth", "sampler", "mean off by", "spread", "sliced Wasserstein", "floor", "sure", "sure in truth")
        {
            Note = $"""
                Four classes of two Gaussians each on a circle (standard deviation {Std}, so that neighbours overlap), class {Label}, w = {w}, {lab.Count} samples: heun in {lab.Steps} steps, the others in {4 * lab.Steps}. Spread: √ of the trace of the covariance over the truth's. Floor: the distance of another set drawn from the truth. Sure: the share of samples with p(y | x) > 0.9 by the exact classifier.

                Truths, each drawn by importance resampling from p(x | y): tilted, p(x) p(y | x)^w; weaker, p(x | y)^w p'(x | y)^(1−w), where p' is the weaker model's density (every standard deviation √({Std}² + {Blur}²)); between, √(p(x | y) p(x | y')), y' the next class; cosine, p(x | y) e^(w cos), cos of the angle between the exact class probabilities and y's; class, p(x | y).
                """,
        };
        void Add(string name, IDenoiser denoiser, string truth = "tilted", Sampler? sampler = null, string solver = "heun", (Tensor, Tensor)? of = null)
        {
            var row = lab.Judge(denoiser, sampler ?? new ProbabilityFlow(2), of ?? tilted);
            table.Add(name, truth, solver, $"{row.Mean:f3}", $"{row.Spread:f2}", $"{row.Distance:f3}", $"{row.Floor:f3}", $"{row.Sure:f2}", $"{row.SureTruth:f2}");
            sheet.Say($"{name}, {solver}");
        }
        var pc = new PredictorCorrector(new ReverseDiffusion(), new AnnealedLangevinCorrector(Snr: 0.3, Count: 4));
        Add("the truth's own denoiser", lab.Tilted(x => (w - 1) * Log(x, Label)));
        Add("none, w = 1", mixture, "class", of: lab.Truth(x => zeros(x.shape[0], ScalarType.Float64)));
        Add("none, w = 1", mixture);
        Add("classifier-free", mixture.Guided(w));
        Add("classifier-free", mixture.Guided(w), sampler: new DdpmAncestral(), solver: "ddpm");
        Add("classifier-free, 4 Langevin steps a level", mixture.Guided(w), sampler: pc, solver: "pc");
        Add("classifier-free, rescale 0.7", mixture.Guided(w, rescale: 0.7));
        Add("classifier-free, σ/α in [0.2, 3]", mixture.Guided(w, interval: Interval.OfNoise(0.2, 3)));
        Add("classifier-free, clamped to ±2", mixture.Guided(w).Clamped(2));
        Add("classifier-free, thresholded at 2", new DynamicThresholding(mixture.Guided(w), 0.995, floor: 2));
        Add("projected (η = 0)", mixture.GuidedProjected(w));
        Add("projected (η = 0, momentum −0.5)", mixture.GuidedProjected(w, momentum: -0.5));
        Add("CFG++ (λ = 0.6)", mixture.GuidedPlusPlus(0.6), sampler: new Ddim(), solver: "ddim");
        Add("CFG-Zero* (no standing still)", mixture.GuidedZeroStar(w, zeroSteps: 0));
        Add("CFG-Zero* (one step stands still)", mixture.GuidedZeroStar(w));
        Add("perpendicular negative: the next class", mixture.GuidedWithout(next, w));
        Add("exact noisy classifier", unconditional.GuidedByClassifier(mixture, w));
        Func<Tensor, Tensor> energy = x0 => -w * Log(x0, Label);
        Add("energy −w log p(y | x̂_0)", unconditional.GuidedByEnergy(energy));
        Add("energy −w log p(y | x̂_0)", unconditional.GuidedByEnergy(energy), sampler: new DdpmAncestral(), solver: "ddpm");
        Add("energy, time travel 3", unconditional.GuidedByEnergy(energy), sampler: new TimeTravel(new DdpmAncestral(), 3, From: 3, To: 0.1), solver: "ddpm");
        Add("auto, by the weaker model", mixture.GuidedBy(weaker, w), "weaker", of: lab.Truth(x => (w - 1) * (mixture[Label].LogProbability(x, process.MinTime) - weaker[Label].LogProbability(x, process.MinTime))));
        Add("between this class and the next", mixture.Between(next, 0.5), "between", of: lab.Truth(x => 0.5 * (Log(x, Label + 1) - Log(x, Label))));
        var clean = (Tensor x) => lab.LogPosterior(x).exp();
        Tensor Cosine(Tensor x) => nn.functional.cosine_similarity(clean(x), target.unsqueeze(0));
        var towards = lab.Truth(x => w * Cosine(x));
        Add("towards an embedding", mixture.GuidedTowards(probabilities, target, w), "cosine", of: towards);
        Add("energy of an embedding, w (1 − cos)", mixture.GuidedByEnergy(EnergyGuidance.Dissimilarity(clean, target), w), "cosine", of: towards);
        return table;
    }

    // A few of them against the scale.
    private static string Scales(Sheet sheet, Lab lab)
    {
        using var scope = NewDisposeScope();
        double[] scales = sheet.Quick ? [1, 3] : [1, 1.5, 2, 3, 5, 8];
        var mixture = lab.Mixture;
        var unconditional = mixture.Told(c => c.Null());
        Tensor Log(Tensor x) => lab.LogPosterior(x).select(1, Label);
        var truths = Array.ConvertAll(scales, w => lab.Truth(x => (w - 1) * Log(x)));
        var floors = Array.ConvertAll(truths, t => TwoSample.SlicedWasserstein1(t.Item1, t.Item2, 64, 1));
        var table = new Table(["guidance", .. scales.Select(w => $"w = {w}")]) { Note = "Sliced Wasserstein distance from p(x) p(y | x)^w by the scale; samplers as above." };
        table.Add(["floor", .. floors.Select(f => $"{f:f3}")]);
        var plot = new SvgPlot("Distance of guided samples from p(x) p(y | x)^w", "w", "sliced Wasserstein") { Floor = floors.Average() };
        var pc = new PredictorCorrector(new ReverseDiffusion(), new AnnealedLangevinCorrector(Snr: 0.3, Count: 4));
        foreach (var (name, create, sampler) in new (string, Func<double, IDenoiser>, Sampler)[]
        {
            ("classifier-free", w => mixture.Guided(w), new ProbabilityFlow(2)),
            ("with 4 Langevin steps", w => mixture.Guided(w), pc),
            ("σ/α in [0.2, 3]", w => mixture.Guided(w, interval: Interval.OfNoise(0.2, 3)), new ProbabilityFlow(2)),
            ("rescale 0.7", w => mixture.Guided(w, rescale: 0.7), new ProbabilityFlow(2)),
            ("projected", w => mixture.GuidedProjected(w), new ProbabilityFlow(2)),
            ("energy", w => unconditional.GuidedByEnergy(x0 => -w * Log(x0)), new ProbabilityFlow(2)),
        })
        {
            var distances = scales.Zip(truths, (w, truth) => lab.Judge(create(w), sampler, truth).Distance).ToArray();
            plot.Add("", name, scales.Zip(distances));
            table.Add([name, .. distances.Select(d => $"{d:f3}")]);
            sheet.Say($"{name} by scale");
        }
        return $"{table}\n{sheet.Plot("guidance", plot)}";
    }

    /// <summary>What one row says.</summary>
    private readonly record struct Row(double Mean, double Spread, double Distance, double Floor, double Sure, double SureTruth);

    /// <summary>The classes, the same blurred, and how samples are judged.</summary>
    private sealed class Lab : IDisposable
    {
        private readonly Tensor centres; // [8, 2]

        public Lab(bool quick)
        {
            (Count, Steps) = quick ? (1000, 20) : (4000, 50);
            (Mixture, Weaker) = (Classes(0), Classes(Blur));
            Condition = Condition.OfLabel(full(Count, (long)Label, ScalarType.Int64));
            centres = cat([.. Enumerable.Range(0, Mixture.Count).Select(k => Mixture[k].Means)]);
        }

        public VariancePreserving Process { get; } = VariancePreserving.Linear();

        public long Count { get; }

        public int Steps { get; }

        public ClassMixture Mixture { get; }

        public ClassMixture Weaker { get; }

        public Condition Condition { get; }

        /// <summary>log p(y | x) of every class and of clean x, [N, classes]: where all components are alike, ‖x‖² cancels, and a linear map is left.</summary>
        public Tensor LogPosterior(Tensor x) => WrappedTensorDisposeScope(() =>
            nn.functional.linear(x, centres / (Std * Std), centres.square().sum(1) / (-2 * Std * Std)).view(-1, Mixture.Count, 2).logsumexp(2).log_softmax(1));

        /// <summary>Two sets of draws from p(x | y) g(x), by importance resampling from p(x | y).</summary>
        public (Tensor, Tensor) Truth(Func<Tensor, Tensor> logTilt)
        {
            Tensor Draw(ulong seed)
            {
                using var scope = NewDisposeScope();
                using var generator = new Generator(seed);
                var draws = Mixture[Label].Draw(50 * Count, generator);
                return draws.index_select(0, multinomial(logTilt(draws).softmax(0), Count, replacement: true, generator: generator)).MoveToOuterDisposeScope();
            }
            return (Draw(21), Draw(22));
        }

        /// <summary>The denoiser of p(x | y) g(x).</summary>
        public IDenoiser Tilted(Func<Tensor, Tensor> logTilt) => new TiltedMixture(Process, Mixture[Label].Means, Std, logTilt);

        /// <summary>Samples by a guided denoiser, held against the truth.</summary>
        public Row Judge(IDenoiser denoiser, Sampler sampler, (Tensor One, Tensor Other) truth)
        {
            using var scope = NewDisposeScope();
            var noise = new OneNoise(7);
            var grid = TimeGrid.Karras(Process, sampler is ProbabilityFlow ? Steps : 4 * Steps, sigmaMin: 0.02);
            var x = sampler.Run(denoiser, Sampler.Prior(Process, [Count, 2], noise, time: grid[0], dtype: ScalarType.Float64), grid, Condition, noise);
            double Spread(Tensor of) => Math.Sqrt(of.t().cov().trace().item<double>());
            double Sure(Tensor of) => LogPosterior(of).select(1, Label).gt(Math.Log(0.9)).to(ScalarType.Float64).mean().item<double>();
            double Distance(Tensor of) => TwoSample.SlicedWasserstein1(of, truth.One, 64, 1);
            return new((x.mean([0L]) - truth.One.mean([0L])).norm().item<double>(), Spread(x) / Spread(truth.One), Distance(x), Distance(truth.Other), Sure(x), Sure(truth.One));
        }

        private ClassMixture Classes(double blur) => new([1, 1, 1, 1], [.. Enumerable.Range(0, 4).Select(k =>
        {
            using var scope = NewDisposeScope();
            double[] at = [.. ((int[])[2 * k, 2 * k + 1]).SelectMany(i => new[] { 1.4 * Math.Cos(i * Math.PI / 4), 1.4 * Math.Sin(i * Math.PI / 4) })];
            return new GaussianMixture(Process, ones(2, ScalarType.Float64), tensor(at).view(2, 2), full(2, Math.Sqrt(Std * Std + blur * blur), ScalarType.Float64));
        })]);

        public void Dispose()
        {
            Mixture.Dispose();
            Weaker.Dispose();
        }
    }
}
