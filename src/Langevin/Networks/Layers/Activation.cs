using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>A pointwise non-linearity that overwrites its argument where no gradient is recorded.</summary>
internal sealed class Activation
{
    private readonly Func<Tensor, Tensor> fresh;
    private readonly Func<Tensor, Tensor> inPlace;

    private Activation(Func<Tensor, Tensor> fresh, Func<Tensor, Tensor>? inPlace = null) =>
        (this.fresh, this.inPlace) = (fresh, inPlace ?? fresh);

    public static Activation SiLU { get; } = new(x => x.silu(), x => x.silu_());

    /// <summary>gelu by its formula with tanh.</summary>
    public static Activation GeluTanh { get; } = new(x => x.gelu(TorchSharp.Modules.GELU.Approximate.tanh));

    /// <summary>The activation that diffusers calls by this name.</summary>
    public static Activation Of(string name) => name.ToLowerInvariant() switch
    {
        "silu" or "swish" => SiLU,
        "relu" => new(x => x.relu(), x => x.relu_()),
        "gelu" => new(x => nn.functional.gelu(x)),
        "mish" => new(x => nn.functional.mish(x)),
        _ => throw new ArgumentException($"act_fn '{name}' is unknown: use silu, swish, mish, gelu or relu.", nameof(name)),
    };

    /// <summary>The activation of a tensor that someone else still reads.</summary>
    public Tensor Of(Tensor x) => fresh(x);

    /// <summary>The activation of a tensor that nobody else reads; <paramref name="x"/> is disposed or overwritten.</summary>
    public Tensor Consume(Tensor x)
    {
        if (!is_grad_enabled()) return inPlace(x) is var y && ReferenceEquals(x, y) ? x : Replace(x, y);
        return Replace(x, fresh(x));
    }

    private static Tensor Replace(Tensor old, Tensor value)
    {
        old.Dispose();
        return value;
    }
}
