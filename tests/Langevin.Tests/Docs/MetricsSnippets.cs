using Langevin.Metrics;
using Langevin.Metrics.Distributions;
using Langevin.Metrics.Images;
using Langevin.Metrics.Judging;
using Langevin.Metrics.Molecules;
using Langevin.Metrics.Motion;
using Langevin.Metrics.Series;
using Langevin.Metrics.Signals;
using Langevin.Metrics.Text;
using Langevin.Tests.Metrics;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

public class MetricsSnippets
{
    [Fact]
    public void Streaming_distance()
    {
        using var scope = NewDisposeScope();
        var batchesOfRealFeatures = new[] { randn(40, 8), randn(30, 8) };
        var batchesOfSampleFeatures = new[] { randn(50, 8) };

        using var real = new FeatureStatistics(dimension: 8);
        foreach (var features in batchesOfRealFeatures) real.Add(features);
        using var generated = new FeatureStatistics(dimension: 8);
        foreach (var features in batchesOfSampleFeatures) generated.Add(features);
        double distance = FrechetDistance.Between(real, generated);

        Assert.InRange(distance, 0, 10);
    }

    [Fact]
    public void Diversity_novelty_alignment()
    {
        using var scope = NewDisposeScope();
        var (realFeatures, heldOutFeatures, generatedFeatures) = (randn(200, 4), randn(100, 4), randn(100, 4));
        var (imageEmbeddings, textEmbeddings) = (randn(50, 8), randn(50, 8));

        double different = VendiScore.Of(generatedFeatures);
        DifferentBinsResult bins = DifferentBins.Between(realFeatures, generatedFeatures, bins: 10);
        double copied = Memorisation.CopiedShare(generatedFeatures, realFeatures);
        FeatureLikelihoodResult likelihood = FeatureLikelihood.Between(realFeatures, heldOutFeatures, generatedFeatures);
        double matched = TextAlignment.RPrecision(imageEmbeddings, textEmbeddings, candidates: 20);
        PrecisionRecallIntervals balls = PrecisionRecall.WithIntervals(realFeatures, generatedFeatures, neighbours: 5);

        Assert.InRange(different, 1, 4.01);
        Assert.InRange(bins.Share, 0, 1);
        Assert.InRange(copied, 0, 0.5);
        Assert.True(double.IsFinite(likelihood.Divergence));
        Assert.InRange(matched, 0, 0.5);
        Assert.True(balls.Precision.Contains(balls.Value.Precision));
    }

    [Fact]
    public void Judging_samples()
    {
        using var scope = NewDisposeScope();
        var (training, heldOut, samples) = (randn(200, 2), randn(100, 2), randn(100, 2));
        var cache = JudgeCache.None;

        var realSet = new RealSet(training, trainingLabels: null, heldOut, heldOutLabels: null, classCount: 0);
        using var judge = Judge.For(realSet, cache: cache);
        JudgeReport report = judge.Report(samples);
        Console.WriteLine($"{report.Frechet.Distance} {report.Frechet.Interval}, {report.Frechet.Ratio} times real data's");

        Assert.InRange(report.Frechet.Ratio, 0.01, 100);
        Assert.Equal(report.ToJson(), JudgeReport.FromJson(report.ToJson()).ToJson());
    }

    [Fact]
    public void Comparing_two_methods()
    {
        using var scope = NewDisposeScope();
        var (voice, noise) = (TestSignals.Voice(8000, 10_000), randn(6, 8000, float64));
        var (speech, noisy, cleaned) = (voice.expand(6, -1), voice + 0.5 * noise, voice + 0.1 * noise);

        Tensor before = Stoi.Between(speech, noisy, sampleRate: 10_000), after = Stoi.Between(speech, cleaned, sampleRate: 10_000);
        PairedTestResult better = PairedTest.Wilcoxon(after, before);
        Interval gain = PairedTest.MeanDifference(after, before);

        Assert.Equal(2.0 / 64, better.PValue);
        Assert.True(gain.Low > 0);
    }

    [Fact]
    public void Comparing_clips()
    {
        using var scope = NewDisposeScope();
        var (realWaves, madeWaves) = (randn(20, 2000), randn(20, 2000) * 2);

        Tensor realClips = LogMelStatistics.Of(realWaves, sampleRate: 16_000), madeClips = LogMelStatistics.Of(madeWaves, sampleRate: 16_000);
        double meanDiscrepancy = KernelDistance.Between(realClips, madeClips).Mean;
        PermutationTestResult test = PermutationTest.Energy(realClips, madeClips, permutations: 999);

        Assert.True(meanDiscrepancy > 0);
        Assert.Equal(0.001, test.PValue, 1e-12);
    }

    [Fact]
    public void Anomalies()
    {
        using var scope = NewDisposeScope();
        var (scores, labels) = (rand(50), arange(50).lt(10));

        BestDetection plain = AnomalyDetection.BestF1(scores, labels), adjusted = AnomalyDetection.BestF1(scores, labels, pointAdjust: true);
        double areaUnderRoc = AnomalyDetection.RocArea(scores, labels);

        Assert.True(adjusted.Detection.F1 >= plain.Detection.F1);
        Assert.InRange(areaUnderRoc, 0.0, 1.0);
    }

