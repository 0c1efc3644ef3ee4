using Langevin.Data;
using Langevin.Hub;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>Pictures in and pictures out.</summary>
internal static class Pictures
{
    /// <summary>A file as [1, C, H, W] for the model: a picture, or a tensor of that name in a safetensors file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="channels">1 or 3; what the file has when null.</param>
    /// <param name="side">Scales and cuts to this square; null keeps the picture's size.</param>
    /// <param name="name">The tensor's name.</param>
    public static Tensor Read(string path, long? channels, int? side, string name)
    {
        if (ModelFolder.IsSafetensors(path))
        {
            using var scope = NewDisposeScope();
            var tensors = SafeTensors.Load(path);
            if (!tensors.TryGetValue(name, out var found)) throw new InvalidDataException($"'{path}' holds no tensor '{name}'; it holds {string.Join(", ", tensors.Keys)}.");
            return found.to(ScalarType.Float32).MoveToOuterDisposeScope().DetachFromDisposeScope();
        }
        if (channels is { } c && c is not (1 or 3)) throw new ArgumentException($"'{path}': a picture file has 1 or 3 channels, this model's pictures have {c}; give a .safetensors file with a tensor '{name}'.");
        using var picture = ImageFile.Load(path, side, channels is null ? null : channels == 1);
        return picture.unsqueeze(0);
    }

    /// <summary>A mask from a file, bool [H, W]: true where it is lighter than middle grey.</summary>
    /// <exception cref="ArgumentException">It is not of the model's size.</exception>
    public static Tensor Mask(string path, long height, long width)
    {
        using var scope = NewDisposeScope();
        var mask = Read(path, 1, null, "mask");
        if (mask.dim() < 2 || mask.numel() != height * width || mask.shape[^2] != height)
            throw new ArgumentException($"The mask '{path}' is [{string.Join(", ", mask.shape)}]; this model makes pictures of {height}×{width} pixels, and the mask must be as large.");
        return mask.view(height, width).gt(0).MoveToOuterDisposeScope();
    }

    /// <summary>A picture exactly of a shape, [1, ...].</summary>
    public static Tensor Fitting(Tensor picture, string path, params long[] shape) => picture.shape.SequenceEqual([1, .. shape]) ? picture
        : throw new ArgumentException($"'{path}' is [{string.Join(", ", picture.shape[1..])}]; this task and model need [{string.Join(", ", shape)}].");

    /// <summary>One or three channels of what may be a complex picture (its magnitude), for drawing.</summary>
    public static Tensor Drawable(Tensor picture) => picture.shape[1] != 2 ? picture.alias()
        : WrappedTensorDisposeScope(() => picture.square().sum([1L], keepdim: true).sqrt() * 2 - 1);

    /// <summary>Writes a sheet; small pictures are enlarged.</summary>
    public static void Save(string path, Tensor pictures, int columns)
    {
        using var drawable = Drawable(pictures);
        ImageGrid.Save(path, drawable, columns, zoom: pictures.shape[3] < 64 ? 4 : 1);
    }

    /// <summary>Writes one file a picture, numbered; the paths.</summary>
    /// <param name="pictures">[n, C, H, W].</param>
    /// <param name="name">The path of picture i.</param>
    public static IEnumerable<string> SaveEach(Tensor pictures, Func<int, string> name)
    {
        using var drawable = Drawable(pictures);
        for (int i = 0; i < drawable.shape[0]; i++)
        {
            using var one = drawable.narrow(0, i, 1);
            ImageGrid.Save(name(i), one, 1, 0);
            yield return name(i);
        }
    }
}
