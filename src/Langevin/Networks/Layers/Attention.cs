using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>Fused attention.</summary>
internal static class Attention
{
    /// <summary>softmax(q kᵀ/√d + bias) v for [N, heads, length, d].</summary>
    /// <remarks>On a CPU bfloat16 is computed, and returned, in float32: its fused kernel is slower there.</remarks>
    public static Tensor Of(Tensor q, Tensor k, Tensor v, Tensor? bias = null)
    {
        if (q.dtype != ScalarType.BFloat16 || q.device_type != TorchSharp.DeviceType.CPU)
            return nn.functional.scaled_dot_product_attention(q, k, v, bias);
        using var qf = q.to(ScalarType.Float32);
        using var kf = k.to(ScalarType.Float32);
        using var vf = v.to(ScalarType.Float32);
        return nn.functional.scaled_dot_product_attention(qf, kf, vf, bias?.to(ScalarType.Float32));
    }
}
