using System.Text.Json;
using System.Text.Json.Serialization;

namespace Langevin.Metrics.Judging;

/// <summary>The extractor behind a report.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Hash">Fingerprint of its weights: distances compare only at equal hashes.</param>
/// <param name="Width">Number of features.</param>
/// <param name="HeldOutAccuracy">Its own accuracy on held-out real data, by class; null where it knows no classes.</param>
public sealed record ExtractorCard(string Name, string Hash, int Width, AgreementResult? HeldOutAccuracy);

/// <summary>The Fréchet distance and its yardstick.</summary>
/// <param name="Distance">Of all samples to all training data.</param>
/// <param name="Interval">
/// Bootstrap interval of <paramref name="Distance"/> over the samples, recentred (see <see cref="Bootstrap"/>).
/// </param>
/// <param name="Size">Samples a side in the comparison at equal size.</param>
/// <param name="Generated">Mean distance of that many samples to as many training data, over random draws.</param>
/// <param name="Real">
/// The same for held-out real data in place of samples. Like samples, they are new to the extractor; unlike samples, they
/// may differ from the training data in kind (other writers, other days).
/// </param>
/// <param name="RealSpread">Standard deviation of <paramref name="Real"/> over the draws.</param>
/// <param name="Ratio"><paramref name="Generated"/> over <paramref name="Real"/>; NaN where the latter is 0.</param>
/// <param name="Within">
/// The same for other training data in place of samples, disjoint from the first: the strictest yardstick, since the
/// extractor knows both sides. NaN where the training set is smaller than twice <paramref name="Size"/>.
/// </param>
/// <param name="WithinRatio"><paramref name="Generated"/> over <paramref name="Within"/>; NaN where that is 0 or NaN.</param>
public sealed record FrechetReport(
    double Distance, Interval Interval, int Size, double Generated, double Real, double RealSpread, double Ratio,
    double Within, double WithinRatio);

/// <summary>What a judge found about a set of generated samples. Immutable; JSON both ways.</summary>
public sealed record JudgeReport
{
    /// <summary>The extractor of the features.</summary>
    public required ExtractorCard Extractor { get; init; }

    /// <summary>Generated samples judged.</summary>
    public required long Samples { get; init; }

    /// <summary>Real training samples compared with.</summary>
    public required long Training { get; init; }

    /// <summary>Real held-out samples of the yardsticks.</summary>
    public required long HeldOut { get; init; }

    /// <summary>Fréchet distance of the features.</summary>
    public required FrechetReport Frechet { get; init; }

    /// <summary>Kernel distance of the samples to the training data.</summary>
    public required KernelDistanceResult Kernel { get; init; }

    /// <summary>Kernel distance of the held-out to the training data.</summary>
    public required KernelDistanceResult RealKernel { get; init; }

    /// <summary>Precision, recall, density and coverage of the samples, at equal counts where the data suffice.</summary>
    public required PrecisionRecallResult PrecisionRecall { get; init; }

    /// <summary>The same of the held-out data in place of the samples.</summary>
    public required PrecisionRecallResult RealPrecisionRecall { get; init; }

    /// <summary>The score exp E KL over the judge's own classes; null where it knows none.</summary>
    public InceptionScoreResult? ClassScore { get; init; }

    /// <summary>Agreement with the asked classes; null for unconditional samples or a judge without classes.</summary>
    public AgreementResult? Agreement { get; init; }

    /// <summary>Nearest training neighbours by raw values.</summary>
    public required MemorisationResult MemorisationByValues { get; init; }

    /// <summary>Nearest training neighbours by features.</summary>
    public required MemorisationResult MemorisationByFeatures { get; init; }

    /// <summary>Sentences on what makes these figures weak, e.g. too few samples; empty when nothing does.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>The report as indented JSON; numbers that do not exist are "NaN".</summary>
    public string ToJson() => JsonSerializer.Serialize(this, JudgeJson.Default.JudgeReport);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The text is not such a report.</exception>
    public static JudgeReport FromJson(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, JudgeJson.Default.JudgeReport)
                ?? throw new InvalidDataException("the text is 'null', not a judge's report");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"not a judge's report: {e.Message}", e);
        }
    }
}

/// <summary>Source-generated JSON of reports and options.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(JudgeReport))]
[JsonSerializable(typeof(JudgeOptions))]
[JsonSerializable(typeof(ReportOptions))]
public sealed partial class JudgeJson : JsonSerializerContext;
