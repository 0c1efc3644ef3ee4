using System.Text.Json;
using Langevin.Hub;
using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>Networks whose originals <c>reference/make.py</c> ran, with weights and inputs that follow from formulas: answers and gradients of the inputs.</summary>
public class ReferenceNetworkTests
{
    private static readonly JsonElement Answers =
        JsonDocument.Parse(File.ReadAllText(Shared.Own("Networks", "reference", "answers.json"))).RootElement;

    private static Tensor Wave(long[] shape, double start) => (0.37 * arange(shape.Aggregate(1L, (a, b) => a * b), ScalarType.Float64) + start).cos().view(shape);

    private static void Fill(nn.Module module, JsonElement answer, string prefix = "")
    {
        var state = module.state_dict();
        string[] keys = [.. answer.GetProperty("keys").EnumerateArray().Select(k => k.GetString()!)];
        Assert.Equal(keys.Order(StringComparer.Ordinal), state.Keys.Select(k => prefix + k).Order(StringComparer.Ordinal));
        module.to(ScalarType.Float64);
        using var _ = no_grad();
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i].EndsWith("kernel", StringComparison.Ordinal)) continue;
            var old = module.state_dict()[keys[i][prefix.Length..]];
            var value = Wave(old.shape, i);
            if (old.dim() > 1) value = value / Math.Sqrt(old.numel() / (double)old.size(0));
            else if (keys[i].Contains("norm", StringComparison.Ordinal) || keys[i].EndsWith("_gn.weight", StringComparison.Ordinal))
                value = (keys[i].EndsWith("weight", StringComparison.Ordinal) ? 1 : 0) + 0.1 * value;
            else if (!keys[i].StartsWith("time_proj", StringComparison.Ordinal)) value = 0.1 * value;
            old.copy_(value.to(ScalarType.Float32)); // as the script kept them
        }
    }

    // In double precision, where the originals keep some constants (frequencies) in single precision.
    private static void Judge(JsonElement answer, Tensor[] outputs, Tensor[] inputs, double tolerance = 1e-7)
    {
        var loss = outputs.Select((o, i) => (o * Wave(o.shape, 5 + i)).sum()).Aggregate((a, b) => a + b);
        loss.backward();
        void Close(string name, Tensor[] tensors)
        {
            var expected = answer.GetProperty(name).EnumerateArray().ToArray();
            Assert.Equal(expected.Length, tensors.Length);
            for (int i = 0; i < tensors.Length; i++)
            {
                var numbers = tensor(expected[i].EnumerateArray().Select(v => v.GetDouble()).ToArray());
                double error = (tensors[i].flatten() - numbers).abs().max().item<double>(), size = numbers.abs().max().item<double>();
                Assert.True(error < tolerance * Math.Max(1, size), $"{name} {i}: {error:g3} of {size:g3}");
            }
        }
        Close("outputs", outputs);
        Close("gradients", [.. inputs.Select(i => i.grad!)]);
    }

    [Theory, InlineData("audio"), InlineData("plans"), InlineData("value")]
    public void Diffusers_UNet1DModel(string name)
    {
        using var scope = NewDisposeScope();
        var answer = Answers.GetProperty(name);
        var config = answer.GetProperty("config");
        using var network = NetworkConfig.Create($$"""{ "_class_name": "UNet1DModel", {{config.GetRawText()[1..]}}""");
        Fill(network, answer);
        var x = Wave([2, config.GetProperty("in_channels").GetInt64(), answer.GetProperty("length").GetInt64()], 1).requires_grad_();
        var times = tensor(answer.GetProperty("times").EnumerateArray().Select(t => t.GetDouble()).ToArray());
        Judge(answer, [network.call(x, times, Condition.None)], [x]);
        Assert.Equal(NetworkConfig.ToJson(network), NetworkConfig.ToJson(NetworkConfig.Create(NetworkConfig.ToJson(network))));
    }

    private static (Tensor X, Tensor Context, Condition Condition) Xl()
    {
        var (x, context) = (Wave([2, 4, 8, 8], 1).requires_grad_(), Wave([2, 3, 8], 2).requires_grad_());
        return (x, context, Condition.None.With(UNet2DCondition.ContextSlot, context).With(UNet2DCondition.TextVectorSlot, Wave([2, 6], 4))
            .With(UNet2DCondition.NumbersSlot, tensor(new float[,] { { 64, 48, 0, 0, 64, 48 }, { 32, 32, 8, 4, 64, 64 } })));
    }

    private static readonly float[] Steps = [3, 400]; // their features are computed in single precision there

    [Fact]
    public void Stable_Diffusion_XL_by_its_added_conditions()
    {
        using var scope = NewDisposeScope();
        var answer = Answers.GetProperty("unet, XL");
        using var network = new UNet2DCondition(UNet2DConditionConfig.Parse(answer.GetProperty("config").GetRawText()));
        Fill(network, answer);
        var (x, context, condition) = Xl();
        Judge(answer, [network.call(x, tensor(Steps), condition)], [x, context], 1e-6);
    }

    [Fact]
    public void A_ControlNet_of_XL()
    {
        using var scope = NewDisposeScope();
        var answer = Answers.GetProperty("control, XL");
        using var network = new ControlNet(ControlNetConfig.Parse(answer.GetProperty("config").GetRawText()));
        Fill(network, answer);
        var (x, context, condition) = Xl();
        var picture = Wave([2, 3, 16, 16], 3).requires_grad_();
        var states = network.Run(x, tensor(Steps), condition.With(ControlNet.PictureSlot, picture), 0.7);
        Judge(answer, [.. states.Down, states.Middle], [x, context, picture], 1e-6);
    }

    [Fact]
    public void The_tiny_autoencoder()
    {
        using var scope = NewDisposeScope();
        var answer = Answers.GetProperty("tiny autoencoder");
        using var network = new AutoencoderTiny(AutoencoderTinyConfig.Parse(answer.GetProperty("config").GetRawText()));
        Fill(network, answer);
        var (x, z) = (Wave([2, 3, 8, 8], 1).requires_grad_(), (3 * Wave([2, 4, 4, 4], 2)).detach().requires_grad_());
        Judge(answer, [network.Encode(x), network.Decode(z)], [x, z]);
    }

    [Theory, InlineData("egnn"), InlineData("egnn, other options")]
    public void Dynamics_of_molecules(string name)
    {
        using var scope = NewDisposeScope();
        var answer = Answers.GetProperty(name);
        var options = answer.GetProperty("options");
        using var network = new MoleculeEgnn(new()
        {
            InNodeNf = 5,
            HiddenNf = 8,
            NLayers = options.GetProperty("n_layers").GetInt32(),
            InvSublayers = options.GetProperty("inv_sublayers").GetInt32(),
            Attention = options.GetProperty("attention").GetBoolean(),
            Tanh = options.GetProperty("tanh").GetBoolean(),
            NormConstant = options.GetProperty("norm_constant").GetDouble(),
            SinEmbedding = options.GetProperty("sin_embedding").GetBoolean(),
            AggregationMethod = options.GetProperty("aggregation_method").GetString()!,
            NormalizationFactor = options.GetProperty("normalization_factor").GetDouble(),
        });
        Fill(network, answer, "egnn.");
        var mask = tensor(new double[,] { { 1, 1, 1, 1, 1 }, { 1, 1, 1, 0, 0 } });
        Tensor Masked(Tensor t) => t * mask.unsqueeze(2);
        var x = Masked(Wave([2, 5, 3], 1));
        x = Masked(x - x.sum([1L], keepdim: true) / mask.sum([1L]).view(2, 1, 1)).requires_grad_();
        var h = Wave([2, 5, 3], 2).requires_grad_();
        var (features, move) = network.Dynamics(Masked(h), x, tensor(new[] { 0.3, 0.8 }), mask, Masked(Wave([2, 5, 1], 3)));
        Judge(answer, [features, move], [h, x]);
    }
}
