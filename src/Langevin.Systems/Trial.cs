using Langevin.Denoisers;
using Langevin.Metrics.Judging;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Systems;

/// <summary>How large a run is.</summary>
public enum Scale
{
    /// <summary>Two steps of training and a handful of samples: whether all parts fit together.</summary>
    Smallest,

    /// <summary>A look at the system in a minute or two.</summary>
    Quick,

    /// <summary>The figures that are reported.</summary>
    Full,
}

/// <summary>What one arm with one seed is given: how large to be, where its models are kept, and where to put its pictures.</summary>
public sealed partial class Trial
{
    private readonly string models;
    private readonly string? data;
    private readonly List<Figure> figures = [];
    private readonly Action<double, string> report;

    /// <summary>A trial in a folder of the bench.</summary>
    /// <param name="scale">How large.</param>
    /// <param name="seed">Decides everything random.</param>
    /// <param name="models">Folder of trained models, which systems share.</param>
    /// <param name="data">Folder of real data sets, or null.</param>
    /// <param name="report">Told how far long work is, in [0, 1], and what it is.</param>
    /// <param name="cancellation">Stops long work; what is trained so far stays on disk.</param>
    public Trial(Scale scale, long seed, string models, string? data = null, Action<double, string>? report = null, CancellationToken cancellation = default)
    {
        (Scale, Seed, this.models, this.data, Cancellation) = (scale, seed, models, data, cancellation);
        this.report = report ?? ((_, _) => { });
    }

    /// <summary>How large.</summary>
    public Scale Scale { get; }

    /// <summary>Decides everything random: training, samples, measurements. The data are the same for all seeds.</summary>
    public long Seed { get; }

    /// <summary>Stops long work.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>What was shown, in order.</summary>
    public IReadOnlyList<Figure> Shown => figures;

    /// <summary>A number by scale.</summary>
    public T Pick<T>(T smallest, T quick, T full) => Scale switch { Scale.Smallest => smallest, Scale.Quick => quick, _ => full };

    /// <summary>Steps of training: 2 at the smallest scale.</summary>
    public int Steps(int quick, int full) => Pick(2, quick, full);

    /// <summary>A number of samples: at most 8 at the smallest scale.</summary>
    public int Count(int quick, int full) => Pick(Math.Min(8, quick), quick, full);

    /// <summary>A file or folder of real data, where the bench has any.</summary>
    /// <param name="name">Its path within the data folder: "mnist", "ecg/100.dat".</param>
    public string? RealData(string name) => data is not null && Path.Exists(Path.Combine(data, name)) ? Path.Combine(data, name) : null;

    /// <summary>Shows a figure on the system's page.</summary>
    public void Show(Figure figure) => figures.Add(figure);

    /// <summary>Says how far long work is.</summary>
    public void Report(double share, string what)
    {
        Cancellation.ThrowIfCancellationRequested();
        report(share, what);
    }

    /// <summary>Draws samples from noise, batches side by side on the cores; the caller's.</summary>
    /// <param name="denoiser">The denoiser, guided as it is to be.</param>
    /// <param name="sampler">The sampler.</param>
    /// <param name="grid">The times.</param>
    /// <param name="count">Number of samples.</param>
    /// <param name="itemShape">Shape of one.</param>
    /// <param name="condition">What the denoiser is told: in every slot a row for each sample.</param>
    /// <param name="what">Said in the progress.</param>
    public Tensor Draw(IDenoiser denoiser, Sampler sampler, TimeGrid grid, int count, IReadOnlyList<long> itemShape, Condition? condition = null, string what = "samples") =>
        Batches.Draw((first, length) => new(denoiser, sampler, (condition ?? Condition.None).Map((_, rows) => rows.narrow(0, first, length))),
            count, 64, itemShape, grid, Seed, progress: share => Report(share, what), cancellation: Cancellation).Samples;

    /// <summary>Where the judges of picture sets are kept.</summary>
    internal JudgeCache Judges => JudgeCache.In(Path.Combine(models, "judges"));
}
