using Langevin.Data.Procedural;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Tests.Systems;

public class SeriesTests
{
    [Fact]
    public void Least_squares_find_the_autoregression_that_made_a_series()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        // x_t = 1 + 0.5 x_{t−1} − 0.3 x_{t−2} + 0.2 y_{t−1} + z, y_t = 0.4 y_{t−1} + 0.5 z′.
        var series = new List<Tensor> { zeros(200, 2, ScalarType.Float64), zeros(200, 2, ScalarType.Float64) };
        for (int t = 2; t < 140; t++)
        {
            var z = randn([200, 2], ScalarType.Float64, generator: generator);
            var (a, b) = (series[t - 1], series[t - 2]);
            series.Add(stack([1 + 0.5 * a.select(1, 0) - 0.3 * b.select(1, 0) + 0.2 * a.select(1, 1) + z.select(1, 0), 0.4 * a.select(1, 1) + 0.5 * z.select(1, 1)], 1));
        }
        using var model = LinearAutoregression.Fit(stack(series.Skip(40), 1), 2);
        double[] truth = [0.5, 0, 0.2, 0.4, -0.3, 0, 0, 0, 1, 0];
        // Five standard errors over 19,600 rows; those of y's weights in x are the largest, 1/(0.546 √19,600).
        foreach (var (expected, found) in truth.Zip(model.Weights.flatten().data<double>().ToArray())) Assert.Equal(expected, found, 0.07);

        // The forecast without noise, by hand from the weights found.
        var w = model.Weights;
        var beginning = tensor([0.1, 0.2, 0.3, -0.4, 0.5, 0.6]).view(1, 3, 2);
        var by = cat([beginning[0, 2], beginning[0, 1], ones(1, ScalarType.Float64)]).unsqueeze(0).mm(w);
        var then = cat([by[0], beginning[0, 2], ones(1, ScalarType.Float64)]).unsqueeze(0).mm(w);
        var forecast = model.Continue(beginning, 2);
        Assert.True((forecast[0] - cat([by, then])).abs().max().item<double>() < 1e-12);
        // With noise, one step has the covariance of the residuals: 1 and 0.25.
        var drawn = model.Continue(beginning.expand(20_000, 3, 2), 1, seed: 3).squeeze(1);
        Assert.Equal(1, drawn.select(1, 0).std().item<double>(), 0.03);
        Assert.Equal(0.5, drawn.select(1, 1).std().item<double>(), 0.015);
    }

    [Fact]
    public void The_plainest_forecasts_repeat()
    {
        using var scope = NewDisposeScope();
        var series = arange(12, ScalarType.Float32).view(1, 12, 1);
        using var last = LinearAutoregression.Repeat(series);
        using var season = LinearAutoregression.Repeat(series, 3);
        Assert.Equal([11f, 11, 11, 11], last.Continue(series, 4).data<float>().ToArray());
        Assert.Equal([9f, 10, 11, 9], season.Continue(series, 4).data<float>().ToArray());
    }

    [Fact]
    public void Seasonal_series_are_what_their_equations_say()
    {
        using var scope = NewDisposeScope();
        using var set = SeasonalSeries.Create(2000, seed: 1);
        using var later = SeasonalSeries.Create(10, seed: 1, first: 500);
        Assert.True(set.Items.narrow(0, 500, 10).eq(later.Items).all().item<bool>());
        Assert.Equal([2L, 96], set.ItemShape);
        var (x, y) = (set.Items.select(1, 0), set.Items.select(1, 1));
        // y_t − 0.6 x_{t−1} = 0.4 cos 2θ_t + 0.1 z′: variance 0.08 + 0.01, and after half a season the cosine is the same again.
        var rest = y.narrow(1, 1, 95) - 0.6 * x.narrow(1, 0, 95);
        Assert.Equal(0.09, rest.square().mean().item<float>(), 0.001);
        Assert.Equal(0.02, (rest.narrow(1, 12, 83) - rest.narrow(1, 0, 83)).square().mean().item<float>(), 0.0005);
    }
}
