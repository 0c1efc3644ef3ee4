using System.CommandLine;
using System.Globalization;
using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Samplers;

namespace Langevin.Cli.Runs;

/// <summary>How a scale guides, besides the scale itself.</summary>
internal sealed record Steering
{
    /// <summary>cfg, apg, cfg++ or cfg-zero.</summary>
    public string Method { get; init; } = "cfg";

    /// <summary>Share by which the spread is brought back; cfg only.</summary>
    public double Rescale { get; init; }

    /// <summary>Where guidance acts; everywhere when null.</summary>
    public Interval? Interval { get; init; }

    /// <summary>The options of a command.</summary>
    public static (Option<string> Method, Option<double> Rescale, Option<string?> Interval, Func<ParseResult, Steering> Read) Options()
    {
        var method = new Option<string>("--guidance-method") { Description = "cfg, apg (projected, with momentum), cfg++ or cfg-zero.", DefaultValueFactory = _ => "cfg" };
        var rescale = new Option<double>("--guidance-rescale") { Description = "cfg: how far the spread is brought back to the conditional model's, 0 to 1." };
        var interval = new Option<string?>("--guidance-interval") { Description = "Noise-to-signal ratios between which guidance acts: a,b." };
        return (method.AcceptOnlyFromAmong("cfg", "apg", "cfg++", "cfg-zero"), rescale, interval,
            parsed => new() { Method = parsed.GetValue(method)!, Rescale = parsed.GetValue(rescale), Interval = Parse(parsed.GetValue(interval)) });
    }

    /// <summary>The model guided.</summary>
    public IDenoiser Apply(IDenoiser model, double scale, Sampler sampler)
    {
        if (Rescale != 0 && Method != "cfg") throw new ArgumentException($"--guidance-rescale {Rescale}: only --guidance-method cfg rescales.");
        if (Interval is not null && Method == "cfg++") throw new ArgumentException("--guidance-interval: cfg++ acts everywhere.");
        if (Method == "cfg++" && sampler is not (Ddim or DdpmAncestral)) throw new ArgumentException("--guidance-method cfg++: it works with --sampler ddim, euler-ancestral or ddpm, which put x̂_0 and ε̂ together again.");
        return Method switch
        {
            "apg" => model.GuidedProjected(scale, momentum: -0.5, interval: Interval),
            "cfg++" => model.GuidedPlusPlus(scale),
            "cfg-zero" => model.GuidedZeroStar(scale, interval: Interval),
            _ => model.Guided(scale, Rescale, Interval),
        };
    }

    private static Interval? Parse(string? text)
    {
        if (text is null) return null;
        double[] ends = [.. text.Split(',').Select(p => double.TryParse(p, NumberStyles.Float, CultureInfo.InvariantCulture, out double v) ? v : double.NaN)];
        if (ends.Length != 2 || !(ends[0] >= 0 && ends[0] <= ends[1])) throw new ArgumentException($"--guidance-interval {text}: give two noise-to-signal ratios, the smaller first, as 0.3,5.");
        return Langevin.Guidance.Interval.OfNoise(ends[0], ends[1]);
    }
}
