using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>Where an attention layer stands.</summary>
/// <param name="Name">Its name in the network, as in its state-dict keys: <c>mid_block.attentions.0</c>.</param>
/// <param name="Height">Rows of the features it mixes.</param>
/// <param name="Width">Columns of the features it mixes.</param>
public readonly record struct AttentionSite(string Name, long Height, long Width);

/// <summary>
/// What takes place in the self-attention layers of a network instead of, or besides, attention. It travels with the condition
/// (<see cref="Condition.WithAttention"/>), so that it reaches the network through every denoiser around it, for that one call.
/// Networks that heed it: <see cref="UNet2D"/>.
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
    /// <param name="k">Keys, alike.</param>
    /// <param name="v">Values, alike.</param>
    protected abstract Tensor? Mix(AttentionSite site, Tensor q, Tensor k, Tensor v);

    internal Tensor? At(AttentionSite site, Tensor q, Tensor k, Tensor v)
    {
        if (!Concerns(site)) return null;
        Reached++;
        return Mix(site, q, k, v);
    }
}

/// <summary>Attention that attends to nothing but the pixel itself: the map is the identity, the values pass (perturbed attention).</summary>
/// <param name="layers">Which layers, by name.</param>
public sealed class IdentityAttention(Predicate<string> layers) : AttentionControl
{
    /// <inheritdoc/>
    protected override bool Concerns(AttentionSite site) => layers(site.Name);

    /// <inheritdoc/>
    protected override Tensor? Mix(AttentionSite site, Tensor q, Tensor k, Tensor v) => v.alias();
}

/// <summary>Notes how much attention each pixel draws in the first of some layers, and changes nothing.</summary>
/// <param name="layers">Which layers, by name.</param>
public sealed class AttentionProbe(Predicate<string> layers) : AttentionControl, IDisposable
{
    /// <summary>The attention each pixel receives, the mean over heads and the sum over queries: [N, 1, height, width], 1 on average. Null until a layer was reached.</summary>
    public Tensor? Received { get; private set; }

    /// <inheritdoc/>
    public void Dispose() => Received?.Dispose();

    /// <inheritdoc/>
    protected override bool Concerns(AttentionSite site) => Received is null && layers(site.Name);

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
