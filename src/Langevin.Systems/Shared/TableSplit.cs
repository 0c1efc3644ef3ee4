using Langevin.Data;
using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>A table of two classes cut into a part to learn from and one to be judged on, both with the same share of the rare class, in units of the first part's deviations.</summary>
/// <param name="Name">The table and the cut.</param>
/// <param name="Rare">float32 [N, D]: rows of the rarer class to learn from.</param>
/// <param name="Common">float32 [N', D]: the other rows to learn from.</param>
/// <param name="Test">float32 [M, D]: rows to be judged on.</param>
/// <param name="IsRare">bool [M].</param>
public sealed record TableSplit(string Name, Tensor Rare, Tensor Common, Tensor Test, Tensor IsRare)
{
    // The tables of the SMOTE paper that are there, with labels in the last column.
    private static readonly string[] Real = ["mammography", "phoneme", "oil-spill", "pima-indians-diabetes"];

    /// <summary>Generated tables, and real ones where the bench has them, each cut several times.</summary>
    /// <param name="trial">Its seed decides the cuts, its dispose scope holds the tensors.</param>
    /// <param name="tables">How many are generated.</param>
    /// <param name="rows">Rows of one.</param>
    /// <param name="cuts">Cuts of each.</param>
    public static IEnumerable<TableSplit> All(Trial trial, int tables, int rows, int cuts)
    {
        ArgumentNullException.ThrowIfNull(trial);
        for (int i = 0; i < tables; i++)
        {
            using var set = Tables.Imbalanced(rows, seed: i);
            for (int cut = 0; cut < cuts; cut++) yield return Of(set, $"generated-{i}", trial.Seed, cut);
        }
        foreach (string name in Real)
        {
            if (trial.RealData($"tabular/{name}.csv.gz") is not { } path) continue;
            using var set = Data.Formats.Csv.Open(path, new() { Label = "-1" });
            for (int cut = 0; cut < cuts; cut++) yield return Of(set, name, trial.Seed, cut);
        }
    }

    /// <summary>Cuts a table of two classes, half and half; the tensors belong to the present dispose scope.</summary>
    /// <exception cref="InvalidDataException">The table has not two classes of at least four rows.</exception>
    public static TableSplit Of(ArrayDataset set, string name, long seed, int cut)
    {
        ArgumentNullException.ThrowIfNull(set);
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)(1000 * seed + cut));
        var (rare, common) = Classes(set);
        Tensor[] Halves(Tensor index)
        {
            var mixed = index.index_select(0, randperm(index.numel(), generator: generator));
            return mixed.tensor_split(2, 0);
        }
        var (r, c) = (Halves(rare), Halves(common));
        var learnt = set.Items.index_select(0, cat([r[0], c[0]]));
        var (mean, std) = (learnt.mean([0L], keepdim: true), learnt.std(0, unbiased: false, keepdim: true));
        var scale = where(std.gt(0), std, ones_like(std));
        Tensor Rows(Tensor index) => ((set.Items.index_select(0, index) - mean) / scale).MoveToOuterDisposeScope();
        var isRare = cat([ones(r[1].numel(), ScalarType.Bool), zeros(c[1].numel(), ScalarType.Bool)]);
        return new($"{name}-{cut}", Rows(r[0]), Rows(c[0]), Rows(cat([r[1], c[1]])), isRare.MoveToOuterDisposeScope());
    }

    /// <summary>Numbers of the rows of the rarer class and of the other, int64.</summary>
    /// <exception cref="InvalidDataException">The table has not two classes of at least four rows.</exception>
    public static (Tensor Rare, Tensor Common) Classes(ArrayDataset set)
    {
        ArgumentNullException.ThrowIfNull(set);
        if (set.Labels is not { } labels || set.ClassCount != 2) throw new InvalidDataException($"{set.Name}: {set.ClassCount} classes: expected two.");
        var first = labels.eq(0).nonzero().flatten();
        var second = labels.eq(1).nonzero().flatten();
        if (Math.Min(first.numel(), second.numel()) < 4) throw new InvalidDataException($"{set.Name}: a class of {Math.Min(first.numel(), second.numel())} rows: expected at least 4 of each.");
        return first.numel() <= second.numel() ? (first, second) : (second, first);
    }
}
