using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Discrete;

/// <summary>
/// A noising chain over K states for every element of a sample: q(x_n | x_(n−1)) = Cat(row x_(n−1) of Q_n), n = 0 .. T−1, with clean data
/// at n = −1 (Austin et al. 2021, equations 1 to 3). With two states it is the binomial chain of Sohl-Dickstein et al. 2015.
/// </summary>
/// <remarks>States are int64 of any shape [N, ...]; distributions have the states last, [N, ..., K]. All tables are double.</remarks>
public sealed class CategoricalProcess : IDisposable
{
    private readonly Tensor steps, cumulative; // [T, K, K]: Q_n; [T + 1, K, K]: Q̄ of n = −1 .. T−1
    private readonly double[]? alphasCumprod;  // of n = −1 .. T−1

    private CategoricalProcess(Tensor steps, double[]? alphasCumprod = null)
    {
        this.alphasCumprod = alphasCumprod;
        this.steps = steps.DetachFromDisposeScope();
        using var scope = NewDisposeScope();
        var products = new List<Tensor> { eye(steps.size(1), steps.size(1), ScalarType.Float64) };
        foreach (var q in steps.unbind(0)) products.Add(products[^1].mm(q));
        cumulative = stack(products).DetachFromDisposeScope();
    }

    /// <summary>A chain of any transition matrices.</summary>
    /// <param name="transitions">float64 [T, K, K]: row i of matrix n is q(x_n | x_(n−1) = i).</param>
    /// <exception cref="ArgumentException">The shape does not fit, or a row is no distribution.</exception>
    public static CategoricalProcess FromTransitions(Tensor transitions)
    {
        ArgumentNullException.ThrowIfNull(transitions);
        using var scope = NewDisposeScope();
        if (transitions.dim() != 3 || transitions.size(0) < 1 || transitions.size(1) != transitions.size(2) || transitions.size(1) < 2)
            throw new ArgumentException($"Transitions are [{string.Join(", ", transitions.shape)}]: expected [T, K, K] with at least two states.", nameof(transitions));
        var q = transitions.to(ScalarType.Float64).cpu();
        if (q.min().item<double>() < 0 || (q.sum([-1L]) - 1).abs().max().item<double>() > 1e-6)
            throw new ArgumentException("Every row of a transition matrix must be a distribution: no negative number, sum 1.", nameof(transitions));
        return new(q.clone().DetachFromDisposeScope());
    }

    /// <summary>With probability β_n an element is drawn anew from all states alike: Q_n = (1 − β_n) I + β_n 1 1ᵀ/K (Hoogeboom et al. 2021).</summary>
    public static CategoricalProcess Uniform(IReadOnlyList<double> betas, int states)
    {
        using var limit = full([states], 1.0 / states, ScalarType.Float64);
        return Forgetting(betas, limit);
    }

    /// <summary>With probability β_n an element becomes the mask and stays so (Austin et al. 2021, appendix A.2.2). The mask is the last state.</summary>
    /// <param name="betas">β of each step; <see cref="Reciprocal"/> masks the same share of the data in every step.</param>
    /// <param name="states">Number of states, the mask included.</param>
    public static CategoricalProcess Absorbing(IReadOnlyList<double> betas, int states)
    {
        using var limit = zeros(states, ScalarType.Float64);
        limit[states - 1] = 1;
        return Forgetting(betas, limit);
    }

    /// <summary>
    /// Ordered states that move to near ones: off the diagonal q_ij ∝ exp(−4 (i − j)²/((K − 1)² β)), over the sum of that from −(K − 1) to
    /// K − 1, and on it what is left (Austin et al. 2021, appendix A.2.3).
    /// </summary>
    public static CategoricalProcess DiscretisedGaussian(IReadOnlyList<double> betas, int states)
    {
        Check(betas, states);
        using var scope = NewDisposeScope();
        var beta = tensor(betas.ToArray(), ScalarType.Float64).view(-1, 1, 1);
        double span = states - 1;
        Tensor Weight(Tensor distance) => (-4 * distance.square() / (span * span) / beta.clamp_min(1e-12)).exp();
        var index = arange(states, ScalarType.Float64);
        var off = Weight(index.view(1, -1, 1) - index.view(1, 1, -1)) / Weight(arange(-span, states, ScalarType.Float64).view(1, 1, -1)).sum([-1L], keepdim: true);
        var identity = eye(states, states, ScalarType.Float64);
        off = off * (1 - identity);
        return new((off + identity * (1 - off.sum([-1L], keepdim: true))).DetachFromDisposeScope());
    }

