using Langevin.Discrete;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Discrete;

public sealed class CategoricalProcessTests
{
    private const double Exact = 1e-12;

    [Fact]
    public void The_uniform_chain_keeps_alphas_cumprod_of_the_data()
    {
        using var scope = NewDisposeScope();
        double[] betas = [0.1, 0.3, 0.05, 0.5];
        using var process = CategoricalProcess.Uniform(betas, 5);
        double kept = 1;
        for (int n = 0; n < betas.Length; n++)
        {
            kept *= 1 - betas[n];
            Assert.Equal(kept, process.AlphaCumprod(n), Exact);
            Near(kept * eye(5, 5, float64) + (1 - kept) / 5, process.Transition(-1, n), Exact);
        }
    }

    [Fact]
    public void The_absorbing_chain_masks_as_much_in_every_step_under_reciprocal_betas()
    {
        using var scope = NewDisposeScope();
        using var process = CategoricalProcess.Absorbing(CategoricalProcess.Reciprocal(10), 4);
        for (int n = 0; n < 10; n++)
        {
            var q = process.Transition(-1, n);
            Assert.Equal((n + 1) / 10.0, q[0, 3].item<double>(), Exact);
            Assert.Equal(1 - (n + 1) / 10.0, q[0, 0].item<double>(), Exact);
            Assert.Equal(1, q[3, 3].item<double>(), Exact);
        }
        Near(tensor([0.0, 0, 0, 1]), process.Prior(), Exact);
    }

    [Fact]
    public void The_discretised_gaussian_is_symmetric_and_falls_with_the_square_of_the_distance()
    {
        using var scope = NewDisposeScope();
        using var process = CategoricalProcess.DiscretisedGaussian([0.02, 0.1], 8);
        var q = process.Transition(-1, 0);
        Near(q.transpose(0, 1), q, Exact);
        Near(ones(8, float64), q.sum([1L]), Exact);
        // ln q_i,i+1 − ln q_i,i+2 = 4 (2² − 1²)/((K − 1)² β).
        Assert.Equal(4 * 3 / (49 * 0.02), Math.Log(q[2, 3].item<double>() / q[2, 4].item<double>()), 1e-9);
        // Symmetric steps keep equal shares.
        Near(full([8], 1.0 / 8, float64), full([8], 1.0 / 8, float64).unsqueeze(0).mm(process.Transition(-1, 1)).squeeze(0), Exact);
    }

    [Theory]
    [InlineData("any")]
    [InlineData("uniform")]
    [InlineData("absorbing")]
    public void The_posterior_is_bayes_rule(string kind)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        const int states = 4, steps = 5;
        using var process = kind switch
        {
            "any" => CategoricalProcess.FromTransitions(rand([steps, states, states], float64).softmax(-1)),
            "uniform" => CategoricalProcess.Uniform([0.1, 0.2, 0.3, 0.4, 0.5], states),
            _ => CategoricalProcess.Absorbing([0.1, 0.2, 0.3, 0.4, 0.5], states),
        };
        var belief = rand([1, 1, states], float64).softmax(-1);
        for (int t = 0; t < steps; t++)
            for (int s = -1; s < t; s++)
                for (int x = 0; x < states; x++)
                {
                    double[] expected = new double[states];
                    double total = 0;
                    for (int x0 = 0; x0 < states; x0++)
                    {
                        double reach = 0;
                        for (int y = 0; y < states; y++) reach += At(process, -1, s, x0, y) * At(process, s, t, y, x);
                        if (reach == 0) continue;
                        total += belief[0, 0, x0].item<double>();
                        for (int y = 0; y < states; y++) expected[y] += belief[0, 0, x0].item<double>() * At(process, -1, s, x0, y) * At(process, s, t, y, x) / reach;
                    }
                    if (total == 0) continue;
                    var observed = full([1, 1], x, int64);
                    var wanted = tensor(expected) / total;
                    Near(wanted, process.Posterior(observed, belief, s, t).flatten(), 1e-9);
                    if (s == t - 1) Near(wanted, process.Posterior(observed, belief, tensor(new long[] { t })).flatten(), 1e-9);
                }
    }

    private static double At(CategoricalProcess process, int s, int t, int i, int j)
    {
        using var scope = NewDisposeScope();
        return process.Transition(s, t)[i, j].item<double>();
    }

    [Fact]
    public void With_two_states_it_is_the_bernoulli_posterior_of_berdiff()
    {
        using var scope = NewDisposeScope();
        double[] betas = [0.05, 0.1, 0.2, 0.3];
        using var process = CategoricalProcess.Uniform(betas, 2);
        const int t = 2;
        double alpha = 1 - betas[t], before = process.AlphaCumprod(t - 1);
        foreach (int y in new[] { 0, 1 })
            foreach (int y0 in new[] { 0, 1 })
            {
                // Chen et al. 2023, equation 5.
                double one = (alpha * y + (1 - alpha) / 2) * (before * y0 + (1 - before) / 2), zero = (alpha * (1 - y) + (1 - alpha) / 2) * (before * (1 - y0) + (1 - before) / 2);
                var actual = process.Posterior(full([1, 1], y, int64), process.OneHot(full([1, 1], y0, int64)).to(float64), t - 1, t);
                Assert.Equal(one / (one + zero), actual[0, 0, 1].item<double>(), 1e-12);
            }
    }

    [Fact]
    public void Draws_have_the_frequencies_of_their_distribution_and_never_meet_what_has_none()
    {
        using var scope = NewDisposeScope();
        var p = tensor([0, 0.2, 0.5, 0, 0.3, 0]);
        const int count = 40_000;
        var drawn = CategoricalProcess.Draw(p.expand(1, count, 6), new SeededNoise(5));
        var share = drawn.flatten().bincount(null, 6).to(float64) / count;
        Assert.Equal(0, share[0].item<double>() + share[3].item<double>() + share[5].item<double>());
        Near(p, share, 4 * Math.Sqrt(0.25 / count)); // four standard deviations
    }

    [Fact]
    public void Corrupted_data_have_the_marginal_of_their_step()
    {
        using var scope = NewDisposeScope();
        using var process = CategoricalProcess.Uniform([0.2, 0.2, 0.2], 3);
        const int count = 30_000;
        var x = process.Corrupt(zeros([1, count], int64), tensor(new long[] { 2 }), new SeededNoise(1));
        double kept = 0.8 * 0.8 * 0.8;
        Assert.Equal(kept + (1 - kept) / 3, x.eq(0).to(float64).mean().item<double>(), 4 * Math.Sqrt(0.25 / count));
    }

    [Fact]
    public void What_is_no_chain_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("sum 1", Assert.Throws<ArgumentException>(() => CategoricalProcess.FromTransitions(ones(2, 3, 3))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => CategoricalProcess.Uniform([1.5], 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => CategoricalProcess.Uniform([0.5], 1));
        using var gaussian = CategoricalProcess.DiscretisedGaussian([0.1], 4);
        Assert.Throws<InvalidOperationException>(() => gaussian.AlphaCumprod(0));
    }

    private static void Near(Tensor expected, Tensor actual, double tolerance) => Assert.True((expected - actual).abs().max().item<double>() <= tolerance, $"expected {expected.ToString(TorchSharp.TensorStringStyle.Julia)}, got {actual.ToString(TorchSharp.TensorStringStyle.Julia)}");
}
