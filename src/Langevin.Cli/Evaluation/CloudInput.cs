using Langevin.Cli.Runs;
using static TorchSharp.torch;

namespace Langevin.Cli.Evaluation;

/// <summary>Two sets of clouds [N, P, 3] and [M, P, 3], and their distances once they are asked for.</summary>
internal sealed class CloudInput(Tensor real, Tensor fake, FolderRequest request, Terminal terminal, CancellationToken cancellation)
{
    private CloudDistances? chamfer, earthMover;

    public Tensor Real => real;
    public Tensor Fake => fake;
    public FolderRequest Request => request;
    public CancellationToken Cancellation => cancellation;

    /// <summary>What the reader should know, added to by the measures.</summary>
    public List<string> Warnings { get; } = [];

    public CloudDistances Chamfer => chamfer ??= Distances(Langevin.Metrics.PointClouds.Chamfer.Squared, "Chamfer distances");
    public CloudDistances EarthMover => earthMover ??= Distances((a, b) => Langevin.Metrics.PointClouds.EarthMover.Between(a, b).cost, "earth mover's distances");

    private CloudDistances Distances(Func<Tensor, Tensor, Tensor> between, string what)
    {
        using var progress = new ProgressLine(terminal, what);
        long n = fake.size(0), m = real.size(0), done = 0, all = n + n + m;
        Tensor Rows(Tensor rows, Tensor columns) => stack(Enumerable.Range(0, (int)rows.size(0)).Select(i =>
        {
            cancellation.ThrowIfCancellationRequested();
            using var one = NewDisposeScope();
            var row = between(rows[i].unsqueeze(0).expand(columns.size(0), -1, -1), columns).MoveToOuterDisposeScope();
            progress.Report(++done / (double)all);
            return row;
        }).ToList());
        return new(Rows(fake, fake), Rows(fake, real), Rows(real, real));
    }
}

/// <summary>Distances within the generated set, from it to the real one, and within that.</summary>
internal sealed record CloudDistances(Tensor Within, Tensor Between, Tensor Other);
