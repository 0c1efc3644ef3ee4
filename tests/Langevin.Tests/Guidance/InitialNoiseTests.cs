using Langevin.Guidance;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Guidance;

public class InitialNoiseTests
{
    private static Tensor Corner(int n, int rows, int columns, int height, int width)
    {
        var target = zeros(n, 1, rows, columns, ScalarType.Bool);
        target[TensorIndex.Colon, TensorIndex.Colon, TensorIndex.Slice(0, height), TensorIndex.Slice(0, width)] = true;
        return target;
    }

    [Fact]
    public void The_best_blocks_change_places_with_those_of_the_target()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var noise = randn(3, 2, 8, 12);
        var score = rand(3, 1, 4, 6);
        var target = Corner(3, 4, 6, 2, 3);
        var moved = InitialNoise.MoveBlocks(noise, score, target, 2);
        // Nothing is lost or made.
        Assert.True(noise.flatten(1).sort(1).Values.equal(moved.flatten(1).sort(1).Values).all().item<bool>());
        Tensor At(Tensor x, int i, int r, int c) => x[i, TensorIndex.Colon, TensorIndex.Slice(2 * r, 2 * r + 2), TensorIndex.Slice(2 * c, 2 * c + 2)];
        for (int i = 0; i < 3; i++)
        {
            var best = score[i].flatten().topk(6, 0).indexes.data<long>().ToArray().ToHashSet();
            var within = (from r in Enumerable.Range(0, 2) from c in Enumerable.Range(0, 3) select (r, c)).ToList();
            // Every place of the target holds one of the best blocks, each once.
            var held = within.Select(p => best.Single(b => At(noise, i, (int)b / 6, (int)b % 6).equal(At(moved, i, p.r, p.c)).all().item<bool>())).ToHashSet();
            Assert.True(best.SetEquals(held));
            // A block that is neither among the best nor in their place stays where it was; so does one that is already in the target.
            for (int b = 0; b < 24; b++)
            {
                bool inside = within.Contains((b / 6, b % 6));
                if (best.Contains(b) == inside) Assert.True(At(noise, i, b / 6, b % 6).equal(At(moved, i, b / 6, b % 6)).all().item<bool>());
            }
            // Exchange: where a best block was, one of the target's others is now.
            foreach (long b in best.Where(b => !within.Contains(((int)b / 6, (int)b % 6))))
                Assert.Contains(within, p => !best.Contains(p.r * 6 + p.c) && At(noise, i, p.r, p.c).equal(At(moved, i, (int)b / 6, (int)b % 6)).all().item<bool>());
        }
    }

    [Fact]
    public void Blocks_that_are_where_they_belong_stay()
    {
        using var scope = NewDisposeScope();
        var noise = randn(2, 1, 4, 4);
        var target = Corner(2, 2, 2, 1, 2);
        Assert.True(noise.equal(InitialNoise.MoveBlocks(noise, target.to(ScalarType.Float32), target, 2)).all().item<bool>());
        Assert.Throws<ArgumentException>(() => InitialNoise.MoveBlocks(noise, target.to(ScalarType.Float32), target, 3));
        Assert.Throws<ArgumentException>(() => InitialNoise.MoveBlocks(noise, zeros(2, 1, 4, 4), target, 2));
    }

    [Fact]
    public void Repainting_changes_the_masked_noise_alone()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (randn(2, 3, 4, 4), randn(2, 3, 4, 4));
        var mask = zeros(1, 1, 4, 4, ScalarType.Bool);
        mask[0, 0, 1, 2] = true;
        var c = InitialNoise.Repaint(a, b, mask);
        Assert.Equal(6, c.ne(a).sum().item<long>());
        Assert.True(c[TensorIndex.Colon, TensorIndex.Colon, 1, 2].equal(b[TensorIndex.Colon, TensorIndex.Colon, 1, 2]).all().item<bool>());
    }

    [Fact]
    public void A_probe_reads_the_shares_of_a_token()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(3);
        using var network = new UNet2DCondition(new()
        {
            InChannels = 1, OutChannels = 1, BlockOutChannels = [8, 16], NormNumGroups = 4, LayersPerBlock = 1, CrossAttentionDim = 6, AttentionHeadDim = [2],
            DownBlockTypes = ["CrossAttnDownBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D"],
        });
        var (x, t) = (randn(2, 1, 8, 8), ones(2));
        var condition = Condition.None.With(UNet2DCondition.ContextSlot, randn(2, 3, 6));
        using var plain = network.call(x, t, condition);
        var sum = zeros(2, 1, 8, 8);
        for (int token = 0; token < 3; token++)
        {
            using var probe = new TokenProbe(token);
            Assert.Null(probe.Map());
            // It changes nothing, and reaches the four cross-attention layers: one down, one at the bottom, two up.
            Assert.True((plain - network.call(x, t, condition.WithAttention(probe))).abs().max().item<float>() < 1e-5);
            Assert.Equal(4, probe.Reached);
            sum += probe.Map()!;
        }
        Assert.True((sum - 1).abs().max().item<float>() < 1e-5);
        // Equal tokens share attention evenly.
        using var even = new TokenProbe(1);
        network.call(x, t, Condition.None.With(UNet2DCondition.ContextSlot, randn(2, 1, 6).expand(2, 3, 6)).WithAttention(even));
        Assert.True((even.Map()! - 1.0 / 3).abs().max().item<float>() < 1e-5);
        // Self-attention's controls leave cross-attention alone.
        var identity = new IdentityAttention(_ => true);
        network.call(x, t, condition.WithAttention(identity));
        Assert.Equal(4, identity.Reached);
    }

    [Fact]
    public void Masked_tokens_are_not_read()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(4);
        using var network = new UNet2DCondition(new()
        {
            InChannels = 1, OutChannels = 1, BlockOutChannels = [8], NormNumGroups = 4, LayersPerBlock = 1, CrossAttentionDim = 6, AttentionHeadDim = [2],
            DownBlockTypes = ["CrossAttnDownBlock2D"], UpBlockTypes = ["CrossAttnUpBlock2D"],
        });
        var (x, t, tokens) = (randn(1, 1, 4, 4), ones(1), randn(1, 3, 6));
        var shorter = network.call(x, t, Condition.None.With(UNet2DCondition.ContextSlot, tokens.narrow(1, 0, 2)));
        var masked = network.call(x, t, Condition.None.With(UNet2DCondition.ContextSlot, tokens).With(UNet2DCondition.MaskSlot, tensor(new float[] { 1, 1, 0 }).view(1, 3)));
        Assert.True((shorter - masked).abs().max().item<float>() < 1e-5);
        Assert.Throws<ArgumentException>(() => network.call(x, t, Condition.None));
    }
}
