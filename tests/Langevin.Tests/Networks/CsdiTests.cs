using Langevin.Denoisers;
using Langevin.Formulations;
using Langevin.Hub;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>CSDI's network against PyTorch's modules (1.13, float32; the files beside this one), its authors' weights, and what must hold of it.</summary>
public class CsdiTests
{
    private static readonly CsdiConfig Small = new() { TargetDim = 3, Layers = 2, Channels = 8, Nheads = 2, DimFeedforward = 12, DiffusionEmbeddingDim = 8, Timeemb = 6, Featureemb = 4 };

    private static Dictionary<string, Tensor> Golden(string file) =>
        new(SafeTensors.Load(Shared.Own("Networks", file)));

    private static Dictionary<string, Tensor> Part(IReadOnlyDictionary<string, Tensor> all, string prefix) =>
        all.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(t => t.Key[prefix.Length..], t => t.Value);

    private static Csdi Loaded(IReadOnlyDictionary<string, Tensor> golden, string name = "small")
    {
        var network = new Csdi(Small with { IsUnconditional = name == "free" });
        StateDict.Load(network, Part(golden, name + "/"));
        network.eval();
        return network;
    }

    private static void Close(Tensor expected, Tensor actual, double tolerance) =>
        Assert.True((expected - actual).abs().max().item<float>() <= tolerance, $"off by {(expected - actual).abs().max().item<float>()}");

    // Every layer begins at random: those that begin at zero would hide what lies before them.
    private static Csdi Make(CsdiConfig config)
    {
        manual_seed(5);
        var network = new Csdi(config);
        using var still = no_grad();
        foreach (var p in network.parameters())
            if (p.abs().max().item<float>() == 0) p.normal_(0, 0.3);
        network.eval();
        return network;
    }

    private static (Tensor X, Tensor Step, Tensor Values, Tensor Mask) Inputs(int n = 2, int k = 3, int length = 5)
    {
        using var generator = new Generator(9);
        return (randn([n, k, length], generator: generator), arange(n, ScalarType.Float32) * 3 + 1, randn([n, k, length], generator: generator),
            rand([n, k, length], generator: generator).lt(0.5).to(ScalarType.Float32));
    }

    // Two float32 programs of a few hundred operations each: 1e-5 of values about 1.
    [Theory, InlineData("small"), InlineData("free")]
    public void Answers_as_the_reference_does(string name)
    {
        using var scope = NewDisposeScope();
        var golden = Golden("csdi_small.safetensors");
        var io = Part(golden, name + ".io/");
        var network = Loaded(golden, name);
        var x = io["x"].clone().requires_grad_();
        var y = network.call(x, io["step"], Csdi.Given(io["values"], io["mask"], io["times"]));
        Close(io["y"], y, 1e-5);
        y.square().mean().backward();
        Close(io["grad"], x.grad!, 1e-6);
    }

