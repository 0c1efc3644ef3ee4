using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Transformers;

/// <summary>Patches of a picture as tokens [N, rows · columns, width], with sines and cosines of their place: half of the features tell the column, half the row.</summary>
internal sealed class PatchEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d proj;
    private readonly long width, side;
    private readonly double unit;
    private readonly Tensor[] positions; // in an array, where it is no part of the state dict

    public PatchEmbedding(DiffusionTransformerConfig config) : base(nameof(PatchEmbedding))
    {
        (width, side) = (config.Width, config.SampleSize / config.PatchSize);
        unit = config.InterpolationScale ?? Math.Max(config.SampleSize / 64, 1);
        proj = new(config.InChannels, width, config.PatchSize, stride: config.PatchSize);
        RegisterComponents();
        positions = [Places(side, side).DetachFromDisposeScope()];
    }

    /// <summary>Features of the places of the size that the network is made for, [side², width].</summary>
    public Tensor Positions => positions[0];

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var patches = proj.call(x);
        var (rows, columns) = (patches.size(2), patches.size(3));
        var places = rows == side && columns == side ? Positions : Places(rows, columns);
        return (patches.flatten(2).transpose(1, 2) + places.to(patches.dtype, patches.device)).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) Positions.Dispose();
        base.Dispose(disposing);
    }

    private Tensor Places(long rows, long columns)
    {
        using var scope = NewDisposeScope();
        var (row, column) = (Features(rows), Features(columns));
        var places = cat([column.unsqueeze(0).expand(rows, -1, -1), row.unsqueeze(1).expand(-1, columns, -1)], -1);
        return places.flatten(0, 1).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    private Tensor Features(long count) => NoiseFeatures.Sinusoidal(arange(count, ScalarType.Float64) / unit, width / 2, cosineFirst: false);
}
