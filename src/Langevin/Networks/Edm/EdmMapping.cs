using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Edm;

/// <summary>What EDM's two U-Nets read of a condition.</summary>
internal static class EdmMapping
{
    /// <summary>The classes as vectors [N, width]: the condition's slot <c>vector</c> where it is given, else one-hot labels with zeros for −1; null without classes.</summary>
    public static Tensor? Classes(Condition condition, int width, Tensor x, double dropout, string network)
    {
        if (width == 0)
        {
            if (condition.Label is not null) throw new ArgumentException($"{network}: labels were given to a network without classes: set label_dim, or drop the labels.", nameof(condition));
            return null;
        }
        using var scope = NewDisposeScope();
        Tensor classes;
        if (condition["vector"] is not null) classes = Check.Vector(condition, width, x, network);
        else
        {
            var label = Check.Label(condition, x, network);
            Check.Index(label.clamp_min(0), width, "label", network);
            classes = label.unsqueeze(1).eq(arange(width, device: label.device)).to(x.dtype);
        }
        if (dropout > 0) classes = classes * rand([x.shape[0], 1], x.dtype, x.device).ge(dropout).to(x.dtype);
        return classes.MoveToOuterDisposeScope();
    }

    /// <summary>The condition's slot <c>augment</c>, [N, width]; null where it is not given.</summary>
    public static Tensor? Augment(Condition condition, int width, Tensor x, string network)
    {
        if (condition["augment"] is not { } augment) return null;
        if (width == 0 || !augment.shape.SequenceEqual([x.shape[0], width]))
            throw new ArgumentException($"{network}: the condition's augment is [{string.Join(", ", augment.shape)}], expected " + (width == 0 ? "none (augment_dim is 0)." : $"[{x.shape[0]}, {width}]."), nameof(condition));
        return augment.to(x.dtype);
    }
}
