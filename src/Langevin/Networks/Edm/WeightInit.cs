using static TorchSharp.torch;

namespace Langevin.Networks.Edm;

/// <summary>How EDM draws a layer's weights: a distribution by fan-in and fan-out, and factors for weight and bias.</summary>
/// <param name="Uniform">Uniform rather than normal.</param>
/// <param name="Xavier">Variance 2/(fan-in + fan-out) rather than 1/fan-in.</param>
/// <param name="Weight">Multiplies the weights.</param>
/// <param name="Bias">Multiplies the biases.</param>
internal readonly record struct WeightInit(bool Uniform, bool Xavier, double Weight = 1, double Bias = 0)
{
    public Tensor Draw(long[] shape, long fanIn, long fanOut, double factor)
    {
        double deviation = factor * Math.Sqrt(Xavier ? 2.0 / (fanIn + fanOut) : 1.0 / fanIn), bound = Math.Sqrt(3) * deviation;
        var values = empty(shape);
        return Uniform ? values.uniform_(-bound, bound) : values.normal_(0, deviation);
    }
}
