using System.Globalization;
using Langevin.Metrics.Motion;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class MotionTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Generator random = new(11);

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private Tensor Normal(params long[] shape) => randn(shape, float64, generator: random);

    private static double[] Values(Tensor x) => x.data<double>().ToArray();

    /// <summary>Two poses of five joints by formula, the same in the Python that gave the expected numbers.</summary>
    private static (Tensor first, Tensor second, Tensor nearMirror) Poses()
    {
        double[] Fill(Func<int, double> of) => [.. Enumerable.Range(0, 30).Select(of)];
        var x = tensor(Fill(k => Math.Sin(k * 1.7) + 0.1 * k % 1)).view(2, 5, 3);
        var y = tensor(Fill(k => Math.Cos(k * k * 0.9 + 1))).view(2, 5, 3) + tensor(new[] { 0.5, -1, 2 });
        var mirrored = x * tensor(new[] { 1.5, 1.5, -1.5 }) + 0.05 * tensor(Fill(k => Math.Sin(k * 3.1))).view(2, 5, 3);
        return (x, y, mirrored);
    }

    [Fact]
    public void Pose_errors_equal_those_of_another_library()
    {
        // scikit-image 0.19.3: SimilarityTransform(dimensionality=3).estimate, which is Umeyama's, then the mean distance.
        var (x, y, mirrored) = Poses();
        TensorsEqual([2.362002806482718, 2.587810358858608], PoseError.Mpjpe(x, y));
        TensorsEqual([0.6034205853345045, 0.5703502720464378], PoseError.PaMpjpe(x, y));
        // The best orthogonal matrix is a mirror here, the best rotation leaves much.
        TensorsEqual([0.3020327835652085, 0.11129201116435997], PoseError.PaMpjpe(x, mirrored));
        // An item of two frames has the mean of both.
        TensorsEqual([(0.6034205853345045 + 0.5703502720464378) / 2], PoseError.PaMpjpe(x.unsqueeze(0), y.unsqueeze(0)));
        Assert.Equal(ScalarType.Float64, PoseError.Mpjpe(x.to(float32), y.to(float32)).dtype);
    }

    private static void TensorsEqual(double[] expected, Tensor actual)
    {
        Assert.Equal(expected.Length, actual.numel());
        Assert.All(expected.Zip(Values(actual)), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Alignment_undoes_a_similarity_but_no_mirror(int dimensions)
    {
        var x = Normal(6, 4, 9, dimensions);
        var (q, r) = linalg.qr(Normal(dimensions, dimensions));
        q = linalg.det(q).item<double>() < 0 ? cat([q.narrow(1, 0, 1) * -1, q.narrow(1, 1, dimensions - 1)], 1) : q;
        var moved = 2.5 * x.view(-1, dimensions).mm(q).view(x.shape) + 7;
        Assert.True(PoseError.PaMpjpe(moved, x).lt(1e-12).all().item<bool>());
        Assert.True(Procrustes.Align(x, moved).allclose(moved, 1e-11, 1e-11));
        var flip = ones(dimensions, float64);
        flip[0] = -1;
        Assert.True(PoseError.PaMpjpe(moved * flip, x).gt(0.1).all().item<bool>());
    }

    [Fact]
    public void Alignment_has_the_least_squared_error_of_all_similarities_nearby()
    {
        var (x, y) = (Normal(1, 7, 3), Normal(1, 7, 3));
        var aligned = Procrustes.Align(x, y);
        double least = (aligned - y).square().sum().item<double>();
        for (int trial = 0; trial < 100; trial++)
        {
            // exp of a skew matrix is a rotation.
            var a = Normal(3, 3) * 0.1;
            var other = aligned[0].mm(linalg.matrix_exp(a - a.t())) * (1 + 0.1 * Normal(1)) + 0.1 * Normal(3);
            Assert.True((other - y[0]).square().sum().item<double>() > least);
        }
    }

    [Fact]
    public void Alignment_of_coinciding_points_is_the_mean()
    {
        var y = Normal(1, 5, 3);
        Assert.True(Procrustes.Align(ones(1, 5, 3, float64), y).allclose(y.mean([1], keepdim: true).expand(1, 5, 3), 1e-12, 1e-12));
    }

    [Fact]
    public void Root_leaves_out_where_the_pose_stands()
    {
        var (x, shift) = (Normal(3, 4, 5, 3), Normal(3, 4, 1, 3));
        Assert.True(PoseError.Mpjpe(x + shift, x, root: 2).lt(1e-12).all().item<bool>());
        // 3-4-5: every joint is moved by 5, but the root by nothing once it is the root.
        var moved = x + tensor(new[] { 3.0, 4.0, 0 });
        Assert.True(PoseError.Mpjpe(moved, x).allclose(full(3, 5.0, float64)));
        moved.select(2, 2).copy_(x.select(2, 2));
        Assert.True(PoseError.Mpjpe(moved, x, root: 2).allclose(full(3, 4.0, float64)));
    }

    [Fact]
    public void Displacements_of_trajectories_by_hand()
    {
        var target = tensor(new[] { 0.0, 0, 1, 0, 2, 0, 3, 0 }).view(1, 4, 2);
        // One is off by 1 all along, the other by 0, 0, 0 and 3: the best average and the best end are of different hypotheses.
        var beside = target + tensor(new[] { 0.0, 1 });
        var away = target + tensor(new[] { 0.0, 0, 0, 0, 0, 0, 0, 3 }).view(1, 4, 2);
        var both = stack([beside, away], 1);
        TensorsEqual([1], Displacement.Ade(beside, target));
        TensorsEqual([0.75], Displacement.Ade(away, target));
        TensorsEqual([3], Displacement.Fde(away, target));
        TensorsEqual([0.75], Displacement.MinAde(both, target));
        TensorsEqual([1], Displacement.MinFde(both, target));
        TensorsEqual([0], Displacement.Miss(both, target, 1)); // equal to the threshold
        TensorsEqual([1], Displacement.Miss(both, target, 0.999));
        TensorsEqual([1], Displacement.Miss(away.unsqueeze(1), target, 2));
    }

    [Fact]
    public void More_hypotheses_never_hurt_and_their_order_does_not_matter()
    {
        var (hypotheses, target) = (Normal(8, 20, 12, 2), Normal(8, 12, 2));
        foreach (var metric in new Func<Tensor, Tensor, Tensor>[] { Displacement.MinAde, Displacement.MinFde, (h, t) => Displacement.Miss(h, t, 0.5) })
        {
            var all = metric(hypotheses, target);
            Assert.True(all.le(metric(hypotheses.narrow(1, 0, 5), target)).all().item<bool>());
            Assert.True(all.SameAs(metric(hypotheses.flip(1), target)));
            Assert.Equal(0, metric(cat([hypotheses, target.unsqueeze(1)], 1), target).abs().max().item<double>());
        }
    }

    [Theory]
    [InlineData("eth.txt", 364, 1.08, 2.28)]
    [InlineData("hotel.txt", 1197, 0.32, 0.61)]
    [InlineData("crowds_zara01.txt", 2356, 0.43, 0.95)]
    [InlineData("crowds_zara02.txt", 5910, 0.32, 0.72)]
    public void Constant_velocity_makes_the_errors_that_tables_of_pedestrians_print(string file, int count, double average, double final)
    {
        // Schöller et al. 2020 (arXiv:1903.07933): 8 steps seen, 12 predicted from the last two.
        var tracks = Tracks(Shared.Data(Path.Combine("trajectories", file)), 20);
        Assert.Equal(count, tracks.size(0));
        var (seen, future) = (tracks.narrow(1, 0, 8), tracks.narrow(1, 8, 12));
        var velocity = seen.narrow(1, 7, 1) - seen.narrow(1, 6, 1);
        var predicted = seen.narrow(1, 7, 1) + velocity * arange(1, 13, float64).view(1, 12, 1);
        Assert.Equal(average, Displacement.Ade(predicted, future).mean().item<double>(), 0.00501);
        Assert.Equal(final, Displacement.Fde(predicted, future).mean().item<double>(), 0.00501);
    }

    /// <summary>Every run of consecutive frames that a person is in, [N, length, 2].</summary>
    private static Tensor Tracks(string file, int length)
    {
        var rows = File.ReadLines(file).Select(line => line.Split('\t').Select(v => double.Parse(v, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        var frames = rows.Select(r => r[0]).Distinct().Order().Select((frame, i) => (frame, i)).ToDictionary(p => p.frame, p => p.i);
        var tracks = new List<double>();
        foreach (var person in rows.GroupBy(r => r[1]))
        {
            var at = person.ToDictionary(r => frames[r[0]]);
            foreach (int start in at.Keys)
                if (Enumerable.Range(start, length).All(at.ContainsKey))
                    tracks.AddRange(Enumerable.Range(start, length).SelectMany(f => at[f][2..4]));
        }
        return tensor(tracks.ToArray(), float64).view(-1, length, 2);
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        var pose = Normal(2, 5, 3);
        Assert.Throws<ArgumentException>(() => PoseError.Mpjpe(pose, pose.narrow(1, 0, 4)));
        Assert.Throws<ArgumentException>(() => PoseError.Mpjpe(pose[0], pose[0]));
        Assert.Throws<ArgumentException>(() => PoseError.Mpjpe(Normal(2, 5, 4), Normal(2, 5, 4)));
        Assert.Throws<ArgumentException>(() => PoseError.PaMpjpe(pose.narrow(1, 0, 1), pose.narrow(1, 0, 1)));
        Assert.Throws<ArgumentException>(() => PoseError.PaMpjpe(pose / 0, pose));
        Assert.Throws<ArgumentOutOfRangeException>(() => PoseError.Mpjpe(pose, pose, root: 5));
        var (track, hypotheses) = (Normal(2, 6, 2), Normal(2, 3, 6, 2));
        Assert.Throws<ArgumentException>(() => Displacement.Ade(hypotheses, track));
        Assert.Throws<ArgumentException>(() => Displacement.Fde(track, track.narrow(1, 0, 5)));
        Assert.Throws<ArgumentException>(() => Displacement.MinAde(track, track));
        Assert.Throws<ArgumentException>(() => Displacement.MinFde(hypotheses.narrow(2, 0, 5), track));
        Assert.Throws<ArgumentOutOfRangeException>(() => Displacement.Miss(hypotheses, track, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Displacement.Miss(hypotheses, track, double.NaN));
    }

    [Fact]
    public void Leave_no_tensors() => Leak.None(() =>
    {
        using var poses = randn(2, 4, 5, 3);
        using var hypotheses = randn(2, 3, 6, 2);
        using var target = randn(2, 6, 2);
        using var a = PoseError.Mpjpe(poses, poses, root: 0);
        using var b = PoseError.PaMpjpe(poses, poses);
        using var c = Displacement.Ade(target, target);
        using var d = Displacement.Fde(target, target);
        using var e = Displacement.MinAde(hypotheses, target);
        using var f = Displacement.Miss(hypotheses, target, 1);
    });
}
