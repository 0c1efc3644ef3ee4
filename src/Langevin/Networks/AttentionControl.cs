using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>Where an attention layer stands.</summary>
/// <param name="Name">Its name in the network, as in its state-dict keys: <c>mid_block.attentions.0</c>.</param>
/// <param name="Height">Rows of the features it mixes.</param>
/// <param name="Width">Columns of the features it mixes.</param>
/// <param name="Cross">Whether the pixels attend to the tokens of a context rather than to each other.</param>
public readonly record struct AttentionSite(string Name, long Height, long Width, bool Cross = false);

/// <summary>
/// What takes place in the attention layers of a network instead of, or besides, attention. It travels with the condition
/// (<see cref="Condition.WithAttention"/>), so that it reaches the network through every denoiser around it, for that one call.
/// Networks that heed it: <see cref="UNet2D"/>, <see cref="UNet2DCondition"/>.
/// </summary>
public abstract class AttentionControl
{
    /// <summary>Layers that it has acted on so far.</summary>
    public int Reached { get; private set; }

    /// <summary>Whether it has anything to do with a layer.</summary>
    protected abstract bool Concerns(AttentionSite site);

    /// <summary>The mixed values [N, heads, pixels, d], or null to leave them to softmax(q kᵀ/√d) v.</summary>
    /// <param name="site">The layer.</param>
    /// <param name="q">Queries, [N, heads, pixels, d].</param>
    /// <param name="k">Keys, alike; of tokens in place of pixels in cross-attention.</param>
    /// <param name="v">Values, alike.</param>
    protected abstract Tensor? Mix(AttentionSite site, Tensor q, Tensor k, Tensor v);

    internal Tensor? At(AttentionSite site, Tensor q, Tensor k, Tensor v)
    {
        if (!Concerns(site)) return null;
        Reached++;
        return Mix(site, q, k, v);
    }
}

/// <summary>Self-attention that attends to nothing but the pixel itself: the map is the identity, the values pass (perturbed attention).</summary>
/// <param name="layers">Which layers, by name.</param>
public sealed class IdentityAttention(Predicate<string> layers) : AttentionControl
{
    /// <inheritdoc/>
    protected override bool Concerns(AttentionSite site) => !site.Cross && layers(site.Name);

    /// <inheritdoc/>
    protected override Tensor? Mix(AttentionSite site, Tensor q, Tensor k, Tensor v) => v.alias();
}

/// <summary>Notes how much self-attention each pixel draws in the first of some layers, and changes nothing.</summary>
/// <param name="layers">Which layers, by name.</param>
public sealed class AttentionProbe(Predicate<string> layers) : AttentionControl, IDisposable
{
    /// <summary>The attention each pixel receives, the mean over heads and the sum over queries: [N, 1, height, width], 1 on average. Null until a layer was reached.</summary>
    public Tensor? Received { get; private set; }

    /// <inheritdoc/>
    public void Dispose() => Received?.Dispose();

    /// <inheritdoc/>
    protected override bool Concerns(AttentionSite site) => Received is null && !site.Cross && layers(site.Name);

    /// <inheritdoc/>
    protected override Tensor? Mix(AttentionSite site, Tensor q, Tensor k, Tensor v)
    {
        using var scope = NewDisposeScope();
        long n = q.shape[0], heads = q.shape[1], pixels = q.shape[2], width = q.shape[3];
        Tensor Rows(Tensor t) => t.detach().to(ScalarType.Float32).reshape(n * heads, pixels, width);
        var map = (Rows(q) / Math.Sqrt(width)).bmm(Rows(k).transpose(1, 2)).softmax(-1).view(n, heads, pixels, pixels);
        Received = map.mean([1L]).sum(1).view(n, 1, site.Height, site.Width).DetachFromDisposeScope();
        return null;
    }
}

/// <summary>Notes how much each pixel attends to one token of the context, and changes nothing.</summary>
/// <param name="token">The token's place in the context.</param>
/// <param name="layers">Which cross-attention layers, by name; all where null.</param>
public sealed class TokenProbe(int token, Predicate<string>? layers = null) : AttentionControl, IDisposable
{
    private int count;
    private Tensor? sum;

    /// <summary>Share of a pixel's attention that the token has, the mean over heads and layers, those of coarser features repeated: [N, 1, height, width] of the finest. Null until a layer was reached; the caller's.</summary>
    public Tensor? Map() => sum is null ? null : sum / count;

    /// <inheritdoc/>
    public void Dispose() => sum?.Dispose();

    /// <inheritdoc/>
    protected override bool Concerns(AttentionSite site) => site.Cross && (layers?.Invoke(site.Name) ?? true);

    /// <inheritdoc/>
    protected override Tensor? Mix(AttentionSite site, Tensor q, Tensor k, Tensor v)
    {
        using var scope = NewDisposeScope();
        long n = q.shape[0], heads = q.shape[1], pixels = q.shape[2], width = q.shape[3], tokens = k.shape[2];
        Tensor Rows(Tensor t) => t.detach().to(ScalarType.Float32).reshape(n * heads, -1, width);
        var map = (Rows(q) / Math.Sqrt(width)).bmm(Rows(k).transpose(1, 2)).softmax(-1).view(n, heads, pixels, tokens)
            .select(3, token).mean([1L]).view(n, 1, site.Height, site.Width);
        if (sum is null) sum = map.clone().DetachFromDisposeScope();
        else
        {
            long[] size = [Math.Max(site.Height, sum.size(2)), Math.Max(site.Width, sum.size(3))];
            Tensor Fine(Tensor t) => t.size(2) == size[0] && t.size(3) == size[1] ? t : nn.functional.interpolate(t, size, mode: InterpolationMode.Nearest);
            var whole = (Fine(sum) + Fine(map)).DetachFromDisposeScope();
            sum.Dispose();
            sum = whole;
        }
        count++;
        return null;
    }
}
