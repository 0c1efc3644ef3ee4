using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Networks;
using Langevin.Processes;
using Langevin.Tests.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Guidance;

/// <summary>Guidance by attention, on a small U-Net whose attention is known in special cases.</summary>
public sealed class AttentionGuidanceTests : IDisposable
{
    private static readonly VariancePreserving Vp = VariancePreserving.Linear();
    private readonly UNet2D network;
    private readonly NetworkDenoiser model;
    private readonly Tensor x;
    private readonly Condition condition = Condition.OfLabel(tensor(new long[] { 0, 2 }));

    public AttentionGuidanceTests()
    {
        random.manual_seed(4);
        network = new(new()
        {
            SampleSize = [8, 8], InChannels = 1, OutChannels = 1, BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, AttentionHeadDim = 8,
            DownBlockTypes = ["AttnDownBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "AttnUpBlock2D"], NumClassEmbeds = 4,
        });
        network.eval();
        model = new(network, Vp, new PlainPreconditioning(PredictionKind.Epsilon, 999));
        x = randn(2, 1, 8, 8);
    }

    public void Dispose()
    {
        x.Dispose();
        network.Dispose();
    }

    private Tensor Epsilon(IDenoiser denoiser, Tensor? at = null) => denoiser.Denoise(at ?? x, 0.3, condition).Epsilon;

    [Fact]
    public void A_hold_on_attention_reaches_the_layers_it_names()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var all = new IdentityAttention(_ => true);
        var changed = model.Denoise(x, 0.3, condition.WithAttention(all)).Epsilon;
        Assert.Equal(1 + 1 + 2, all.Reached); // one a layer of the way down, one at the bottom, two on the way up
        Assert.True(Kit.MaxAbs(changed - Epsilon(model)) > 1e-4);
        var none = new IdentityAttention(_ => false);
        Assert.Equal(0, Kit.MaxAbs(model.Denoise(x, 0.3, condition.WithAttention(none)).Epsilon - Epsilon(model)));
        var names = new List<string>();
        model.Denoise(x, 0.3, condition.WithAttention(new IdentityAttention(n => { names.Add(n); return false; })));
        Assert.Contains("mid_block.attentions.0", names);
        Assert.Contains("down_blocks.0.attentions.0", names);
        // It survives the decorators of a condition.
        Assert.Same(all, Condition.Cat(condition.WithAttention(all), condition.Null()).Take(tensor(new long[] { 0 })).Attention);
    }

    [Fact]
    public void The_identity_map_is_what_attention_is_over_one_pixel()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var tiny = randn(2, 1, 2, 2); // one pixel at the bottom
        Assert.True(Kit.MaxAbs(Epsilon(model.GuidedByPerturbedAttention(3), tiny) - Epsilon(model, tiny)) < 1e-6);
        Assert.True(Kit.MaxAbs(Epsilon(model.GuidedByPerturbedAttention(3)) - Epsilon(model)) > 1e-5);
    }

    [Fact]
    public void Perturbed_attention_composes_with_guidance()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var perturbed = model.Denoise(x, 0.3, condition.WithAttention(new IdentityAttention(n => n.StartsWith("mid", StringComparison.Ordinal)))).Epsilon;
        var want = Epsilon(model.Guided(2)) + 3 * (Epsilon(model) - perturbed);
        Assert.True(Kit.MaxAbs(Epsilon(model.Guided(2).GuidedByPerturbedAttention(3, of: model)) - want) < 1e-5);
        Assert.Throws<InvalidOperationException>(() => Epsilon(model.GuidedByPerturbedAttention(3, layers: n => n == "nowhere")));
        using var mixture = Kit.Mixture(Vp);
        Assert.Throws<InvalidOperationException>(() => mixture.GuidedByPerturbedAttention(3).Denoise(zeros(2, 2, ScalarType.Float64), 0.3, Condition.None));
    }

    [Fact]
    public void Attention_received_is_the_mean_of_the_maps()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var probe = new AttentionProbe(n => n.StartsWith("mid", StringComparison.Ordinal));
        var with = model.Denoise(x, 0.3, condition.WithAttention(probe)).Epsilon;
        Assert.Equal([2, 1, 4, 4], probe.Received!.shape);
        Assert.True(Kit.MaxAbs(probe.Received.flatten(1).mean([1]) - 1) < 1e-5);
        Assert.True(probe.Received.std().item<float>() > 1e-4);
        Assert.Equal(0, Kit.MaxAbs(with - Epsilon(model)));
        // Queries of zero attend to every pixel alike.
        foreach (var (name, parameter) in network.named_parameters())
            if (name.StartsWith("mid_block.attentions.0.to_q", StringComparison.Ordinal)) parameter.zero_();
        using var even = new AttentionProbe(n => n.StartsWith("mid", StringComparison.Ordinal));
        model.Denoise(x, 0.3, condition.WithAttention(even));
        Assert.True(Kit.MaxAbs(even.Received! - 1) < 1e-5);
    }

    [Fact]
    public void Self_attention_guidance_blurs_what_is_attended_to()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        // Nothing above the threshold: x̃ is x, and there is no guidance. Everything above it: the whole of x̂_0 is blurred.
        Assert.True(Kit.MaxAbs(Epsilon(model.GuidedBySelfAttention(1, threshold: 1e3)) - Epsilon(model)) < 1e-4);
        var said = model.Denoise(x, 0.3, condition);
        var blurred = Vp.Corrupt(SelfAttentionGuidance.Blur(said.X0, 1), 0.3, said.Epsilon);
        var want = said.Epsilon + 0.8 * (said.Epsilon - Epsilon(model, blurred));
        Assert.True(Kit.MaxAbs(Epsilon(model.GuidedBySelfAttention(0.8, threshold: -1)) - want) < 1e-4);
        var part = Epsilon(model.GuidedBySelfAttention(0.8));
        Assert.True(Kit.MaxAbs(part - said.Epsilon) > 1e-5 && Kit.MaxAbs(part - want) > 1e-5);
        Assert.Throws<InvalidOperationException>(() => Epsilon(model.Guided(2).GuidedBySelfAttention(0.8)));
        Assert.Equal([2, 1, 8, 8], Epsilon(model.Guided(2).GuidedBySelfAttention(0.8, of: model)).shape);
    }

    [Fact]
    public void Blurring_keeps_a_plane_and_spreads_a_point()
    {
        using var scope = NewDisposeScope();
        Assert.True(Kit.MaxAbs(SelfAttentionGuidance.Blur(full([1, 2, 9, 9], 0.3, ScalarType.Float64), 1) - 0.3) < 1e-12);
        var point = zeros([1, 1, 17, 17], ScalarType.Float64);
        point[0, 0, 8, 8] = 1.0;
        var spread = SelfAttentionGuidance.Blur(point, 1);
        double Weight(int k) => Math.Exp(-0.5 * k * k) / Enumerable.Range(-4, 9).Sum(j => Math.Exp(-0.5 * j * j));
        Assert.Equal(Weight(0) * Weight(2), spread[0, 0, 8, 10].item<double>(), 12);
        Assert.Equal(1, spread.sum().item<double>(), 12);
    }
}
