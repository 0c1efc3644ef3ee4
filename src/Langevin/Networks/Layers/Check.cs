using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>Checks of a network's arguments, made in managed code so that they can say what to do.</summary>
internal static class Check
{
    public static void Image(Tensor x, long channels, int multiple, string network)
    {
        var shape = x.shape;
        if (shape.Length != 4 || shape[1] != channels)
            throw new ArgumentException($"{network}: the input is [{string.Join(", ", shape)}], expected [N, {channels}, H, W].", nameof(x));
        if (shape[2] % multiple != 0 || shape[3] % multiple != 0 || shape[2] == 0 || shape[3] == 0)
            throw new ArgumentException($"{network}: {shape[2]}×{shape[3]} pixels cannot be halved as often as the network has levels: height and width must be multiples of {multiple} (pad or resize).", nameof(x));
    }

    public static void Noise(Tensor noise, Tensor x, string network)
    {
        if (noise.dim() != 1 || noise.shape[0] != x.shape[0])
            throw new ArgumentException($"{network}: the noise level is [{string.Join(", ", noise.shape)}], expected one a sample: [{x.shape[0]}].", nameof(noise));
    }

    /// <summary>The labels of a condition, int64 [N].</summary>
    public static Tensor Label(Condition condition, Tensor x, string network)
    {
        var label = condition.Label ?? throw new ArgumentException($"{network}: the network is class-conditional and the condition has no labels: give one a sample, −1 for \"no class\".", nameof(condition));
        if (label.dim() != 1 || label.shape[0] != x.shape[0])
            throw new ArgumentException($"{network}: the labels are [{string.Join(", ", label.shape)}], expected one a sample: [{x.shape[0]}].", nameof(condition));
        return label.to(ScalarType.Int64);
    }

    /// <summary>The rows of a class table that a condition's labels name, int64 [N]: −1, "no class", is the last.</summary>
    public static Tensor ClassRow(Condition condition, Tensor x, long rows, string network)
    {
        var label = Label(condition, x, network);
        return Index(where(label.eq(-1), rows - 1, label), rows, "label", network);
    }

    /// <summary>The condition's slot <c>vector</c>, [N, width].</summary>
    public static Tensor Vector(Condition condition, long width, Tensor x, string network)
    {
        var vector = condition["vector"] ?? throw new ArgumentException($"{network}: the condition has no slot 'vector': give [N, {width}].", nameof(condition));
        if (!vector.shape.SequenceEqual([x.shape[0], width]))
            throw new ArgumentException($"{network}: the condition's vector is [{string.Join(", ", vector.shape)}], expected [{x.shape[0]}, {width}].", nameof(condition));
        return vector.to(x.dtype);
    }

    /// <summary>The index itself if each element lies in 0..rows−1; only looked at on the CPU, where that costs nothing.</summary>
    public static Tensor Index(Tensor index, long rows, string what, string network)
    {
        if (index.device_type != TorchSharp.DeviceType.CPU || index.numel() == 0) return index;
        using var scope = NewDisposeScope();
        long low = index.min().item<long>(), high = index.max().item<long>();
        if (low < 0 || high >= rows)
            throw new ArgumentException($"{network}: {what} {(low < 0 ? low : high)} is out of range: the network knows 0 to {rows - 1}{(what == "label" ? ", and −1 for \"no class\"" : "")}.", what);
        return index;
    }
}
