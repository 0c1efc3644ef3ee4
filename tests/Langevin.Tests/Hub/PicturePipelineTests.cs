using Langevin.Hub;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>Pictures after pictures, in holes, along edges, enlarged, refined, of classes; and models that are held in less memory.</summary>
public class PicturePipelineTests
{
    private static TextToImageRequest Ask(params string[] prompts) => new() { Prompts = prompts, Steps = 4, Seed = 5, Guidance = 2 };

    private static double Apart(Tensor a, Tensor b) => (a - b).abs().max().item<float>();

    private static Tensor Picture(int side = 16, int count = 1)
    {
        using var generator = new Generator(3);
        return nn.functional.interpolate(rand([count, 3, 4, 4], generator: generator) * 2 - 1, [side, side], mode: TorchSharp.torch.InterpolationMode.Bilinear, align_corners: false);
    }

    private static TextToImage Model(TempFolder folder, TinyModels.Kind kind = TinyModels.Kind.Plain, LoadOptions? options = null)
    {
        TinyModels.StableDiffusion(folder.Path, kind);
        return TextToImage.Load(folder.Path, options);
    }

    [Fact]
    public void After_a_picture_the_less_is_walked_the_nearer_it_stays()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var model = Model(folder);
        var picture = Picture();
        var coded = model.Decode(model.Codec.Encode(picture)); // what is left of it by the codes alone
        var request = Ask("a cat") with { Picture = picture, Steps = 20 };
        double[] changes = [.. new[] { 0.05, 0.3, 0.9 }.Select(s => (model.Generate(request with { Strength = s }) - coded).square().mean().item<float>())];
        Assert.True(changes[0] < changes[1] && changes[1] < changes[2], string.Join(", ", changes));
        // The same picture in any batch.
        var two = model.Generate(Ask("a dog", "a cat") with { Picture = picture, Strength = 0.5 });
        Assert.True(Apart(two[1], model.Generate(Ask("a cat") with { Picture = picture, Strength = 0.5, First = 1 })[0]) < 1e-4);
        // One step from the end: x = α x_0 + σ z, and DDIM's step written out.
        using var _ = no_grad();
        var one = model.Codes(Ask("a cat") with { Picture = picture, Steps = 10, Strength = 0.1, Guidance = 1 });
        var composition = model.Scheduler.Compose(new Langevin.Hub.Schedulers.SchedulerRequest { Steps = 10, First = 9 });
        var noise = new Langevin.Samplers.SeededNoise(5);
        noise.Next(empty(1, 4, 8, 8));
        var (alpha, sigma) = (composition.Process.Alpha(1), composition.Process.Sigma(1));
        var x = alpha * model.Codec.Encode(picture) + sigma * noise.Next(empty(1, 4, 8, 8));
        var epsilon = model.UNet.call(x, tensor(new[] { 1f }), model.Prompts.Encode(["a cat"]));
        var (alphaEnd, sigmaEnd) = (composition.Process.Alpha(0), composition.Process.Sigma(0));
        Assert.True(Apart(one, alphaEnd * (x - sigma * epsilon) / alpha + sigmaEnd * epsilon) < 1e-4);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_hole_is_filled_and_the_rest_stays(bool madeForIt)
    {
        var kind = madeForIt ? TinyModels.Kind.FillsIn : TinyModels.Kind.Plain;
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var model = Model(folder, kind);
        var (picture, mask) = (Picture(), zeros(1, 1, 16, 16));
        mask.narrow(2, 4, 8).narrow(3, 4, 8).fill_(1);
        var request = Ask("a cat") with { Picture = picture, Mask = mask, Strength = 1 };
        var filled = model.Generate(request);
        Assert.Equal(0, Apart(filled * (1 - mask), picture * (1 - mask)));
        Assert.True(Apart(filled * mask, picture * mask) > 0.01);
        Assert.True(Apart(filled, model.Generate(request with { Seed = 6 })) > 1e-3);
        // The rest of the picture is seen: another one gives another filling.
        Assert.True(Apart(filled * mask, model.Generate(request with { Picture = -picture }) * mask) > 1e-4);
        // What the model sees has no hole's content in it, where it starts from noise alone.
        if (madeForIt) Assert.True(Apart(filled * mask, model.Generate(request with { Picture = where(mask.gt(0), -picture, picture) }) * mask) < 1e-5);
        Assert.Contains("expected [1 or 1, 1, 16, 16]", Assert.Throws<ArgumentException>(() => model.Generate(request with { Mask = zeros(1, 1, 8, 8) })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_model_needs_or_cannot_use_is_said()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var model = Model(folder, TinyModels.Kind.FillsIn);
        Assert.Contains("give a picture and a mask", Assert.Throws<ArgumentException>(() => model.Generate(Ask("a"))).Message, StringComparison.Ordinal);
        using var other = new TempFolder();
        using var plain = Model(other);
        Assert.Contains("goes with the picture", Assert.Throws<ArgumentException>(() => plain.Generate(Ask("a") with { Mask = ones(1, 1, 16, 16) })).Message, StringComparison.Ordinal);
        Assert.Contains("(0, 1]", Assert.Throws<ArgumentOutOfRangeException>(() => plain.Generate(Ask("a") with { Picture = Picture(), Strength = 0 })).Message, StringComparison.Ordinal);
        Assert.Contains("no part", Assert.Throws<ArgumentException>(() => plain.Generate(Ask("a") with { From = 0.5, Until = 0.5 })).Message, StringComparison.Ordinal);
        Assert.Contains("multiples of 4", Assert.Throws<ArgumentException>(() => plain.Generate(Ask("a") with { Picture = Picture(18) })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_steer_and_nets_add_up()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var model = Model(folder);
        string place = Path.Combine(folder.Path, "edges");
        TinyModels.Control(place);
        using var net = ModelFolder.LoadAlone(place, json => new ControlNet(ControlNetConfig.Parse(json)));
        var edges = (Picture() + 1) / 2;
        var plain = model.Generate(Ask("a cat"));
        var steered = model.Generate(Ask("a cat") with { Controls = [new(net, edges)] });
        Assert.True(Apart(plain, steered) > 1e-3);
        Assert.True(Apart(plain, model.Generate(Ask("a cat") with { Controls = [new(net, edges, 0)] })) < 1e-5);
        Assert.True(Apart(steered, model.Generate(Ask("a cat") with { Controls = [new(net, 1 - edges)] })) > 1e-4);
        Assert.True(Apart(steered, model.Generate(Ask("a cat") with { Controls = [new(net, edges, 0.5), new(net, edges, 0.5)] })) < 1e-3);
        Assert.True(Apart(steered[0], model.Generate(Ask("a cat", "a dog") with { Controls = [new(net, edges)] })[0]) < 1e-4);
    }

    [Fact]
    public void A_small_picture_is_enlarged()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var model = Model(folder, TinyModels.Kind.Enlarges);
        var request = Ask("a cat") with { Picture = Picture(8) };
        var large = model.Generate(request);
        Assert.Equal([1, 3, 16, 16], large.shape);
        Assert.True(Apart(large, model.Generate(request with { Picture = -Picture(8) })) > 1e-4);
        Assert.True(Apart(large, model.Generate(request with { NoiseLevel = 300 })) > 1e-4);
        Assert.Contains("0 to 999", Assert.Throws<ArgumentOutOfRangeException>(() => model.Generate(request with { NoiseLevel = 1000 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refiner_takes_over_where_the_base_stops()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string refining = Path.Combine(folder.Path, "refiner");
        using var model = Model(folder, TinyModels.Kind.Xl);
        TinyModels.StableDiffusion(refining, TinyModels.Kind.Refiner);
        using var refiner = TextToImage.Load(refining);
        var half = model.Codes(Ask("a cat") with { Until = 0.5 });
        // The base itself as the refiner gives what it gives in one go.
        Assert.True(Apart(model.Codes(Ask("a cat")), model.Codes(Ask("a cat") with { Code = half, From = 0.5 })) < 1e-4);
        var refined = refiner.Generate(Ask("a cat") with { Code = half, From = 0.5 });
        Assert.Equal([1, 3, 16, 16], refined.shape);
        Assert.True(Apart(refined, model.Generate(Ask("a cat"))) > 1e-4);
        Assert.True(Apart(refined, refiner.Generate(Ask("a dog") with { Code = half, From = 0.5 })) > 1e-6);
    }

    [Theory, InlineData("ddpm"), InlineData("ldm"), InlineData("dit")]
    public void Models_without_prompts_make_the_same_pictures_in_any_batch(string kind)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        TinyModels.Unprompted(folder.Path, kind);
        using var model = LabelToImage.Load(folder.Path);
        var request = new LabelToImageRequest { Steps = 4, Seed = 5, Labels = kind == "dit" ? [1] : null };
        var one = model.Generate(request);
        Assert.Equal([1, 3, kind == "ddpm" ? 8 : 16, kind == "ddpm" ? 8 : 16], one.shape);
        Assert.True(one.isfinite().all().item<bool>());
        var four = model.Generate(request with { Count = 4, Labels = kind == "dit" ? [1, 1, 0, 1] : null });
        Assert.True(Apart(one[0], four[0]) < 1e-4);
        Assert.True(Apart(four[0], four[1]) > 1e-3);
        Assert.True(Apart(four[3], model.Generate(request with { First = 3 })[0]) < 1e-4);
        if (kind != "dit")
        {
            Assert.Contains("knows no classes", Assert.Throws<ArgumentException>(() => model.Generate(request with { Labels = [0] })).Message, StringComparison.Ordinal);
            return;
        }
        Assert.Equal(0, model.Names["Tinca tinca"]);
        Assert.True(Apart(model.Generate(request with { Guidance = 4 }), one) > 1e-6);
        Assert.True(Apart(model.Generate(request with { Labels = [0] }), one) > 1e-6);
        Assert.Contains("0 to 9", Assert.Throws<ArgumentOutOfRangeException>(() => model.Generate(request with { Labels = [10] })).Message, StringComparison.Ordinal);
        Assert.Contains("one of 0 to 9", Assert.Throws<ArgumentException>(() => model.Generate(request with { Labels = null })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Less_memory_gives_the_same_pictures()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var model = Model(folder, TinyModels.Kind.Xl);
        var request = Ask("a cat");
        var expected = model.Generate(request);
        using var sequential = TextToImage.Load(folder.Path, new() { Sequential = true });
        Assert.Equal(0, Apart(expected, sequential.Generate(request)));
        Assert.Equal(0, Apart(expected, sequential.Generate(request)));
        using var half = TextToImage.Load(folder.Path, new() { Type = ScalarType.Float16 });
        Assert.Equal(ScalarType.Float16, half.UNet.named_parameters().First(p => p.name == "conv_in.weight").parameter.dtype);
        double change = Apart(expected, half.Generate(request));
        Assert.True(change is > 0 and < 0.05, $"{change}");
        // Low-rank changes and words hold though parts come and go.
        string file = folder["lora.safetensors"], word = folder["word.safetensors"];
        SafeTensors.Save(file, new Dictionary<string, Tensor>
        {
            ["lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"] = randn(2, 16), ["lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_up.weight"] = randn(8, 2) * 5,
        });
        SafeTensors.Save(word, new Dictionary<string, Tensor> { ["clip_l"] = randn(2, 8), ["clip_g"] = randn(2, 8) });
        using var lora = LoraWeights.Load(file);
        using var cat = TextualInversion.Load(word, "<tom>");
        foreach (var one in (TextToImage[])[model, sequential]) one.Add(cat);
        using (model.Apply(lora))
        using (sequential.Apply(lora))
        {
            var changed = model.Generate(Ask("<tom>"));
            Assert.True(Apart(changed, expected) > 1e-4);
            Assert.Equal(0, Apart(changed, sequential.Generate(Ask("<tom>"))));
        }
        Assert.Equal(0, Apart(expected, model.Generate(request)));
        Assert.Equal(0, Apart(expected, sequential.Generate(request)));
    }

    [Fact]
    public void Tiles_are_mixed_where_they_overlap()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var model = Model(folder);
        // A map of each place alone comes out as without tiles, whatever their weights; places and sides that are no multiple of a tile too.
        var x = randn(1, 2, 37, 50);
        Assert.True(Apart(x * 3, Tiles.Map(x, 16, 1, 1, t => t * 3)) < 1e-5);
        var code = randn(1, 4, 24, 40);
        var whole = model.Decode(code);
        model.Codec.TileSize = 16;
        var tiled = model.Decode(code);
        Assert.Equal(whole.shape, tiled.shape);
        Assert.True((whole - tiled).abs().mean().item<float>() < 0.1 * whole.std().item<float>() + 0.02);
        // Mixed, not cut: at the seam nothing jumps more than elsewhere.
        Assert.Equal([1, 4, 24, 40], model.Codec.Encode(whole).shape);
    }

    [Fact]
    public void A_plan_counts_what_the_parts_weigh()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var model = Model(folder, TinyModels.Kind.Xl);
        var open = ModelFolder.Open(folder.Path);
        var plan = MemoryPlan.Of(open);
        Assert.Equal(["text_encoder", "text_encoder_2", "unet", "vae"], plan.Parts.Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Equal(model.UNet.parameters().Sum(p => p.numel()), plan.Parts.Single(p => p.Name == "unet").Parameters);
        Assert.All(plan.Parts, p => Assert.Equal("F32", p.FileType));
        Assert.Equal(plan.Parts.Sum(p => p.Parameters) * 4, plan.Peak);
        long unet = plan.Parts.Single(p => p.Name == "unet").Parameters;
        Assert.Equal(unet * 2, MemoryPlan.Of(open, new() { Type = ScalarType.Float16, Sequential = true }).Peak);
        Assert.Equal("1.50 GiB", MemoryPlan.Text(3L << 29));
    }
}
