using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>
/// Series whose scale is their own: increments d_k = φ d_{k−1} + v e_k, φ = 0.6, with a volatility v between 0.02 and 1, even in its logarithm. What comes
/// after the history is known exactly: with L the response to shocks, d = m + v L z, where m_k = φ^k d_0 and z is a half of N(+3 u, I) and of N(−3 u, I),
/// u = (1, …, 1)/√8: the series breaks away up or down. Series i is a pure function of (seed, i).
/// </summary>
public sealed class VolatileSeries : IDisposable
{
    /// <summary>Increments of the history.</summary>
    public const int Past = 16;

    /// <summary>Increments to be forecast.</summary>
    public const int Ahead = 8;

    /// <summary>Numbers that the history is told by: its increments over their root mean square, the logarithm of that, and the last increment.</summary>
    public const int Told = Past + 2;

    /// <summary>φ.</summary>
    public const double Persistence = 0.6;

    /// <summary>How far the break is from the middle, in standard deviations.</summary>
    public const double Break = 3;

    private readonly Tensor mean, volatility, response;

    private VolatileSeries(Tensor history, Tensor future, Tensor volatility)
    {
        using var scope = NewDisposeScope();
        var k = arange(Ahead, ScalarType.Float64);
        var lag = k.unsqueeze(1) - k;
        mean = (history[.., ^1..] * pow(Persistence, k + 1)).DetachFromDisposeScope();
        response = where(lag >= 0, pow(Persistence, lag), 0).DetachFromDisposeScope();
        this.volatility = volatility.unsqueeze(1).DetachFromDisposeScope();
        var rms = history.square().mean([1], keepdim: true).sqrt();
        Context = cat([history / rms, rms.log(), history[.., ^1..]], 1).to(ScalarType.Float32).DetachFromDisposeScope();
        Future = (mean + this.volatility * nn.functional.linear(future, response)).to(ScalarType.Float32).DetachFromDisposeScope();
    }

    /// <summary>What the forecaster is told, float32 [N, <see cref="Told"/>].</summary>
    public Tensor Context { get; }

    /// <summary>What came, float32 [N, <see cref="Ahead"/>].</summary>
    public Tensor Future { get; }

    /// <summary>Makes series first..first + count − 1.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Decides them.</param>
    /// <param name="first">Number of the first; a range of its own gives a held-out set.</param>
    public static VolatileSeries Create(int count, long seed = 0, long first = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        double[] history = new double[count * Past], shocks = new double[count * Ahead], scale = new double[count];
        for (int i = 0; i < count; i++)
        {
            var random = new SeededRandom(seed, stream: 0x564f4c, first + i);
            double v = scale[i] = Math.Exp(random.Uniform(Math.Log(0.02), 0)), d = v * random.Normal() / Math.Sqrt(1 - Persistence * Persistence);
            for (int k = 0; k < Past; k++) history[i * Past + k] = d = Persistence * d + v * random.Normal();
            double way = (random.Next(2) == 0 ? 1 : -1) * Break / Math.Sqrt(Ahead);
            for (int k = 0; k < Ahead; k++) shocks[i * Ahead + k] = way + random.Normal();
        }
        using var scope = NewDisposeScope();
        return new(tensor(history).view(count, Past), tensor(shocks).view(count, Ahead), tensor(scale));
    }

    /// <summary>Series as they were and came, history and future in one: items [1, <see cref="Past"/> + <see cref="Ahead"/>].</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Decides them.</param>
    /// <param name="first">Number of the first.</param>
    public static ArrayDataset Whole(int count = 2000, long seed = 0, long first = 0)
    {
        using var series = Create(count, seed, first);
        using var scope = NewDisposeScope();
        var history = series.Context.narrow(1, 0, Past) * series.Context.narrow(1, Past, 1).exp();
        return new("volatile-series", cat([history, series.Future], 1).unsqueeze(1)) { Kind = "procedural" };
    }

    /// <summary>Forecasts as the shocks z that would have made them, float64: exact ones are all of one distribution, whatever the history.</summary>
    /// <param name="forecast">[N, <see cref="Ahead"/>], one for each series.</param>
    public Tensor Shocks(Tensor forecast)
    {
        using var scope = NewDisposeScope();
        var d = (forecast.to(ScalarType.Float64) - mean) / volatility;
        // L⁻¹ takes φ times the increment before from each.
        return (d - nn.functional.pad(d[.., ..^1], [1, 0]) * Persistence).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var t in (Tensor[])[mean, volatility, response, Context, Future]) t.Dispose();
    }
}
