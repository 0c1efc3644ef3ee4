using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// Block-compressed sensing: of every b × b block, in a random order of its pixels, the first coefficients of the orthonormal
/// Walsh–Hadamard transform. y is [N, C, blocks, kept].
/// </summary>
public sealed class CompressedSensing : SpectralOperator
{
    private readonly Constant order, inverse, singular;
    private readonly long height, width, block, kept;

    /// <summary>Compressed sensing of pictures of a size.</summary>
    /// <param name="height">H, a multiple of the block.</param>
    /// <param name="width">W, a multiple of the block.</param>
    /// <param name="ratio">Share of the coefficients that is measured, in (0, 1]; one at least.</param>
    /// <param name="block">Side b of a block, a power of two; the largest that divides both sides when null.</param>
    /// <param name="seed">Decides the order of the pixels.</param>
    public CompressedSensing(long height, long width, double ratio, long? block = null, long seed = 0)
    {
        long b = block ?? Math.Min(height & -height, width & -width);
        if (b < 1 || (b & (b - 1)) != 0 || height % b != 0 || width % b != 0)
            throw new ArgumentException($"Blocks of side {b} do not fit a picture of {height}×{width}: the side must be a power of two that divides both.", nameof(block));
        if (!(ratio is > 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The share of measured coefficients lies in (0, 1].");
        using var scope = NewDisposeScope();
        (this.height, this.width, this.block, kept) = (height, width, b, Math.Max(1, (long)Math.Round(ratio * b * b)));
        using var generator = new Generator(unchecked((ulong)seed));
        var shuffled = rand(b * b, ScalarType.Float64, generator: generator).argsort();
        order = Hold(shuffled);
        inverse = Hold(shuffled.argsort());
        singular = Hold((arange(b * b) < kept).to(ScalarType.Float64));
    }

    /// <inheritdoc/>
    public override Tensor Vt(Tensor x)
    {
        Check(x, height, width);
        using var scope = NewDisposeScope();
        long n = x.shape[0], c = x.shape[1], down = height / block, across = width / block;
        var blocks = x.reshape(n, c, down, block, across, block).permute(0, 1, 2, 4, 3, 5).reshape(n, c, down * across, block * block);
        return Hadamard(blocks.index_select(3, order.For(x))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor V(Tensor c)
    {
        using var scope = NewDisposeScope();
        var blocks = Hadamard(c).index_select(3, inverse.For(c));
        return blocks.view(c.shape[0], c.shape[1], height / block, width / block, block, block).permute(0, 1, 2, 4, 3, 5)
            .reshape(c.shape[0], c.shape[1], height, width).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor U(Tensor c) => c.narrow(3, 0, kept);

    /// <inheritdoc/>
    public override Tensor Ut(Tensor y) => nn.functional.pad(y, [0, block * block - kept]);

    /// <inheritdoc/>
    public override Tensor SingularValues(Tensor like) => singular.For(like);

    // The fast transform of the last dimension by butterflies: orthonormal, its own inverse.
    private static Tensor Hadamard(Tensor x)
    {
        long size = x.shape[^1];
        var result = x;
        for (long half = 1; half < size; half *= 2)
        {
            var pairs = result.reshape(-1, size / (2 * half), 2, half);
            Tensor first = pairs.select(2, 0), second = pairs.select(2, 1);
            result = stack([first + second, first - second], 2);
        }
        return result.reshape(x.shape) / Math.Sqrt(size);
    }
}
