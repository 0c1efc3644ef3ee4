using Langevin.Formulations;
using Langevin.Hub;
using Langevin.Hub.Onnx;
using Langevin.Networks;
using Langevin.Samplers;
using Langevin.Tests.Cli;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>Networks that ONNX Runtime computes.</summary>
public class OnnxTests
{
    private static readonly UNet2DConfig Small = new()
    {
        SampleSize = [16], InChannels = 3, OutChannels = 3, BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, AttentionHeadDim = 8,
        DownBlockTypes = ["DownBlock2D", "AttnDownBlock2D"], UpBlockTypes = ["AttnUpBlock2D", "UpBlock2D"],
    };

    /// <summary>A network whose every weight counts, with an input and a condition.</summary>
    private static (Network Network, Condition Condition, long[] Shape) Case(string kind)
    {
        manual_seed(5);
        Condition labels = Condition.OfLabel(tensor(new long[] { 2, -1 })), context = Condition.None.With(UNet2DCondition.ContextSlot, randn(2, 5, 8));
        var condition = new UNet2DConditionConfig
        {
            SampleSize = [8], BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, CrossAttentionDim = 8, AttentionHeadDim = [2],
            DownBlockTypes = ["CrossAttnDownBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D"],
        };
        return kind switch
        {
            "unet" => (new UNet2D(Small), Condition.None, [2, 3, 16, 12]),
            "unet-classes" => (new UNet2D(Small with { NumClassEmbeds = 5, ResnetTimeScaleShift = "scale_shift", FlipSinToCos = false, FreqShift = 1, DownsamplePadding = 0 }), labels, [2, 3, 16, 16]),
            "unet-fourier" => (new UNet2D(Small with { TimeEmbeddingType = "fourier", MidBlockScaleFactor = Math.Sqrt(2) }), Condition.None, [2, 3, 16, 16]),
            "unet-resnet" => (new UNet2D(Small with { DownBlockTypes = ["ResnetDownsampleBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "ResnetUpsampleBlock2D"] }), Condition.None, [2, 3, 16, 16]),
            "tokens" => (new UNet2DCondition(condition), context, [2, 4, 8, 8]),
            "tokens-xl" => (new UNet2DCondition(condition with { UseLinearProjection = true, AdditionEmbedType = "text_time", AdditionTimeEmbedDim = 4, ProjectionClassEmbeddingsInputDim = 6 + 24, TransformerLayersPerBlock = [2, 1] }),
                context.With(UNet2DCondition.TextVectorSlot, randn(2, 6)).With(UNet2DCondition.NumbersSlot, randn(2, 6)), [2, 4, 8, 8]),
            "sequence" => (new UNet1D(new() { InChannels = 2, OutChannels = 2, BlockOutChannels = [16, 32], NormNumGroups = 4, AttentionHeadDim = 8, LayersPerBlock = 2, ClassCount = 4 }), labels, [2, 2, 24]),
            _ => (new ResidualMlp(new() { Dimensions = 3, Hidden = 32, Blocks = 2, ClassCount = 4 }), labels, [2, 3]),
        };
    }

    [Theory, InlineData("unet"), InlineData("unet-classes"), InlineData("unet-fourier"), InlineData("unet-resnet"), InlineData("tokens"), InlineData("tokens-xl"), InlineData("sequence"), InlineData("mlp")]
    public void The_runtime_computes_what_libtorch_does(string kind)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var folder = new TempFolder();
        var (network, condition, shape) = Case(kind);
        network.eval();
        string path = folder["network.onnx"];
        OnnxExport.Save(network, path);
        using var other = new OnnxNetwork(path);
        foreach (var (x, noise) in new[] { (randn(shape), tensor(new[] { 3f, 400f })), (randn(shape) * 5, tensor(new[] { 0.5f, 999f })) })
        {
            var expected = network.call(x, noise, condition);
            Assert.True((expected - other.call(x, noise, condition)).abs().max().item<float>() < 1e-4 * (1 + expected.abs().max().item<float>()), kind);
        }
        // Smaller files, and how far they are off.
        var input = randn(shape);
        var level = tensor(new[] { 30f, 400f });
        var exact = network.call(input, level, condition);
        double Off(OnnxWeights weights, out long bytes)
        {
            string file = folder[$"{weights}.onnx"];
            OnnxExport.Save(network, file, weights);
            bytes = new FileInfo(file).Length;
            using var small = new OnnxNetwork(file);
            return ((small.call(input, level, condition) - exact).square().mean().sqrt() / exact.square().mean().sqrt()).item<float>();
        }
        double half = Off(OnnxWeights.Half, out long halfBytes), eight = Off(OnnxWeights.Int8, out long eightBytes);
        Assert.True(half is > 0 and < 5e-3, $"{kind}: half precision is off by {half}");
        Assert.True(eight > half && eight < 0.1, $"{kind}: 8 bits are off by {eight}");
        Assert.True(halfBytes < new FileInfo(path).Length && eightBytes < halfBytes);
    }

    [Fact]
    public async Task A_model_is_exported_by_the_command_and_sampled_by_every_sampler()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        var options = new FormulationOptions { Name = "ddpm" };
        manual_seed(6);
        string model = Path.Combine(folder.Path, "model"), path = folder["network.onnx"];
        using (var trained = new DiffusionModel(new ResidualMlp(new()), Formulation.Create(options), new() { Formulation = options, Data = "toy", ItemShape = [2] })) trained.Save(model);
        var done = await Command.Run(["convert", model, path]);
        Assert.True(done.Code == 0, done.Error);
        using var own = DiffusionModel.Load(model);
        using var network = new OnnxNetwork(path);
        var denoiser = own.Formulation.Denoiser(network);
        foreach (Sampler sampler in (Sampler[])[new Ddim(), new DdpmAncestral(), new UniPc()])
        {
            var grid = TimeGrid.Uniform(denoiser.Process, 5);
            var (one, other) = (sampler.Sample(own.Denoiser, [4, 2], grid, seed: 3), sampler.Sample(denoiser, [4, 2], grid, seed: 3));
            Assert.True((one - other).abs().max().item<float>() < 1e-3 * (1 + one.abs().max().item<float>()), sampler.GetType().Name);
        }
        await Command.Refuses(["convert", model, path, "--type", "bfloat16"], "float32, float16 or int8");
        await Command.Refuses(["convert", Path.Combine(folder.Path, "none"), path], "no model folder");
    }

    [Fact]
    public void More_weights_than_a_file_holds_are_put_beside_it()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var folder = new TempFolder();
        var (network, condition, shape) = Case("unet");
        network.eval();
        string path = folder["network.onnx"];
        var (x, noise) = (randn(shape), tensor(new[] { 3f, 400f }));
        foreach (var (largest, weights) in new[] { (1000L, OnnxWeights.Single), (1000L, OnnxWeights.Half), (1L << 30, OnnxWeights.Single) })
        {
            OnnxExport.Save(network, path, weights, largest);
            Assert.Equal(largest == 1000, File.Exists(path + ".data"));
            if (largest == 1000) Assert.True(new FileInfo(path).Length < new FileInfo(path + ".data").Length);
            using var other = new OnnxNetwork(path);
            Assert.True((network.call(x, noise, condition) - other.call(x, noise, condition)).abs().max().item<float>() < (weights == OnnxWeights.Half ? 1e-2 : 1e-4));
        }
    }

    [Fact]
    public void Bad_files_and_missing_inputs_are_said()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["bad.onnx"], [1, 2, 3]);
        Assert.Contains("cannot be read", Assert.Throws<InvalidDataException>(() => new OnnxNetwork(folder["bad.onnx"])).Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => new OnnxNetwork(folder["none.onnx"]));
        Assert.Contains("has no ONNX form", Assert.Throws<NotSupportedException>(() => OnnxExport.Save(new BridgedStreams(new()), folder["a.onnx"])).Message, StringComparison.Ordinal);
        var (network, _, shape) = Case("tokens");
        OnnxExport.Save(network, folder["tokens.onnx"]);
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var other = new OnnxNetwork(folder["tokens.onnx"], options);
        Assert.Contains("context", Assert.Throws<ArgumentException>(() => other.call(randn(shape), ones(2), Condition.None)).Message, StringComparison.Ordinal);
        Assert.Equal(["context", "noise", "x"], other.Inputs.Order(StringComparer.Ordinal));
    }
}
