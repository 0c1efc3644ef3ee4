using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

public class LstmTests
{
    [Fact]
    public void Probabilities_of_all_texts_of_a_length_sum_to_one()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        using var network = new CategoricalLstm(3, hidden: 8, layers: 2);
        var all = cartesian_prod([arange(3, ScalarType.Int64), arange(3, ScalarType.Int64), arange(3, ScalarType.Int64), arange(3, ScalarType.Int64)]);
        Assert.Equal([81L, 4], all.shape);
        Assert.Equal(1, network.LogProbability(all).sum(1).exp().sum().item<float>(), 1e-5);
    }

    [Fact]
    public void Density_of_a_series_integrates_to_one()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(2);
        using var network = new GaussianLstm(1, hidden: 8);
        // The rectangle rule is exact to rounding for smooth functions that vanish at the ends.
        var axis = linspace(-12, 12, 241);
        var grid = cartesian_prod([axis, axis]).unsqueeze(2);
        Assert.Equal(1, network.LogProbability(grid).sum(1).exp().sum().item<float>() * 0.1 * 0.1, 1e-4);
    }

    [Fact]
    public void A_place_is_told_nothing_of_itself_and_what_follows()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(3);
        using var series = new GaussianLstm(2, hidden: 8);
        var x = randn(2, 6, 2);
        var changed = x.clone();
        changed[TensorIndex.Colon, TensorIndex.Slice(3)] = 5;
        Assert.True(series.call(x).narrow(1, 0, 4).equal(series.call(changed).narrow(1, 0, 4)).all().item<bool>());
        Assert.False(series.call(x).select(1, 4).eq(series.call(changed).select(1, 4)).any().item<bool>());
        using var text = new CategoricalLstm(5, hidden: 8);
        var symbols = randint(5, [2, 6], ScalarType.Int64);
        var other = symbols.clone();
        other[TensorIndex.Colon, TensorIndex.Slice(3)] = 0;
        Assert.True(text.call(symbols).narrow(1, 0, 4).equal(text.call(other).narrow(1, 0, 4)).all().item<bool>());
    }

    [Fact]
    public void Draws_follow_the_density_that_is_stated()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(4);
        using var generator = new Generator(5);
        using var text = new CategoricalLstm(3, hidden: 8);
        var beginning = tensor(new long[] { 2, 0 }).expand(20_000, 2);
        var drawn = text.Continue(beginning, 2, generator: generator);
        var rows = cat([beginning.narrow(0, 0, 9), cartesian_prod([arange(3, ScalarType.Int64), arange(3, ScalarType.Int64)])], 1);
        var p = text.LogProbability(rows).narrow(1, 2, 2).sum(1).exp().data<float>().ToArray();
        var counts = (drawn.select(1, 0) * 3 + drawn.select(1, 1)).bincount(null!, 9).data<long>().ToArray();
        // Five standard errors of a share of 20,000.
        for (int i = 0; i < 9; i++) Assert.Equal(p[i], counts[i] / 20_000.0, 5 * Math.Sqrt(p[i] * (1 - p[i]) / 20_000));

        using var series = new GaussianLstm(1, hidden: 8);
        var given = randn(1, 3, 1);
        var next = series.Continue(given.expand(20_000, 3, 1), 1, generator).flatten();
        var answer = series.call(cat([given, zeros(1, 1, 1)], 1)).select(1, 3).flatten();
        float mean = answer[0].item<float>(), deviation = answer[1].exp().item<float>();
        Assert.Equal(mean, next.mean().item<float>(), 5 * deviation / Math.Sqrt(20_000));
        Assert.Equal(deviation, next.std().item<float>(), 5 * deviation / Math.Sqrt(40_000));
    }

    [Fact]
    public void Each_drawn_value_is_read_before_the_next()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(6);
        using var series = new GaussianLstm(2, hidden: 8, constantDeviation: true);
        using (no_grad()) series.state_dict()["log_deviation"].fill_(-20);
        var given = randn(3, 4, 2);
        var drawn = series.Continue(given, 5);
        // Without noise to speak of (σ is held at e⁻⁷) the draws are the means, given the draws before.
        var means = series.call(cat([given, drawn], 1)).narrow(1, 4, 5).narrow(2, 0, 2);
        Assert.True((means - drawn).abs().max().item<float>() < 6 * Math.Exp(-7));
        Assert.Equal([3L, 5, 2], series.Continue(given.narrow(1, 0, 0), 5).shape);
    }

    [Fact]
    public void Nothing_leaks()
    {
        using var network = new GaussianLstm(1, hidden: 4);
        using var given = randn(2, 3, 1);
        network.Continue(given, 3).Dispose();
        network.LogProbability(given).Dispose();
        long before = Tensor.TotalCount;
        network.Continue(given, 3).Dispose();
        network.LogProbability(given).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }
}