    [Fact]
    public void The_authors_weights_load_and_answer_as_in_PyTorch()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var weights = TorchFile.Load(Shared.Data("weights/csdi/model.pth"));
        var network = new Csdi(new());
        network.eval();
        Assert.Equal(weights.Keys.Order(), network.state_dict().Keys.Order());
        Assert.Equal(414_065, network.parameters().Sum(p => p.numel()));
        StateDict.Load(network, weights);
        foreach (var weight in weights.Values) weight.Dispose();
        var io = Golden("csdi_authors.safetensors");
        // Steps' angles reach 4·10⁵, where a unit in the last place of float32 is 0.03: sines of them differ between machines' powers of ten by as much.
        Close(io["y"], network.call(io["x"], io["step"], Csdi.Given(io["values"], io["mask"])), 2e-4);
    }

    [Fact]
    public void The_loss_is_the_reference_s()
    {
        using var scope = NewDisposeScope();
        var golden = Golden("csdi_small.safetensors");
        var (io, part) = (Part(golden, "small.io/"), Part(golden, "loss/"));
        var process = DiscreteProcess.FromBetas(Betas.ScaledLinear(10, 1e-4, 0.5));
        var denoiser = new NetworkDenoiser(Loaded(golden), process, new PlainPreconditioning());
        var objective = new DenoisingObjective(Weighting.Simple, Reduction.Sum) { JudgedSlot = "judged" };
        var condition = Csdi.Given(part["x0"], io["mask"], io["times"]).With("judged", part["target"]);
        var loss = objective.Loss(denoiser, part["x0"], condition, Times.Each([1, 7]), part["noise"]).sum() / part["target"].sum();
        Assert.Equal(part["value"].item<float>(), loss.item<float>(), 1e-5);
    }

    [Fact]
    public void An_imputation_is_the_reference_s()
    {
        using var scope = NewDisposeScope();
        var golden = Golden("csdi_small.safetensors");
        var (io, part) = (Part(golden, "small.io/"), Part(golden, "impute/"));
        var process = DiscreteProcess.FromBetas(Betas.ScaledLinear(10, 1e-4, 0.5));
        var denoiser = new NetworkDenoiser(Loaded(golden), process, new PlainPreconditioning());
        var noise = new ReplayedNoise(Enumerable.Range(1, 9).Select(i => part[$"{i}"]));
        var drawn = new DdpmAncestral().Run(denoiser, part["0"], TimeGrid.Uniform(process, 10, toData: true), Csdi.Given(io["values"], io["mask"], io["times"]), noise);
        // Errors of ten answers, each up to 1e-5, and a first step that divides by α = 0.2.
        Close(part["result"], drawn, 1e-4);
    }

    [Fact]
    public void Reads_the_noisy_series_where_nothing_is_given_and_what_is_given_elsewhere()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var network = Make(Small);
        var (x, step, values, mask) = Inputs();
        var y = network.call(x, step, Csdi.Given(values, mask));
        Assert.True(network.call(x + 7 * mask, step, Csdi.Given(values, mask)).SameAs(y));
        Assert.True(network.call(x, step, Csdi.Given(values + 7 * (1 - mask), mask)).SameAs(y));
        Assert.False(network.call(x, step, Csdi.Given(values + 0.1, mask)).SameAs(y));
        Assert.False(network.call(x + 0.1, step, Csdi.Given(values, mask)).SameAs(y));
        // Without times they count from 0; the unconditional twin is that nothing is given.
        Assert.True(network.call(x, step, Csdi.Given(values, mask, arange(5, ScalarType.Float32).expand(2, 5))).SameAs(y));
        Assert.False(network.call(x, step, Csdi.Given(values, mask, arange(1, 6, ScalarType.Float32).expand(2, 5))).SameAs(y));
        Assert.True(network.call(x, step, Csdi.Given(values, mask).Null()).SameAs(network.call(x, step, Csdi.Given(values, zeros_like(mask)))));
    }

    [Fact]
    public void Features_are_a_set_and_meet_in_their_attention_alone()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (x, step, values, mask) = Inputs();
        var order = tensor(new long[] { 2, 0, 1 });
        Tensor Turned(Tensor t) => t.index_select(1, order);
        var network = Make(Small).to(ScalarType.Float64);
        Tensor Answer(Csdi net, Tensor x) => net.call(x.to(ScalarType.Float64), step, Csdi.Given(values, mask));
        var y = Answer(network, x);
        var turned = Make(Small).to(ScalarType.Float64);
        var table = turned.state_dict()["embed_layer.weight"];
        table.copy_(table.index_select(0, order));
        Assert.True(turned.call(Turned(x).to(ScalarType.Float64), step, Csdi.Given(Turned(values), Turned(mask))).allclose(Turned(y), 1e-10, 1e-12));

        var other = x.clone();
        other[0, 1] += 1 - mask[0, 1];
        Assert.True((Answer(network, other) - y)[0, 0].abs().max().item<double>() > 1e-6);
        var apart = Make(Small with { FeatureAttention = false }).to(ScalarType.Float64);
        var moved = (Answer(apart, other) - Answer(apart, x)).abs().amax([2L]);
        Assert.Equal(0, moved[0, 0].item<double>());
        Assert.True(moved[0, 1].item<double>() > 1e-6);
        Assert.DoesNotContain(apart.state_dict().Keys, key => key.Contains("feature_layer", StringComparison.Ordinal));
    }

    [Theory, InlineData(1, 5), InlineData(3, 1), InlineData(3, 5)]
    public void A_sample_does_not_depend_on_its_batch(int k, int length)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var network = Make(Small with { TargetDim = k }).to(ScalarType.Float64);
        var (x, step, values, mask) = Inputs(4, k, length);
        var (all, index) = (Csdi.Given(values, mask), tensor(new long[] { 2 }));
        var y = network.call(x.to(ScalarType.Float64), step, all);
        Assert.Equal(x.shape, y.shape);
        var one = network.call(x.to(ScalarType.Float64).index_select(0, index), step.index_select(0, index), all.Take(index));
        Assert.True(y.index_select(0, index).allclose(one, 1e-10, 1e-12));
    }

    [Fact]
    public void Every_weight_gets_a_gradient_and_dropout_acts_in_training_alone()
    {
        using var scope = NewDisposeScope();
        var network = Make(Small);
        var (x, step, values, mask) = Inputs();
        Tensor Answer() => network.call(x, step, Csdi.Given(values, mask));
        Answer().square().mean().backward();
        Assert.All(network.named_parameters(), p => Assert.True(p.parameter.grad is { } g && g.abs().max().item<float>() > 0, p.name));
        Assert.True(Answer().SameAs(Answer()));
        network.train();
        Assert.False(Answer().SameAs(Answer()));
    }

    [Fact]
    public void Leaves_no_tensor_behind()
    {
        using var outer = NewDisposeScope();
        var network = Make(Small);
        var (x, step, values, mask) = Inputs();
        var condition = Csdi.Given(values, mask);
        Metrics.Leak.None(() => network.call(x, step, condition).Dispose());
        Metrics.Leak.None(() => { using (no_grad()) network.call(x, step, condition).Dispose(); });
    }

    [Fact]
    public void Is_saved_and_read_back_with_its_process()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        var options = new FormulationOptions { Name = "ddpm", Steps = 50, BetaSchedule = "scaled_linear", BetaStart = 1e-4, BetaEnd = 0.5 };
        using (var model = new DiffusionModel(Make(Small), Formulation.Create(options), new() { Formulation = options, Data = "series", ItemShape = [3, 5] })) model.Save(folder.Path);
        using var read = DiffusionModel.Load(folder.Path);
        Assert.Equal(Small, Assert.IsType<Csdi>(read.Network).Config);
        // √β even from 0.01 to √0.5 (the original's "quad").
        var process = Assert.IsType<DiscreteProcess>(read.Denoiser.Process);
        for (int n = 0; n < 50; n++) Assert.Equal(Math.Pow(0.01 + n / 49.0 * (Math.Sqrt(0.5) - 0.01), 2), process.Beta(n), 1e-12);
        Assert.Contains("\"beta_end\": 0.5", File.ReadAllText(folder["scheduler/scheduler_config.json"]), StringComparison.Ordinal);
        var (x, step, values, mask) = Inputs();
        using var still = no_grad();
        Assert.True(read.Network.call(x, step, Csdi.Given(values, mask)).SameAs(Make(Small).call(x, step, Csdi.Given(values, mask))));
        Assert.Equal(Small, CsdiConfig.Parse(Small.ToJson()));
    }

    [Fact]
    public void Says_what_is_wrong()
    {
        using var scope = NewDisposeScope();
        var network = Make(Small);
        var (x, step, values, mask) = Inputs();
        string Fails(Func<Tensor> call) => Assert.ThrowsAny<ArgumentException>(call).Message;
        Assert.Contains("[N, 3, L]", Fails(() => network.call(x.transpose(1, 2), step, Csdi.Given(values, mask))));
        Assert.Contains("one a sample", Fails(() => network.call(x, step[..1], Csdi.Given(values, mask))));
        Assert.Contains("Csdi.Given", Fails(() => network.call(x, step, Condition.None)));
        Assert.Contains("values are [2, 3, 4]", Fails(() => network.call(x, step, Csdi.Given(values[.., .., ..4], mask))));
        Assert.Contains("times are [2, 4]", Fails(() => network.call(x, step, Csdi.Given(values, mask, zeros(2, 4)))));
        Assert.Contains("nheads (3)", Assert.Throws<ArgumentException>(() => new Csdi(Small with { Nheads = 3 })).Message);
        Assert.Contains("timeemb", Assert.Throws<ArgumentException>(() => new Csdi(Small with { Timeemb = 5 })).Message);
    }
}
