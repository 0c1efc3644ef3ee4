using Langevin.Networks;
using Langevin.Tests.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

public static class AutoencoderGoldens
{
    [Golden("networks", "autoencoder")]
    internal static void Outputs_and_gradients(GoldenCase c)
    {
        if (c.Config.TryGetProperty("num_vq_embeddings", out _)) Quantised(c);
        else Gaussian(c);
    }

    private static void Gaussian(GoldenCase c)
    {
        using var network = new AutoencoderKL(AutoencoderKLConfig.Parse(c.Config.GetRawText()));
        NetworkGolden.Load(network, c);
        var x = c["io.sample"].detach().clone().requires_grad_(true);
        var code = network.Encode(x);
        Check(network, c, x, new()
        {
            ["io.moments"] = cat([code.Mean, code.LogVariance], 1),
            ["io.mean"] = code.Mean,
            ["io.logvar"] = code.LogVariance,
            ["io.std"] = (0.5 * code.LogVariance).exp(),
            ["io.kl"] = code.KullbackLeibler(),
            ["io.reconstruction"] = network.Decode(code.Mean),
        });
    }

    private static void Quantised(GoldenCase c)
    {
        using var network = new VQModel(VQModelConfig.Parse(c.Config.GetRawText()));
        NetworkGolden.Load(network, c);
        var x = c["io.sample"].detach().clone().requires_grad_(true);
        var latents = network.Encode(x);
        var code = network.Quantize(latents);
        Assert.True(c["io.indices"].equal(code.Indices.flatten()).all().item<bool>());
        Check(network, c, x, new()
        {
            ["io.latents"] = latents,
            ["io.quantized"] = code.Values,
            ["io.vq_loss"] = (code.Commitment + 0.25 * code.Codebook).view(1),
            ["io.reconstruction"] = network.DecodeRounded(code.Values),
        });
    }

    private static void Check(nn.Module network, GoldenCase c, Tensor x, Dictionary<string, Tensor> outputs)
    {
        foreach (var (name, output) in outputs) c.Check(name, output);
        var loss = outputs.Values.Select(o => o.square().mean()).Aggregate((a, b) => a + b);
        c.Check("io.loss", loss);
        loss.backward();
        c.Check("io.grad_sample", x.grad!);
        var squares = network.parameters().Select(p => p.grad!.to(ScalarType.Float64).square().sum()).ToArray();
        c.Check("io.param_grad_norm_total", stack(squares).sum().sqrt(), absolute: 1e-6);
    }
}
