using Langevin.Networks;
using Langevin.Networks.Layers;
using Langevin.Tests.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

public static class EdmNetworkGoldens
{
    /// <summary>The reference ran the preconditioned denoiser D(x; σ), so its formulas (Karras et al. 2022, table 1) stand here.</summary>
    [Golden("networks", "edm_net")]
    internal static void Preconditioned(GoldenCase c)
    {
        string type = c.Text("model_type", "SongUNet"), kind = c.Text("cls");
        string[] own = ["cls", "model_type", "img_channels", "sigma_data"];
        var settings = c.Config.EnumerateObject().Where(p => !own.Contains(p.Name)).ToDictionary(p => p.Name, p => (object)p.Value);
        settings["in_channels"] = settings["out_channels"] = c.Int("img_channels");
        string json = System.Text.Json.JsonSerializer.Serialize(settings);
        using Network network = type == "DhariwalUNet" ? new DhariwalUNet(DhariwalUNetConfig.Parse(json)) : new SongUNet(SongUNetConfig.Parse(json));
        NetworkGolden.Load(network, c, "model.");
        var condition = Condition.None;
        if (c.Has("io.class_labels")) condition = condition.With("vector", c["io.class_labels"]);
        if (c.Has("io.augment_labels")) condition = condition.With("augment", c["io.augment_labels"]);

        var sigma = c["io.sigma"].view(-1, 1, 1, 1);
        double data = c.Double("sigma_data", 0.5);
        // β(t) of VP: β_d = 19.9, β_min = 0.1; σ⁻¹(σ) = (√(β_min² + 2 β_d ln(1 + σ²)) − β_min)/β_d.
        var (skip, gain, shrink, noise) = kind switch
        {
            "EDMPrecond" => (data * data / (sigma.square() + data * data), sigma * data / (sigma.square() + data * data).sqrt(),
                (sigma.square() + data * data).rsqrt(), sigma.log() / 4),
            "VPPrecond" => (ones_like(sigma), -sigma, (sigma.square() + 1).rsqrt(),
                999 * ((0.01 + 2 * 19.9 * (1 + sigma.square()).log()).sqrt() - 0.1) / 19.9),
            _ => throw new NotSupportedException(kind),
        };
        NetworkGolden.CheckForwardAndGradient(network, c, "io.x", x => skip * x + gain * network.call(shrink * x, noise.flatten(), condition));
    }

    [Golden("networks", "embeddings")]
    internal static void Embeddings(GoldenCase c)
    {
        var t = c["t"];
        c.Check("positional_c8", NoiseFeatures.Sinusoidal(t, 8));
        c.Check("positional_c8_endpoint", NoiseFeatures.Sinusoidal(t, 8, shift: 1));
        using var fourier = new FourierEmbedding(8, 16);
        StateDict.Load(fourier, new Dictionary<string, Tensor> { ["freqs"] = c["fourier_freqs"] });
        // EDM's Fourier features run cosines first; its networks, and ours, want them swapped.
        c.Check("fourier_c8", fourier.call(t).roll(4, 1), absolute: 5e-3);
    }
}
