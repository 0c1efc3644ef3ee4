using Langevin.Metrics;
using Langevin.Metrics.Images;
using Langevin.Metrics.Judging;
using Langevin.Metrics.Text;
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
    public void Interval_of_any_statistic()
    {
        using var scope = NewDisposeScope();
        var errors = rand(100);

        Interval interval = Bootstrap.Interval(errors.size(0), i => errors[i].mean().item<float>(), resamples: 1000, seed: 0);

        Assert.True(interval.Contains(errors.mean().item<float>()));
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
