using Langevin.Data;
using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>A place where pictures are fewer numbers of deviation 1: whatever learns pictures learns their codes in the same way.</summary>
public sealed class LatentSpace
{
    private const int Batch = 128;
    private readonly Func<Tensor, Tensor> encode, decode;

    private LatentSpace(Func<Tensor, Tensor> encode, Func<Tensor, Tensor> decode, double scale) => (this.encode, this.decode, Scale) = (encode, decode, scale);

    /// <summary>What codes are multiplied by: 1/std of those of the training pictures (Rombach et al. 2022, appendix G), or 1.</summary>
    public double Scale { get; }

    /// <summary>The codes of a set as a set, with its labels; the caller's.</summary>
    /// <param name="name">Its name, which a plan's folder goes by.</param>
    /// <param name="set">Pictures.</param>
    /// <param name="encode">[N, C, H, W] to codes.</param>
    /// <param name="decode">Codes to [N, C, H, W].</param>
    /// <param name="scaled">Whether codes are brought to deviation 1.</param>
    /// <param name="codes">The set of codes.</param>
    public static LatentSpace Of(string name, IDataset set, Func<Tensor, Tensor> encode, Func<Tensor, Tensor> decode, bool scaled, out ArrayDataset codes)
    {
        ArgumentNullException.ThrowIfNull(set);
        using var scope = NewDisposeScope();
        var (pictures, labels) = PictureSet.First(set, set.Count);
        var z = InBatches(pictures, encode);
        var space = new LatentSpace(encode, decode, scaled ? 1 / z.std().item<float>() : 1);
        codes = new(name, (z * space.Scale).contiguous(), labels, set.ClassNames);
        return space;
    }

    /// <summary>Codes of pictures, [N, ...].</summary>
    public Tensor Encode(Tensor pictures) => WrappedTensorDisposeScope(() => InBatches(pictures, encode) * Scale);

    /// <summary>Pictures of codes, in [−1, 1].</summary>
    public Tensor Decode(Tensor codes) => WrappedTensorDisposeScope(() => InBatches(codes / Scale, decode).clamp(-1, 1));

    private static Tensor InBatches(Tensor x, Func<Tensor, Tensor> map)
    {
        using var still = no_grad();
        using var scope = NewDisposeScope();
        return cat([.. x.split(Batch).Select(map)]).MoveToOuterDisposeScope();
    }
}
