using Langevin.Data;
using Langevin.Data.Formats;
using Langevin.Hub;
using Langevin.Metrics.Images;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>The tiny autoencoder with its author's weights.</summary>
public class AutoencoderTinyTests
{
    private static string Weights(string name) => Shared.Data("weights/" + name);

    private static AutoencoderTiny Flux2()
    {
        var network = new AutoencoderTiny(new() { LatentChannels = 32, MidblockGroupNorm = true });
        network.eval();
        StateDict.Load(network, TinyKeys.FromOriginal(TorchFile.Load(Weights("tae/taef2_encoder.pth")), TorchFile.Load(Weights("tae/taef2_decoder.pth"))), "taef2");
        return network;
    }

    // Two float32 programs, a dozen convolutions deep.
    private static void Close(Tensor expected, Tensor actual) => Assert.True((expected - actual).abs().max().item<float>() < 1e-4 * Math.Max(1, expected.abs().max().item<float>()),
        $"off by {(expected - actual).abs().max().item<float>()} of {expected.abs().max().item<float>()}");

    [Fact]
    public void The_one_for_Flux_2_answers_as_the_original()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var network = Flux2();
        var golden = Npy.ReadZip(Weights("golden/taef2_golden.npz"));
        var (x, latent, recon) = (golden["x"], golden["latent"], golden["recon"]);
        Close(latent, network.Encode(x * 2 - 1));
        Close(recon, (network.Decode(latent) + 1) / 2);
    }

    [Fact]
    public void The_encoder_for_Sana_answers_as_the_original()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var network = new AutoencoderTiny(new() { LatentChannels = 32, EncoderStemChannels = [32] });
        network.eval();
        Assert.Equal(32, network.Factor);
        var weights = TinyKeys.FromOriginal(TorchFile.Load(Weights("tae/taesana_encoder.pth")), null);
        StateDict.Load(network.Encoder, weights.ToDictionary(w => w.Key["encoder.".Length..], w => w.Value), "taesana");
        var golden = Npy.ReadZip(Weights("golden/taesana_enc_golden.npz"));
        Close(golden["latent"], network.Encode(golden["x"] * 2 - 1));
    }

    [Fact]
    public void Photographs_come_back_much_as_they_were()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var network = Flux2();
        string folder = Shared.Data("natural_cc0");
        var psnr = new List<double>();
        foreach (string path in Directory.EnumerateFiles(folder, "*.png").Concat(Directory.EnumerateFiles(folder, "*.jpg")).Order(StringComparer.Ordinal))
        {
            using var inner = NewDisposeScope();
            var picture = ImageFile.Load(path, grey: false);
            picture = picture.unsqueeze(0).narrow(2, 0, Math.Min(256, picture.size(1) / 8 * 8)).narrow(3, 0, Math.Min(256, picture.size(2) / 8 * 8));
            psnr.Add(ImageError.PeakSignalToNoise(picture, network.Decode(network.Encode(picture)).clamp(-1, 1), 2).item<double>());
            TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant($"{Path.GetFileName(path)}: {psnr[^1]:f1} dB"));
        }
        Assert.NotEmpty(psnr);
        Assert.True(psnr.Average() > 25, $"PSNR {psnr.Average():f1} dB over {psnr.Count} photographs");
    }

    [Fact]
    public void A_published_configuration_is_read_and_written()
    {
        var config = AutoencoderTinyConfig.Parse("""
            { "_class_name": "AutoencoderTiny", "_diffusers_version": "0.20.0.dev0", "act_fn": "relu", "decoder_block_out_channels": [64, 64, 64, 64], "encoder_block_out_channels": [64, 64, 64, 64],
              "force_upcast": false, "in_channels": 3, "latent_channels": 4, "latent_magnitude": 3, "latent_shift": 0.5, "num_decoder_blocks": [3, 3, 3, 1], "num_encoder_blocks": [1, 3, 3, 3],
              "out_channels": 3, "scaling_factor": 1.0, "upsampling_scaling_factor": 2 }
            """);
        Assert.Equal(config.ToJson(), AutoencoderTinyConfig.Parse(config.ToJson()).ToJson());
        using var network = new AutoencoderTiny(config);
        Assert.Equal(2_445_063, network.parameters().Sum(p => p.numel()));
        Assert.Contains("multiples of 8", Assert.Throws<ArgumentException>(() => network.Encode(zeros(1, 3, 12, 16))).Message, StringComparison.Ordinal);
    }
}