    [Fact]
    public void Interval_of_any_statistic()
    {
        using var scope = NewDisposeScope();
        var errors = rand(100);

        Interval interval = Bootstrap.Interval(errors.size(0), i => errors[i].mean().item<float>(), resamples: 1000, seed: 0);

        Assert.True(interval.Contains(errors.mean().item<float>()));
    }

    [Fact]
    public void Missed_trajectories()
    {
        using var scope = NewDisposeScope();
        var (hypotheses, futures) = (randn(30, 5, 12, 2), randn(30, 12, 2));

        Tensor misses = Displacement.Miss(hypotheses, futures, threshold: 2);
        Interval rate = Bootstrap.Interval(misses.size(0), i => misses[i].mean().item<double>());

        Assert.True(rate.Contains(misses.mean().item<double>()));
    }

    [Fact]
    public void Generated_molecules()
    {
        using var scope = NewDisposeScope();
        // Water, hydrogen, water mirrored.
        var atomicNumbers = tensor(new long[,] { { 8, 1, 1 }, { 1, 1, 0 }, { 1, 1, 8 } });
        var positions = tensor(new double[,,]
        {
            { { 0, 0, 0.1173 }, { 0, 0.7572, -0.4692 }, { 0, -0.7572, -0.4692 } },
            { { 0, 0, 0 }, { 0, 0, 0.74 }, { 0, 0, 0 } },
            { { 0, 0.7572, 0.4692 }, { 0, -0.7572, 0.4692 }, { 0, 0, -0.1173 } },
        });
        var trainingMolecules = new[] { new Molecule(["H", "H"], bonds: [new(0, 1, 1)]) };

        Molecule[] molecules = [.. Molecule.FromBatch(atomicNumbers, positions).Select(m => BondInference.FromDistances(m))];
        double stableAtoms = Stability.AtomShare(molecules);
        Tensor stableMolecules = Stability.Molecules(molecules);
        Molecule[] valid = [.. molecules.Where(m => Validity.IsValid(m))];
        double unique = MoleculeSets.Uniqueness(valid);
        double novel = MoleculeSets.Novelty(valid, CanonicalForm.Distinct(trainingMolecules));

        Assert.Equal(1, stableAtoms);
        Assert.Equal(3, stableMolecules.sum().item<double>());
        Assert.Equal((2.0 / 3, 0.5), (unique, novel));
    }

    [Fact]
    public void Texts()
    {
        using var scope = NewDisposeScope();
        string[] captions = ["A cat sits on the mat.", "Two dogs run in the park."];
        string[][] referenceCaptions = [["The cat is sitting on the mat.", "A cat on a mat."], ["Two dogs are running in a park."]];
        string[] heldOutCaptions = ["A dog sits on the mat."];

        var candidates = Tokenizers.Words.TokenizeAll(captions);
        var references = Tokenizers.Words.TokenizeAll(referenceCaptions);
        Tensor counts = Bleu.Counts(candidates, references);
        double bleu4 = Bleu.FromCounts(counts, order: 4, BleuSmoothing.AddEpsilon);
        Interval over = Bootstrap.Interval(counts.size(0), i => Bleu.FromCounts(counts[i], order: 4, BleuSmoothing.AddEpsilon));
        Tensor meteor = Meteor.Scores(candidates, references), cider = Cider.D(candidates, references);
        NgramModel<string> model = NgramModel.Fit(Tokenizers.Words.TokenizeAll(heldOutCaptions));
        double surprise = model.Perplexity(candidates), variety = DistinctNgrams.Corpus(candidates, 2);
        double characters = ErrorRate.Corpus(Tokenizers.Characters.TokenizeAll(["kitten"]), Tokenizers.Characters.TokenizeAll(["sitting"]));

        Assert.InRange(bleu4, 0.05, 0.95);
        Assert.InRange(over.High, bleu4, 1);
        Assert.InRange(meteor.mean().item<double>(), 0.3, 1);
        Assert.InRange(cider.mean().item<double>(), 0.1, 10);
        Assert.InRange(surprise, 1, 100);
        Assert.InRange(variety, 0.5, 1);
        Assert.Equal(3.0 / 7, characters, 1e-12);
    }

    [Fact]
    public void Naturalness_of_images()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string path = folder["photographs.safetensors"];
        var (photographs, samples) = (new[] { rand(3, 192, 192), rand(3, 200, 300) }, rand(2, 3, 192, 192));

        using NiqeModel pristine = NiqeModel.Fit(photographs, range: 1);
        pristine.Save(path);
        using NiqeModel niqe = NiqeModel.Load(path);
        Tensor scores = niqe.Score(samples, range: 1);

        Assert.Equal([2], scores.shape);
        Assert.True(scores.isfinite().all().item<bool>());
    }
}
