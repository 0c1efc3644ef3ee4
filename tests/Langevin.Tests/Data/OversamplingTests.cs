using Langevin.Data;
using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class OversamplingTests
{
    private static Tensor Table(int rows, int columns, ulong seed)
    {
        using var generator = new Generator(seed);
        return randn([rows, columns], ScalarType.Float64, generator: generator);
    }

    // By sorting all distances, row by row.
    private static int[][] Neighbours(double[][] rows, double[][] all, int k) =>
        [.. rows.Select((x, i) => Enumerable.Range(0, all.Length).Where(j => j != i).OrderBy(j => x.Zip(all[j], (a, b) => (a - b) * (a - b)).Sum()).Take(k).ToArray())];

    private static double[][] Rows(Tensor x) => [.. x.data<double>().ToArray().Chunk((int)x.size(1))];

    [Theory, InlineData(5), InlineData(1), InlineData(100)]
    public void Each_row_lies_on_a_segment_to_one_of_the_k_nearest(int k)
    {
        using var scope = NewDisposeScope();
        var minority = Table(30, 4, 1);
        using var made = Oversampling.Smote(minority, 100, k, seed: 2);
        var x = Rows(minority);
        var near = Neighbours(x, x, Math.Min(k, 29));
        var (from, to, share) = (made.From.data<long>().ToArray(), made.To.data<long>().ToArray(), made.Share.data<double>().ToArray());
        for (int i = 0; i < 100; i++)
        {
            Assert.Contains((int)to[i], near[from[i]]);
            Assert.InRange(share[i], 0, 1);
            var row = made.Rows[i].data<double>().ToArray();
            for (int c = 0; c < 4; c++) Assert.Equal(x[from[i]][c] + share[i] * (x[to[i]][c] - x[from[i]][c]), row[c], 1e-14);
        }
        // 100 rows from 30: ten of them four times, the others three.
        Assert.All(from.GroupBy(f => f), g => Assert.InRange(g.Count(), 3, 4));
        Assert.Equal(30, from.Distinct().Count());
        // Uniform: the mean of 100 lies within five standard errors, 5/√1200.
        Assert.InRange(share.Average(), 0.5 - 0.145, 0.5 + 0.145);
    }

    [Fact]
    public void Borderline_starts_only_from_rows_in_danger()
    {
        using var scope = NewDisposeScope();
        var minority = Table(40, 2, 3);
        var majority = Table(80, 2, 4) + 1;
        using var made = Oversampling.Borderline(minority, majority, 200, neighbours: 3, surroundings: 7, seed: 5);
        var (x, all) = (Rows(minority), Rows(cat([minority, majority])));
        var danger = Neighbours(x, all, 7).Select((n, i) => (Others: n.Count(j => j >= 40), i)).Where(d => 2 * d.Others >= 7 && d.Others < 7).Select(d => (long)d.i).ToHashSet();
        Assert.InRange(danger.Count, 5, 39);
        Assert.True(danger.SetEquals(made.From.data<long>().ToArray()));
        var near = Neighbours(x, x, 3);
        foreach (var (f, t) in made.From.data<long>().ToArray().Zip(made.To.data<long>().ToArray())) Assert.Contains((int)t, near[f]);
    }

    [Fact]
    public void Where_none_is_in_danger_all_rows_are_started_from()
    {
        using var scope = NewDisposeScope();
        using var made = Oversampling.Borderline(Table(10, 2, 3), Table(10, 2, 4) + 1000, 20, surroundings: 4);
        Assert.Equal(10, made.From.data<long>().ToArray().Distinct().Count());
    }

    [Fact]
    public void Equal_seeds_give_equal_rows_of_the_given_type_and_bad_tables_are_refused()
    {
        using var scope = NewDisposeScope();
        var minority = Table(8, 3, 1).to(ScalarType.Float32);
        using var a = Oversampling.Smote(minority, 5, seed: 7);
        using var b = Oversampling.Smote(minority, 5, seed: 7);
        using var c = Oversampling.Smote(minority, 5, seed: 8);
        Assert.Equal(ScalarType.Float32, a.Rows.dtype);
        Assert.True(a.Rows.equal(b.Rows).all().item<bool>());
        Assert.False(a.Rows.eq(c.Rows).all().item<bool>());
        Assert.Throws<ArgumentException>(() => Oversampling.Smote(zeros(1, 3), 5));
        Assert.Throws<ArgumentException>(() => Oversampling.Smote(zeros(4), 5));
        Assert.Throws<ArgumentException>(() => Oversampling.Borderline(minority, zeros(4, 2), 5));
    }

    [Fact]
    public void Imbalanced_rows_have_their_share_and_are_functions_of_seed_and_number()
    {
        using var scope = NewDisposeScope();
        using var set = Tables.Imbalanced(20_000, seed: 3);
        using var later = Tables.Imbalanced(100, seed: 3, first: 500);
        using var other = Tables.Imbalanced(100, seed: 4);
        Assert.Equal([6L], set.ItemShape);
        Assert.Equal(["majority", "minority"], set.ClassNames);
        // Five standard errors, 5 √(0.05 · 0.95 / 20,000).
        Assert.Equal(0.05, set.Labels!.to(ScalarType.Float64).mean().item<double>(), 0.0078);
        Assert.True(set.Items.narrow(0, 500, 100).eq(later.Items).all().item<bool>());
        Assert.True(set.Labels!.narrow(0, 500, 100).eq(later.Labels!).all().item<bool>());
        Assert.False(set.Items.narrow(0, 0, 100).eq(other.Items).any().item<bool>());
    }

    [Fact]
    public void A_table_of_the_users_is_balanced_with_rows_between_its_own()
    {
        using var folder = new TempFolder();
        string[] rows = [.. Enumerable.Range(0, 12).Select(i => FormattableString.Invariant($"{i},{i * i},{(i < 8 ? "no" : "yes")}"))];
        File.WriteAllLines(folder["in.csv"], ["a,b,c", .. rows]);
        var trial = new Langevin.Systems.Trial(Langevin.Systems.Scale.Smallest, 0, folder["models"]);
        new Langevin.Systems.Baselines.Smote().Apply(trial, folder["in.csv"], folder["out.csv"]);
        string[] lines = File.ReadAllLines(folder["out.csv"]);
        Assert.Equal(["a,b,class", .. rows], lines[..13]);
        Assert.Equal(1 + 16, lines.Length);
        foreach (string[] made in lines[13..].Select(l => l.Split(',')))
        {
            Assert.Equal("yes", made[2]);
            Assert.InRange(float.Parse(made[0], System.Globalization.CultureInfo.InvariantCulture), 8, 11);
        }
    }
}