    // q_n = (1 − β_n) I + β_n 1 limitᵀ: what is not kept is drawn from the limit.
    private static CategoricalProcess Forgetting(IReadOnlyList<double> betas, Tensor limit)
    {
        Check(betas, (int)limit.size(0));
        using var scope = NewDisposeScope();
        var beta = tensor(betas.ToArray(), ScalarType.Float64).view(-1, 1, 1);
        var product = new double[betas.Count + 1];
        product[0] = 1;
        for (int i = 0; i < betas.Count; i++) product[i + 1] = product[i] * (1 - betas[i]);
        long k = limit.size(0);
        return new(((1 - beta) * eye(k, k, ScalarType.Float64) + beta * limit.view(1, 1, -1)).DetachFromDisposeScope(), product);
    }

    private static void Check(IReadOnlyList<double> betas, int states)
    {
        ArgumentNullException.ThrowIfNull(betas);
        if (states < 2) throw new ArgumentOutOfRangeException(nameof(states), states, "There must be at least two states.");
        if (betas.Count == 0 || !betas.All(b => b is >= 0 and <= 1)) throw new ArgumentException("β must be given for at least one step and lie in [0, 1].", nameof(betas));
    }

    /// <summary>β_n = 1/(T − n), after which nothing of the data is left, each step destroying the same share of it (Sohl-Dickstein et al. 2015, appendix B.1).</summary>
    public static double[] Reciprocal(int steps) => [.. Enumerable.Range(0, steps).Select(n => 1.0 / (steps - n))];

    /// <summary>Number of steps T.</summary>
    public int Steps => (int)steps.size(0);

    /// <summary>Number of states K.</summary>
    public int States => (int)steps.size(1);

    /// <summary>Whether q(x_n | x_0) is ᾱ_n x_0 and otherwise a fixed distribution, as under <see cref="Uniform"/> and <see cref="Absorbing"/>.</summary>
    public bool Forgets => alphasCumprod is not null;

    /// <summary>ᾱ_n, the share of the data that is kept; n = −1 is 1.</summary>
    /// <exception cref="InvalidOperationException">The chain does not forget so.</exception>
    public double AlphaCumprod(int n) => alphasCumprod is null ? throw new InvalidOperationException("This chain has no ᾱ: only the uniform and the absorbing one have.") : alphasCumprod[n + 1];

    /// <summary>Q from step s to step t, float64 [K, K]: row i is q(x_t | x_s = i).</summary>
    public Tensor Transition(int s, int t)
    {
        if (s < -1 || t >= Steps || s > t) throw new ArgumentOutOfRangeException(nameof(t), t, $"Steps go up within −1..{Steps - 1}; from {s} they cannot.");
        if (s == -1) return cumulative[t + 1];
        using var scope = NewDisposeScope();
        var product = eye(States, States, ScalarType.Float64);
        for (int n = s + 1; n <= t; n++) product = product.mm(steps[n]);
        return product.MoveToOuterDisposeScope();
    }

    /// <summary>q(x_n | x_0), [N, ..., K], for data or a distribution of it.</summary>
    /// <param name="x0">Probabilities of the states, [N, ..., K].</param>
    /// <param name="n">int64 [N], −1 for clean.</param>
    public Tensor Marginal(Tensor x0, Tensor n)
    {
        using var scope = NewDisposeScope();
        return Rows(x0, Of(cumulative, n + 1, x0)).MoveToOuterDisposeScope();
    }

    /// <summary>The distribution at the end, float64 [K], where nothing of the data is left: that of an element which began in the first state.</summary>
    public Tensor Prior() => cumulative[-1][0].clone();

    /// <summary>
    /// Σ_x̂ q(x_(n−1) | x_n, x_0 = x̂) p(x̂), [N, ..., K]: the reverse step of a belief about the data (Austin et al. 2021, equation 4), exact
    /// where p is p(x_0 | x_n). Beliefs in data from which x_n cannot come are left out.
    /// </summary>
    /// <param name="x">x_n, int64 [N, ...].</param>
    /// <param name="x0">p(x_0), [N, ..., K].</param>
    /// <param name="n">int64 [N], at least 0.</param>
    public Tensor Posterior(Tensor x, Tensor x0, Tensor n)
    {
        using var scope = NewDisposeScope();
        return Posterior(x, x0, Of(cumulative, n + 1, x0), Of(cumulative, n, x0), Of(steps, n, x0)).MoveToOuterDisposeScope();
    }

