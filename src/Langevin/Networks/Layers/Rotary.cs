using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>
/// Positions as turns of queries and keys: the pair (i, i + d/2) of position p is turned by p · 10000^(−2i/d), so that a query and a key
/// meet by their distance alone (Su et al. 2021, equation 34).
/// </summary>
internal sealed class Rotary
{
    private readonly Tensor cos, sin; // [L, d]

    public Rotary(long length, long width, Device device, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var rates = (arange(width / 2, ScalarType.Float64) * (-2.0 / width * Math.Log(10000))).exp();
        var angles = arange(length, ScalarType.Float64).unsqueeze(-1) * cat([rates, rates]);
        (cos, sin) = (angles.cos().to(dtype, device).MoveToOuterDisposeScope(), angles.sin().to(dtype, device).MoveToOuterDisposeScope());
    }

    /// <summary>Turns [..., L, d].</summary>
    public Tensor Turn(Tensor x)
    {
        using var scope = NewDisposeScope();
        var halves = x.chunk(2, -1);
        return (x * cos + cat([-halves[1], halves[0]], -1) * sin).MoveToOuterDisposeScope();
    }
}
