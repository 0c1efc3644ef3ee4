using System.Globalization;
using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>Windows of series, a part to learn from and a later or other one to forecast, each channel with mean 0 and deviation 1 on the first part.</summary>
/// <param name="Name">Where they come from.</param>
/// <param name="Training">float32 [N, T, D].</param>
/// <param name="Test">float32 [M, T, D].</param>
/// <param name="Context">Steps of a test window that a forecast is given; the rest is forecast.</param>
/// <param name="Season">Steps of a season.</param>
public sealed record SeriesSet(string Name, Tensor Training, Tensor Test, int Context, int Season)
{
    private const int Length = 96, Given = 72;

    /// <summary>Generated series (<see cref="SeasonalSeries"/>); the tensors belong to the present dispose scope.</summary>
    public static SeriesSet Generated(Trial trial)
    {
        ArgumentNullException.ThrowIfNull(trial);
        using var training = SeasonalSeries.Create(trial.Pick(16, 1000, 4000), length: Length);
        using var test = SeasonalSeries.Create(trial.Pick(4, 64, 200), first: 1 << 20, length: Length);
        return Scaled("generated", training.Items.transpose(1, 2), test.Items.transpose(1, 2), SeasonalSeries.Season);
    }

    /// <summary>The hours of an electricity transformer (ETTh1, Zhou et al. 2021), the first 12 months to learn from, the next 4 to forecast; null where the bench has them not.</summary>
    public static SeriesSet? Transformer(Trial trial)
    {
        ArgumentNullException.ThrowIfNull(trial);
        const int Month = 30 * 24;
        if (trial.RealData("series/ETTh1.csv") is not { } path) return null;
        using var scope = NewDisposeScope();
        float[][] rows = [.. File.ReadLines(path).Skip(1).Take(16 * Month).Select(l => l.Split(',')[1..].Select(f => float.Parse(f, CultureInfo.InvariantCulture)).ToArray())];
        var all = tensor(rows.SelectMany(r => r).ToArray()).view(rows.Length, -1);
        Tensor Windows(int first, int last, int stride) => all.narrow(0, first, last - first).unfold(0, Length, stride).transpose(1, 2);
        var set = Scaled("ETTh1", Windows(0, 12 * Month, trial.Pick(1000, 6, 2)), Windows(12 * Month, 16 * Month, trial.Pick(1000, 44, 22)), 24);
        return set with { Training = set.Training.MoveToOuterDisposeScope(), Test = set.Test.MoveToOuterDisposeScope() };
    }

    private static SeriesSet Scaled(string name, Tensor training, Tensor test, int season)
    {
        using var scope = NewDisposeScope();
        var (mean, std) = (training.mean([0, 1], keepdim: true), training.std([0, 1], keepdim: true));
        return new(name, ((training - mean) / std).contiguous().MoveToOuterDisposeScope(), ((test - mean) / std).contiguous().MoveToOuterDisposeScope(), Given, season);
    }
}