    /// <summary>The same over a leap from step t to step s &lt; t, for all samples alike.</summary>
    public Tensor Posterior(Tensor x, Tensor x0, int s, int t)
    {
        using var scope = NewDisposeScope();
        Tensor Placed(Tensor q) => q.unsqueeze(0).to(x0.dtype, x0.device);
        return Posterior(x, x0, Placed(cumulative[t + 1]), Placed(cumulative[s + 1]), Placed(Transition(s, t))).MoveToOuterDisposeScope();
    }

    // q(s | t, x̂) = Q̄_s[x̂, s] Q_st[s, x_t] / Q̄_t[x̂, x_t], so that the sum over x̂ is a product with Q̄_s of p over its denominators.
    private static Tensor Posterior(Tensor x, Tensor x0, Tensor toT, Tensor toS, Tensor between)
    {
        var reach = Columns(toT, x);
        var belief = where(reach > 0, x0 / reach.clamp_min(1e-30), zeros_like(x0));
        var posterior = Rows(belief, toS) * Columns(between, x);
        return posterior / posterior.sum([-1L], keepdim: true).clamp_min(1e-30);
    }

    /// <summary>Draws states from distributions: one standard normal draw for each element, through its distribution function.</summary>
    /// <param name="probabilities">[N, ..., K], in any scale.</param>
    /// <param name="noise">Where draws come from.</param>
    /// <returns>int64 [N, ...].</returns>
    public static Tensor Draw(Tensor probabilities, INoise noise)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        ArgumentNullException.ThrowIfNull(noise);
        using var scope = NewDisposeScope();
        var table = probabilities.to(ScalarType.Float64).cumsum(-1);
        var like = empty(probabilities.shape[..^1], ScalarType.Float32, probabilities.device);
        var u = ((noise.Next(like).to(ScalarType.Float64) / Math.Sqrt(2)).erf() + 1) / 2;
        // Above 0 and below 1, so that states of no probability at either end are never met.
        u = u.clamp(1e-300, Math.BitDecrement(1.0)).unsqueeze(-1) * table.narrow(-1, States(table) - 1, 1);
        return (table < u).sum(-1).clamp_max(States(table) - 1).MoveToOuterDisposeScope();

        static long States(Tensor t) => t.size(-1);
    }

    /// <summary>x_n ~ q(x_n | x_0).</summary>
    /// <param name="x0">int64 [N, ...].</param>
    /// <param name="n">int64 [N].</param>
    /// <param name="noise">Where draws come from.</param>
    public Tensor Corrupt(Tensor x0, Tensor n, INoise noise)
    {
        using var scope = NewDisposeScope();
        return Draw(Marginal(OneHot(x0), n), noise).MoveToOuterDisposeScope();
    }

    /// <summary>Noise: x_(T−1) where nothing of the data is left.</summary>
    public Tensor DrawPrior(long[] shape, INoise noise, Device? device = null)
    {
        using var scope = NewDisposeScope();
        return Draw(Prior().to(device ?? CPU).expand([.. shape, States]), noise).MoveToOuterDisposeScope();
    }

    /// <summary>Certainty about states, float32 [N, ..., K].</summary>
    public Tensor OneHot(Tensor x)
    {
        using var whole = nn.functional.one_hot(x, States);
        return whole.to(ScalarType.Float32);
    }

    // The matrix of each sample, [N, K, K].
    private static Tensor Of(Tensor table, Tensor n, Tensor like) => table.index_select(0, n.cpu()).to(like.dtype, like.device);

    // p Q for p [N, ..., K] and Q [N or 1, K, K].
    private static Tensor Rows(Tensor p, Tensor q)
    {
        long k = p.size(-1);
        return p.reshape(p.size(0), -1, k).bmm(q.expand(p.size(0), k, k)).view(p.shape);
    }

    // Q[·, x] for x [N, ...] and Q [N or 1, K, K]: [N, ..., K].
    private static Tensor Columns(Tensor q, Tensor x)
    {
        long k = q.size(-1);
        var flat = x.reshape(x.size(0), -1, 1).expand(-1, -1, k);
        return q.transpose(1, 2).expand(x.size(0), k, k).gather(1, flat).view([.. x.shape, k]);
    }

    /// <summary>Frees the tables.</summary>
    public void Dispose()
    {
        steps.Dispose();
        cumulative.Dispose();
    }
}
