using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>Editing the noise that samples start from: what comes out changes as the noise does, and stays a sample as long as the noise stays normal.</summary>
public static class InitialNoise
{
    /// <summary>
    /// Spherical interpolation of each sample (Song et al. 2021, appendix D.5): sin((1−s)θ)/sin θ a + sin(sθ)/sin θ b, θ the angle between them.
    /// </summary>
    /// <param name="a">[N, ...].</param>
    /// <param name="b">Shaped as a.</param>
    /// <param name="share">s: 0 is a, 1 is b.</param>
    public static Tensor Slerp(Tensor a, Tensor b, double share)
    {
        if (!a.shape.SequenceEqual(b.shape)) throw new ArgumentException($"The noises are [{string.Join(", ", a.shape)}] and [{string.Join(", ", b.shape)}]: they must be shaped alike.", nameof(b));
        using var scope = NewDisposeScope();
        var cosine = (PerSample.Dot(a, b) / (PerSample.Norm(a) * PerSample.Norm(b))).clamp(-1, 1);
        var angle = cosine.acos();
        var sine = angle.sin();
        // Along one line there is no arc; the straight way is its limit.
        var straight = sine.lt(1e-6);
        var divisor = where(straight, 1.0, sine);
        var ofA = where(straight, 1 - share, ((1 - share) * angle).sin() / divisor);
        var ofB = where(straight, share, (share * angle).sin() / divisor);
        return (ofA * a + ofB * b).MoveToOuterDisposeScope();
    }

    /// <summary>√(1 − s²) a + s b: standard normal again for independent a and b, a variation of a for small s.</summary>
    public static Tensor Vary(Tensor a, Tensor b, double share)
    {
        if (share is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "The share of the other noise lies in [0, 1].");
        using var scope = NewDisposeScope();
        return (Math.Sqrt(1 - share * share) * a + share * b).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Moves the blocks of noise that bring forth an object to where it is wanted (Mao, Wang and Aizawa 2023, layout-to-image): as many
    /// blocks as the target has places, those of the highest score, change places with the target's other blocks. The rest stays, and what
    /// a block holds stays as it is, so that normal noise stays normal.
    /// </summary>
    /// <param name="noise">[N, C, H, W].</param>
    /// <param name="score">How much each block has to do with the object, [N, 1, H/block, W/block].</param>
    /// <param name="target">bool [N, 1, H/block, W/block]: where the object is wanted.</param>
    /// <param name="block">Side of a block, which divides H and W.</param>
    /// <returns>[N, C, H, W].</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Tensor MoveBlocks(Tensor noise, Tensor score, Tensor target, int block)
    {
        ArgumentNullException.ThrowIfNull(noise);
        ArgumentNullException.ThrowIfNull(score);
        ArgumentNullException.ThrowIfNull(target);
        if (noise.dim() != 4 || block < 1 || noise.size(2) % block != 0 || noise.size(3) % block != 0)
            throw new ArgumentException($"The noise is [{string.Join(", ", noise.shape)}]: expected [N, C, H, W] with sides that blocks of {block} divide.", nameof(noise));
        long n = noise.size(0), c = noise.size(1), rows = noise.size(2) / block, columns = noise.size(3) / block, count = rows * columns;
        long[] grid = [n, 1, rows, columns];
        if (!score.shape.SequenceEqual(grid) || !target.shape.SequenceEqual(grid))
            throw new ArgumentException($"Score and target are [{string.Join(", ", score.shape)}] and [{string.Join(", ", target.shape)}]: expected [{string.Join(", ", grid)}], a number a block.", nameof(score));
        using var scope = NewDisposeScope();
        float[] scores = score.detach().cpu().to(ScalarType.Float32).contiguous().data<float>().ToArray();
        bool[] wanted = target.cpu().to(ScalarType.Bool).contiguous().data<bool>().ToArray();
        var order = new long[n * count];
        for (int i = 0; i < n; i++) Exchange(scores.AsSpan(i * (int)count, (int)count), wanted.AsSpan(i * (int)count, (int)count), order.AsSpan(i * (int)count, (int)count));
        var blocks = noise.view(n, c, rows, block, columns, block).permute(0, 2, 4, 1, 3, 5).reshape(n, count, -1);
        var from = tensor(order, device: noise.device).view(n, count, 1).expand(n, count, blocks.size(2));
        return blocks.gather(1, from).view(n, rows, columns, c, block, block).permute(0, 3, 1, 4, 2, 5).reshape(noise.shape).MoveToOuterDisposeScope();
    }

    /// <summary>New noise where a picture is to be painted anew, the old elsewhere (Mao, Wang and Aizawa 2023, repainting).</summary>
    /// <param name="noise">[N, C, H, W].</param>
    /// <param name="other">Shaped as the noise.</param>
    /// <param name="mask">bool, [N or 1, 1, H, W]: where the new noise goes.</param>
    public static Tensor Repaint(Tensor noise, Tensor other, Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(noise);
        ArgumentNullException.ThrowIfNull(other);
        if (!noise.shape.SequenceEqual(other.shape)) throw new ArgumentException($"The noises are [{string.Join(", ", noise.shape)}] and [{string.Join(", ", other.shape)}]: they must be shaped alike.", nameof(other));
        return where(mask, other, noise);
    }

    // Which block each place gets: the best that lie outside the target, best first, change places with those within it that are not among the best.
    private static void Exchange(ReadOnlySpan<float> scores, ReadOnlySpan<bool> wanted, Span<long> order)
    {
        float[] values = scores.ToArray();
        int[] best = [.. Enumerable.Range(0, values.Length).OrderByDescending(b => values[b])];
        var chosen = new bool[values.Length];
        int places = 0;
        foreach (bool w in wanted) places += w ? 1 : 0;
        foreach (int b in best.AsSpan(0, places)) chosen[b] = true;
        for (int b = 0; b < order.Length; b++) order[b] = b;
        int place = 0;
        foreach (int b in best.AsSpan(0, places))
        {
            if (wanted[b]) continue;
            while (!wanted[place] || chosen[place]) place++;
            (order[place], order[b]) = (b, place);
            place++;
        }
    }
}
