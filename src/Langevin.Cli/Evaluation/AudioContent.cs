using Langevin.Data;
using Langevin.Metrics.Signals;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Evaluation;

/// <summary>WAV files: sets by the statistics of their log-mel spectra, and pairs of the same name.</summary>
internal static class AudioContent
{
    private const int Rate = 16_000, Bands = 64;
    private const double MostOff = 0.1;
    private static readonly string[] Default = ["fad", "kid", "prdc"];

    private static readonly Dictionary<string, (string What, Func<Tensor, Tensor, Tensor> Measure)> Pairs = new()
    {
        ["snr"] = ("signal-to-noise ratio in dB, the error as noise", SignalError.SignalToNoise),
        ["si-sdr"] = ("scale-invariant signal-to-distortion ratio in dB", (a, b) => SignalError.ScaleInvariantDistortion(a, b)),
        ["ssd"] = ("sum of squared differences", SignalError.SumOfSquares),
        ["mad"] = ("maximum absolute difference", SignalError.MaximumAbsolute),
        ["prd"] = ("percentage root-mean-square difference, relative to the real signal", (a, b) => SignalError.PercentageRootMeanSquare(a, b, DifferenceBase.Reference)),
        ["cosine"] = ("cosine similarity", SignalError.CosineSimilarity),
        ["lsd"] = ("log-spectral distance in dB", (a, b) => LogSpectralDistance.Between(a, b)),
        ["stoi"] = ("short-time objective intelligibility", (a, b) => Stoi.Between(a, b, Rate)),
        ["estoi"] = ("extended STOI", (a, b) => Stoi.Between(a, b, Rate, extended: true)),
        ["mcd"] = ("mel-cepstral distortion in dB, frame against frame", (a, b) => MelCepstralDistortion.Between(MelCepstrum.Of(a, Rate), MelCepstrum.Of(b, Rate))),
    };

    public static IReadOnlyDictionary<string, string> Measures { get; } = SetMeasures.Names.Where(m => m.Key is not ("fid" or "sfid" or "is"))
        .Prepend(new("fad", "Fréchet distance of the log-mel statistics")).Concat(Pairs.Select(p => KeyValuePair.Create(p.Key, p.Value.What))).ToDictionary();

    public static bool Holds(string path) => Directory.Exists(path) ? Files(path).Length > 0 : AudioFile.HasAudioExtension(path) && File.Exists(path);

    public static FolderReport Evaluate(FolderRequest request, Terminal terminal, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        string[] names = [.. request.Measures.Count > 0 ? request.Measures : Default], real = Files(request.Real), fake = Files(request.Fake);
        string[] sets = [.. names.Where(n => !Pairs.ContainsKey(n))], pairs = [.. names.Where(Pairs.ContainsKey)];
        var measures = new List<Measured>();
        var warnings = new List<string>();
        if (sets.Length > 0)
        {
            var input = new SetInput(Features(real, cancellation).to(request.Device), Features(fake, cancellation).to(request.Device), null, null, request);
            measures.AddRange(SetMeasures.Measure(sets.Select(n => n == "fad" ? "fid" : n), input, cancellation).Select(m => m.Name == "fid" ? m with { Name = "fad" } : m));
            warnings.AddRange(input.Warnings.Select(w => w.Replace("fid of ", "fad of ", StringComparison.Ordinal)));
        }
        if (pairs.Length > 0) measures.AddRange(Paired(pairs, request, real, fake, warnings, cancellation));
        return new()
        {
            Kind = "sounds", Real = real.Length, Fake = fake.Length, Measures = measures, Warnings = warnings,
            Networks = [($"none: mean and spread of {Bands} log-mel bands at {Rate / 1000} kHz, one channel", "-")],
        };
    }

    private static string[] Files(string path) => Directory.Exists(path)
        ? [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(AudioFile.HasAudioExtension).Order(StringComparer.Ordinal)]
        : [path];

    private static Tensor Features(string[] files, CancellationToken cancellation) => cat(files.Select(f =>
    {
        cancellation.ThrowIfCancellationRequested();
        using var one = NewDisposeScope();
        return LogMelStatistics.Of(Mono(f, least: Rate / 40), Rate, MelOptions.Speech(Rate, Bands)).MoveToOuterDisposeScope();
    }).ToList());

    /// <summary>One channel at the common rate, float64 [1, T].</summary>
    private static Tensor Mono(string path, int least = 1)
    {
        var (samples, rate) = AudioFile.Load(path);
        var mono = samples.to(ScalarType.Float64).mean([0L], keepdim: true);
        var wave = rate == Rate ? mono : Resampling.Convert(mono, rate, Rate);
        return wave.size(1) >= least ? wave : throw new InvalidDataException($"{path}: {wave.size(1)} samples at {Rate} Hz are too short: at least {least} are needed.");
    }

    private static IEnumerable<Measured> Paired(string[] names, FolderRequest request, string[] real, string[] fake, List<string> warnings, CancellationToken cancellation)
    {
        if (real.Length != fake.Length) throw new InvalidDataException($"pairs need equal counts: {real.Length} real sounds, {fake.Length} generated ones.");
        var values = names.ToDictionary(n => n, _ => new double[real.Length]);
        int cut = 0;
        for (int i = 0; i < real.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            string a = Name(request.Real, real[i]), b = Name(request.Fake, fake[i]);
            if (a != b && real.Length > 1) throw new InvalidDataException($"pairs need equal names: '{a}' stands against '{b}'.");
            using var one = NewDisposeScope();
            var (x, y) = (Mono(real[i]), Mono(fake[i]));
            long length = Math.Min(x.size(1), y.size(1)), longest = Math.Max(x.size(1), y.size(1));
            if (longest - length > MostOff * longest) throw new InvalidDataException($"'{a}': {x.size(1)} samples against {y.size(1)}: pairs may differ by a tenth in length.");
            if (longest > length) cut++;
            foreach (string name in names)
                values[name][i] = Pairs[name].Measure(x.narrow(1, 0, length), y.narrow(1, 0, length)).to(ScalarType.Float64).mean().item<double>();
        }
        if (cut > 0) warnings.Add($"{cut} of {real.Length} pairs differ in length and were cut to the shorter");
        return names.Select(n => Summary.Of(n, values[n], request));
    }

    private static string Name(string root, string file) => Directory.Exists(root) ? Path.ChangeExtension(Path.GetRelativePath(root, file), null) : file;
}
