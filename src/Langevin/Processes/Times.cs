using static TorchSharp.torch;

namespace Langevin.Processes;

/// <summary>
/// The time of a batch: one for all its samples (sampling) or one for each (training). Times and everything derived from
/// them stay in double on the host, so that a schedule is exact and a step loop never waits for the device.
/// </summary>
public readonly struct Times
{
    private readonly double uniform;
    private readonly double[]? each;

    private Times(double uniform, double[]? each) => (this.uniform, this.each) = (uniform, each);

    /// <summary>One time for the whole batch.</summary>
    public static implicit operator Times(double time) => new(time, null);

    /// <summary>One time for each sample, in the order of the batch.</summary>
    public static Times Each(double[] times) => new(double.NaN, times);

    /// <summary>Whether the whole batch shares one time.</summary>
    public bool IsUniform => each is null;

    /// <summary>The shared time.</summary>
    /// <exception cref="InvalidOperationException">The samples have times of their own.</exception>
    public double Value => each is null ? uniform : throw new InvalidOperationException("The samples of this batch have times of their own.");

    /// <summary>The time of sample <paramref name="index"/>.</summary>
    public double this[int index] => each is null ? uniform : each[index];

    /// <summary>Number of samples with a time of their own, or null when the whole batch shares one.</summary>
    public int? Count => each?.Length;

    /// <summary>Whether every time satisfies a condition.</summary>
    public bool All(Predicate<double> condition) => each is null ? condition(uniform) : Array.TrueForAll(each, condition);

    /// <summary>Other times, by a function of each.</summary>
    public Times Select(Func<double, double> map) => each is null ? map(uniform) : Each(Array.ConvertAll(each, t => map(t)));

    /// <summary>A function of these times and others, sample by sample: the coefficients of a step from t to s, say.</summary>
    /// <exception cref="ArgumentException">Both have a time for each sample, for batches of different sizes.</exception>
    public Times Zip(Times other, Func<double, double, double> map)
    {
        if (each is null && other.each is null) return map(uniform, other.uniform);
        if (each is not null && other.each is not null && each.Length != other.each.Length)
            throw new ArgumentException($"Times of {each.Length} samples cannot be joined with times of {other.each.Length}.", nameof(other));
        var result = new double[(each ?? other.each)!.Length];
        for (int i = 0; i < result.Length; i++) result[i] = map(this[i], other[i]);
        return Each(result);
    }

    /// <summary>The values themselves, shaped to multiply <paramref name="like"/>; see <see cref="Map"/>.</summary>
    public Tensor As(Tensor like) => Map(t => t, like);

    /// <summary>
    /// A function of time, shaped to multiply <paramref name="like"/> [N, ...]: a 0-d double tensor when the time is shared
    /// (it never promotes the other operand nor leaves the host), else [N, 1, ...] of like's type and device.
    /// </summary>
    public Tensor Map(Func<double, double> map, Tensor like)
    {
        if (each is null) return tensor(map(uniform), ScalarType.Float64);
        long[] shape = new long[like.dim()];
        Array.Fill(shape, 1);
        shape[0] = each.Length;
        return Vector(map).view(shape).to(like.dtype).to(like.device);
    }

    /// <summary>A function of time as a double vector on the host: [N], or [1] when the time is shared.</summary>
    public Tensor Vector(Func<double, double> map) => tensor(each is null ? [map(uniform)] : Array.ConvertAll(each, t => map(t)), ScalarType.Float64);

    /// <summary>The times repeated for a batch of several times the size (as a classifier-free pair needs).</summary>
    public Times Repeated(int count)
    {
        if (each is null) return this;
        var own = each;
        return Each([.. Enumerable.Range(0, count).SelectMany(_ => own)]);
    }
}
