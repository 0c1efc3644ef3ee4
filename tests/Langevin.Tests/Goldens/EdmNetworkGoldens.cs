using Langevin.Networks;
using Langevin.Networks.Edm;
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

    [Golden("edm2", "edm2_net")]
    internal static void Edm2(GoldenCase c)
    {
        var config = Edm2UNetConfig.Parse(System.Text.Json.JsonSerializer.Serialize(c.Config.EnumerateObject().Where(p => p.Name is not ("sigma_data" or "use_fp16")).ToDictionary(p => p.Name, p => (object)p.Value)));
        using var network = new Edm2UNet(config);
        using var uncertainty = new Edm2Uncertainty(config);
        network.eval();
        uncertainty.eval();
        Dictionary<string, Tensor> Under(string prefix, string cut) => c.Tensors.Where(t => t.Key.StartsWith(prefix)).ToDictionary(t => t.Key[cut.Length..], t => t.Value);
        StateDict.Load(network, Under("unet.", "unet."));
        StateDict.Load(uncertainty, Under("logvar_", ""));
        double data = c.Double("sigma_data", 0.5);
        Tensor Denoised(Tensor x, Tensor sigma, Tensor labels)
        {
            var level = sigma.view(-1, 1, 1, 1);
            var total = level.square() + data * data;
            return data * data / total * x + level * data / total.sqrt() * network.call(x / total.sqrt(), sigma.log() / 4, Condition.None.With("vector", labels));
        }
        var input = c["io.x"].detach().clone().requires_grad_(true);
        var output = Denoised(input, c["io.sigma"], c["io.class_labels"]);
        var logvar = uncertainty.call(c["io.sigma"].log() / 4);
        c.Check("io.output", output);
        c.Check("io.logvar", logvar.view(-1, 1, 1, 1));
        var loss = output.square().mean() + logvar.square().mean();
        c.Check("io.loss", loss);
        loss.backward();
        c.Check("io.grad_x", input.grad!);
        // Its loss (equation 21): ln σ is normal of mean −0.4 and deviation 1.
        var sigma = (c["io.loss_rnd_normal"].flatten() - 0.4).exp();
        var (pictures, level, u) = (c["io.loss_images"], sigma.view(-1, 1, 1, 1), uncertainty.call(sigma.log() / 4).view(-1, 1, 1, 1));
        var error = Denoised(pictures + level * c["io.loss_noise"], sigma, c["io.loss_labels"]) - pictures;
        c.Check("io.edm2_loss", (level.square() + data * data) / (level * data).square() / u.exp() * error.square() + u);
    }

    [Golden("edm2", "edm2_ops")]
    internal static void Edm2Operations(GoldenCase c)
    {
        var (x, y) = (c["x"], c["y"]);
        c.Check("normalize", Magnitudes.Normalise(x));
        c.Check("normalize_dim1", Magnitudes.Normalise(x, 1));
        c.Check("mp_silu", Magnitudes.SiLU(x));
        c.Check("mp_sum_t03", Magnitudes.Sum(x, x.flip(0), 0.3)); // as the reference was asked
        c.Check("mp_cat_t04", Magnitudes.Cat(x, y, 0.4));
        using var two = FirResample.Kernel([1, 1]);
        using var four = FirResample.Kernel([1, 3, 3, 1]);
        c.Check("resample_down", FirResample.Down(x, two));
        c.Check("resample_down_1331", FirResample.Down(x, four));
        c.Check("resample_up_1331", FirResample.Up(x, four));
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
