using Langevin.Metrics.Molecules;

namespace Langevin.Tests.Metrics;

public class CanonicalFormTests
{
    private readonly Random random = new(4);

    private static IEnumerable<(int, int)> Pairs(int n) => from i in Enumerable.Range(0, n) from j in Enumerable.Range(i + 1, n - i - 1) select (i, j);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 4)]
    [InlineData(4, 11)]
    [InlineData(5, 34)]
    [InlineData(6, 156)]
    public void All_graphs_on_a_few_vertices_have_as_many_forms_as_there_are_graphs(int vertices, int graphs)
    {
        // OEIS A000088. Every labelled graph once: fewer forms would join different graphs, more would part equal ones.
        (int, int)[] pairs = [.. Pairs(vertices)];
        var all = Enumerable.Range(0, 1 << pairs.Length).Select(set => Structures.Graph(vertices, pairs.Where((_, k) => (set >> k & 1) == 1)));
        Assert.Equal(graphs, CanonicalForm.Distinct(all).Count);
    }

    [Fact]
    public void Labelled_bonds_and_elements_are_counted_as_by_burnside()
    {
        // Triangles whose sides have one of 3 orders: multisets of 3 out of 3, 10. Whose corners are also C or N, by Burnside's
        // lemma over the 6 motions: (2³·3³ + 3·2²·3² + 2·2·3)/6 = 56.
        var triangles = from orders in Enumerable.Range(0, 27)
                        from corners in Enumerable.Range(0, 8)
                        select new Molecule(
                            Enumerable.Range(0, 3).Select(k => (corners >> k & 1) == 0 ? "C" : "N"),
                            bonds: [new(0, 1, 1 + orders % 3), new(1, 2, 1 + orders / 3 % 3), new(2, 0, 1 + orders / 9)]);
        Molecule[] all = [.. triangles];
        Assert.Equal(56, CanonicalForm.Distinct(all).Count);
        Assert.Equal(10, CanonicalForm.Distinct(all.Where(m => m.Elements.All(e => e == "C"))).Count);
        Assert.Equal(4, CanonicalForm.Distinct(all, orders: false).Count);
    }

    [Fact]
    public void Random_cubic_graphs_have_the_forms_there_are()
    {
        // On 10 vertices 21 simple cubic graphs, 19 of them connected (OEIS A005638, A002851): refinement alone tells none apart.
        // The two in parts are a tetrahedron beside K₃,₃, too rare to be drawn, or a prism.
        (int, int)[] tetrahedron = [.. Pairs(4)];
        var forms = new HashSet<string>
        {
            CanonicalForm.Of(Structures.Graph(10, [.. tetrahedron, .. from i in Enumerable.Range(4, 3) from j in Enumerable.Range(7, 3) select (i, j)])),
            CanonicalForm.Of(Structures.Graph(10, [.. tetrahedron, (4, 5), (5, 6), (6, 4), (7, 8), (8, 9), (9, 7), (4, 7), (5, 8), (6, 9)])),
        };
        for (int trial = 0; trial < 20_000; trial++)
        {
            int[] ends = [.. Enumerable.Range(0, 30).Select(k => k / 3)];
            random.Shuffle(ends);
            (int, int)[] edges = [.. ends.Chunk(2).Select(e => (Math.Min(e[0], e[1]), Math.Max(e[0], e[1])))];
            if (edges.All(e => e.Item1 != e.Item2) && edges.Distinct().Count() == 15) forms.Add(CanonicalForm.Of(Structures.Graph(10, edges)));
        }
        Assert.Equal(21, forms.Count);
    }

    /// <summary>Pairs of different regular graphs that colour refinement does not tell apart.</summary>
    public static TheoryData<string> Lookalikes() => ["hexagon", "decalin", "rook", "prism"];

    [Theory]
    [MemberData(nameof(Lookalikes))]
    public void Graphs_that_refinement_cannot_tell_apart_have_different_forms(string name)
    {
        IEnumerable<(int, int)> Ring(int n, int from = 0) => Enumerable.Range(0, n).Select(k => (from + k, from + (k + 1) % n));
        var (first, second) = name switch
        {
            "hexagon" => (Structures.Graph(6, Ring(6)), Structures.Graph(6, [.. Ring(3), .. Ring(3, 3)])),
            // The carbon skeletons of decalin and bicyclopentyl.
            "decalin" => (Structures.Graph(10, [.. Ring(10), (0, 5)]), Structures.Graph(10, [.. Ring(5), .. Ring(5, 5), (0, 5)])),
            // Strongly regular (16, 6, 2, 2): the 4 × 4 rook's graph and Shrikhande's; refinement of pairs fails too.
            "rook" => (Torus((dx, dy) => dx == 0 || dy == 0), Torus((dx, dy) => (dx, dy) is (0, 1) or (0, 3) or (1, 0) or (3, 0) or (1, 1) or (3, 3))),
            _ => (Structures.Graph(6, [.. Ring(3), .. Ring(3, 3), (0, 3), (1, 4), (2, 5)]), Structures.Graph(6, from i in Enumerable.Range(0, 3) from j in Enumerable.Range(3, 3) select (i, j))),
        };
        Assert.Equal(first.Bonds!.Count, second.Bonds!.Count);
        Assert.Equal(Colours(first), Colours(second));
        string[] forms = [CanonicalForm.Of(first), CanonicalForm.Of(second)];
        Assert.NotEqual(forms[0], forms[1]);
        for (int trial = 0; trial < 50; trial++)
        {
            Assert.Equal(forms[0], CanonicalForm.Of(Structures.Shuffled(first, random)));
            Assert.Equal(forms[1], CanonicalForm.Of(Structures.Shuffled(second, random)));
        }
    }

    private static Molecule Torus(Func<int, int, bool> joined) =>
        Structures.Graph(16, Pairs(16).Where(p => joined((p.Item2 / 4 - p.Item1 / 4 + 4) % 4, (p.Item2 - p.Item1 + 16) % 4)));

    private static IEnumerable<int> Colours(Molecule graph)
    {
        int[] colour = new int[graph.Elements.Count];
        Refinement.Refine(graph.Neighbours(), colour);
        return colour.Order();
    }

    [Fact]
    public void Forms_of_real_molecules_do_not_depend_on_the_order_of_atoms()
    {
        foreach (var molecule in Structures.Gdb().Where((_, i) => i % 10 == 0))
            foreach (bool orders in new[] { true, false })
            {
                string form = CanonicalForm.Of(molecule, orders);
                for (int trial = 0; trial < 5; trial++) Assert.Equal(form, CanonicalForm.Of(Structures.Shuffled(molecule, random), orders));
            }
    }

    [Theory]
    [InlineData(false, false, 84)]
    [InlineData(false, true, 392)]
    [InlineData(true, false, 707)]
    [InlineData(true, true, 998)]
    public void Skeletons_of_real_molecules_fall_into_the_classes_of_another_library(bool elements, bool orders, int classes)
    {
        // networkx 2.8.8, GraphMatcher.is_isomorphic within equal Weisfeiler-Lehman hashes; of the 84 those hashes tell only 82 apart.
        Assert.Equal(classes, CanonicalForm.Distinct(Structures.Gdb().Select(m => Structures.Heavy(m, elements)), orders).Count);
    }

    [Fact]
    public void Forms_are_readable()
    {
        Assert.Equal("C H H O|0-1 0-2 0=3", CanonicalForm.Of(new("O C H H".Split(' '), bonds: [new(0, 1, 2), new(1, 2, 1), new(1, 3, 1)])));
        Assert.Equal("C H H O|0~1 0~2 0~3", CanonicalForm.Of(new("O C H H".Split(' '), bonds: [new(0, 1, 2), new(1, 2, 1), new(1, 3, 1)]), orders: false));
        Assert.Equal("C|", CanonicalForm.Of(new(["C"], bonds: [])));
    }

    [Fact]
    public void Kekule_structures_of_a_ring_are_equal_without_orders_only()
    {
        Molecule Xylene(int first) => new(Enumerable.Repeat("C", 8), bonds: [
            .. Enumerable.Range(0, 6).Select(k => new Bond(k, (k + 1) % 6, 1 + (k + first) % 2)), new(0, 6, 1), new(1, 7, 1)]);
        Assert.NotEqual(CanonicalForm.Of(Xylene(0)), CanonicalForm.Of(Xylene(1)));
        Assert.Equal(CanonicalForm.Of(Xylene(0), orders: false), CanonicalForm.Of(Xylene(1), orders: false));
    }

    /// <summary>Graphs with many automorphisms; unpruned, the search would have from 3·10⁶ to 181! leaves.</summary>
    public static TheoryData<string> Symmetric() => ["atoms", "hydrogens", "octane", "complete", "cube", "fullerene"];

    [Theory]
    [MemberData(nameof(Symmetric))]
    public void Symmetric_graphs_take_little_search(string name)
    {
        var graph = name switch
        {
            "atoms" => Structures.Graph(181, []), // the largest molecule of GEOM-Drugs, drawn by a model that knows nothing
            "hydrogens" => Structures.Graph(80, Enumerable.Range(0, 40).Select(k => (2 * k, 2 * k + 1))),
            // 2,2,3,3-tetramethylbutane: 2 · 6² · 6⁶ automorphisms.
            "octane" => new Molecule(
                [.. Enumerable.Repeat("C", 8), .. Enumerable.Repeat("H", 18)],
                bonds: [new(0, 1, 1), .. Enumerable.Range(0, 6).Select(k => new Bond(k / 3, 2 + k, 1)), .. Enumerable.Range(0, 18).Select(k => new Bond(2 + k / 3, 8 + k, 1))]),
            "complete" => Structures.Graph(40, Pairs(40)),
            "cube" => Structures.Graph(64, Pairs(64).Where(p => int.PopCount(p.Item1 ^ p.Item2) == 1)),
            _ => Fullerene(),
        };
        string form = CanonicalForm.Of(graph);
        Assert.Equal(form, CanonicalForm.Of(Structures.Shuffled(graph, random)));
    }

    /// <summary>C₆₀: the corners of a truncated icosahedron, joined to the nearest three.</summary>
    private static Molecule Fullerene()
    {
        double phi = (1 + Math.Sqrt(5)) / 2;
        var corners = from c in new[] { (0.0, 1.0, 3 * phi), (1.0, 2 + phi, 2 * phi), (phi, 2.0, 2 * phi + 1) }
                      from turn in Enumerable.Range(0, 3)
                      from signs in Enumerable.Range(0, 8)
                      let s = (X: (signs & 1) == 0 ? c.Item1 : -c.Item1, Y: (signs & 2) == 0 ? c.Item2 : -c.Item2, Z: (signs & 4) == 0 ? c.Item3 : -c.Item3)
                      select turn == 0 ? s : turn == 1 ? (s.Y, s.Z, s.X) : (s.Z, s.X, s.Y);
        (double X, double Y, double Z)[] at = [.. corners.Select(p => (p.Item1 + 0.0, p.Item2 + 0.0, p.Item3 + 0.0)).Distinct()];
        Assert.Equal(60, at.Length);
        double Squared((double X, double Y, double Z) p, (double X, double Y, double Z) q) => Math.Pow(p.X - q.X, 2) + Math.Pow(p.Y - q.Y, 2) + Math.Pow(p.Z - q.Z, 2);
        var graph = Structures.Graph(60, Pairs(60).Where(p => Squared(at[p.Item1], at[p.Item2]) < 4.1)); // the edge is 2
        Assert.Equal(90, graph.Bonds!.Count);
        return graph;
    }
}
