using Langevin.Hub;
using Langevin.Metrics.Extractors;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

/// <summary>Feature networks without their weights: structure by published counts, arithmetic by hand, files by shared ones.</summary>
public sealed class ExtractorTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly TempFolder folder = new();
    private readonly Generator random = new(4);

    public void Dispose()
    {
        random.Dispose();
        folder.Dispose();
        scope.Dispose();
    }

    private Tensor Images(long n, long side) => rand([n, 3, side, side], generator: random) * 2 - 1;

    private static long Parameters(nn.Module module) => module.parameters().Sum(p => p.numel());

    /// <summary>Weights of deviation √(2/fan-in), so that signals neither die nor explode.</summary>
    private T Drawn<T>(T module) where T : nn.Module
    {
        using var still = no_grad();
        foreach (var p in module.parameters())
            if (p.dim() > 1) p.normal_(0, Math.Sqrt(2.0 * p.size(0) / p.numel()), random);
        return module;
    }

    [Fact]
    public void Networks_have_the_published_numbers_of_parameters()
    {
        // torchvision: 23,834,568 for Inception-v3 of 1,000 classes without the auxiliary head, plus 8 classes of 2,049.
        Assert.Equal(23_834_568 + 8 * 2049, Parameters(new Inception()));
        Assert.Equal(14_714_688, Parameters(ConvolutionalFeatures.Vgg16()));
        Assert.Equal(2_469_696, Parameters(ConvolutionalFeatures.AlexNet()));
    }

    [Fact]
    public void Names_are_the_originals()
    {
        string[] inception = [.. new Inception().state_dict().Keys];
        foreach (string name in new[] { "Conv2d_1a_3x3.conv.weight", "Mixed_5b.branch3x3dbl_3.bn.running_mean", "Mixed_6e.branch7x7dbl_5.conv.weight", "Mixed_7c.branch3x3dbl_3b.bn.bias", "Mixed_6a.branch3x3.conv.weight", "Mixed_7a.branch7x7x3_4.conv.weight", "fc.weight", "fc.bias" })
            Assert.Contains(name, inception);
        // 94 convolutions with five or six entries each (a counter of batches), and the classifier.
        Assert.Equal(94, inception.Count(k => k.EndsWith(".conv.weight", StringComparison.Ordinal)));
        Assert.Equal(["0", "2", "5", "7", "10", "12", "14", "17", "19", "21", "24", "26", "28"], Indices(ConvolutionalFeatures.Vgg16()));
        Assert.Equal(["0", "3", "6", "8", "10"], Indices(ConvolutionalFeatures.AlexNet()));

        static string[] Indices(nn.Module m) => [.. m.state_dict().Keys.Where(k => k.EndsWith("weight", StringComparison.Ordinal)).Select(k => k.Split('.')[1])];
    }

    [Fact]
    public void TensorFlow_resize_by_hand()
    {
        // 2 → 4: positions 0, ½, 1, 1½ with the last pixel repeated.
        var x = tensor(new[] { 0f, 1f }).view(1, 1, 1, 2).expand(1, 1, 2, 2);
        var row = tensor(new[] { 0f, 0.5f, 1f, 1f });
        Assert.True(InceptionExtractor.TensorFlowResize(x, 4).allclose(row.expand(1, 1, 4, 4)));
        Assert.True(InceptionExtractor.TensorFlowResize(x.transpose(2, 3), 4).allclose(row.view(1, 1, 4, 1).expand(1, 1, 4, 4)));
        // 6 → 4: positions 0, 1½, 3, 4½ of a ramp.
        var ramp = arange(6, float32).view(1, 1, 1, 6).expand(1, 1, 6, 6);
        Assert.True(InceptionExtractor.TensorFlowResize(ramp, 4)[0, 0, 0].allclose(tensor(new[] { 0f, 1.5f, 3f, 4.5f })));
    }

    [Fact]
    public void Inception_reads_a_file_of_its_keys_and_says_which()
    {
        string path = folder["inception.safetensors"];
        using (var network = Drawn(new Inception()))
            SafeTensors.Save(path, network.state_dict().Where(k => !k.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)));
        using var extractor = InceptionExtractor.Load(path);
        var images = Images(2, 40);
        var features = extractor.Features(images);
        Assert.Equal([2, 2048], features.shape);
        Assert.Equal([2, 7 * 17 * 17], extractor.Read(images).Spatial.shape);
        Assert.Equal([2, 1008], extractor.Logits(images)!.shape);
        Assert.True(features.std().item<float>() > 1e-3);
        // Grey images are three equal channels, and one image does not depend on the other.
        Assert.True(extractor.Features(images[0..1, 0..1]).allclose(extractor.Features(images[0..1, 0..1].expand(1, 3, 40, 40)), 1e-4, 1e-5));
        Assert.True(extractor.Features(images[1..2]).allclose(features[1..2], 1e-3, 1e-4));
        using var halfPixel = InceptionExtractor.Load(path, InceptionResize.HalfPixel);
        Assert.False(halfPixel.Features(images).allclose(features, 1e-3, 1e-4));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))[..16], extractor.Hash);
        Assert.Contains("not a file known by its hash", extractor.Name, StringComparison.Ordinal);
        string heads = folder["other.safetensors"];
        SafeTensors.Save(heads, [new("lin0.model.1.weight", zeros(1, 64, 1, 1))]);
        Assert.Throws<InvalidDataException>(() => InceptionExtractor.Load(heads));
    }

    [Fact]
    public void Published_LPIPS_heads_are_read_from_their_PyTorch_files()
    {
        using var vgg = WeightFile.Open(Shared.Data("weights/lpips/vgg.pth"));
        using var alex = WeightFile.Open(Shared.Data("weights/lpips/alex.pth"));
        Assert.Equal((WeightKind.LpipsVgg, WeightKind.LpipsAlex), (vgg.Kind, alex.Kind));
        Assert.Contains("published as LPIPS v0.1 for VGG16", vgg.Description, StringComparison.Ordinal);
        Assert.Contains("published as LPIPS v0.1 for AlexNet", alex.Description, StringComparison.Ordinal);
        Assert.Equal([64, 192, 384, 256, 256], Enumerable.Range(0, 5).Select(i => alex[$"lin{i}.model.1.weight"].numel()));
        // The heads were trained to be non-negative.
        foreach (int i in Enumerable.Range(0, 5)) Assert.True(vgg[$"lin{i}.model.1.weight"].min().item<float>() >= 0);
    }

    [Fact]
    public void LPIPS_is_a_distance_that_equals_its_formula()
    {
        using var heads = WeightFile.Open(Shared.Data("weights/lpips/alex.pth"));
        string path = folder["alex.safetensors"];
        using (var network = Drawn(ConvolutionalFeatures.AlexNet())) SafeTensors.Save(path, network.state_dict());
        using var file = WeightFile.Open(path);
        Assert.Equal(WeightKind.AlexNet, file.Kind);
        using var lpips = Lpips.From(file, heads, CPU);
        var (x, y) = (Images(2, 64), Images(2, 64));
        Assert.Equal(0, lpips.Between(x, x).abs().sum().item<float>());
        var distance = lpips.Between(x, y);
        Assert.True(distance.gt(0).all().item<bool>());
        Assert.True(lpips.Between(y, x).allclose(distance));
        // The formula anew from the file's tensors: layer by layer, one position at a time in the sum.
        Tensor[] Maps(Tensor t)
        {
            t = (t - tensor(new[] { -.030f, -.088f, -.188f }).view(1, 3, 1, 1)) / tensor(new[] { .458f, .448f, .450f }).view(1, 3, 1, 1);
            Tensor Layer(Tensor v, int i, long stride, long padding) => nn.functional.relu(nn.functional.conv2d(v, file[$"features.{i}.weight"], file[$"features.{i}.bias"], [stride, stride], [padding, padding]));
            var a = Layer(t, 0, 4, 2);
            var b = Layer(nn.functional.max_pool2d(a, 3, 2), 3, 1, 2);
            var c = Layer(nn.functional.max_pool2d(b, 3, 2), 6, 1, 1);
            var d = Layer(c, 8, 1, 1);
            return [a, b, c, d, Layer(d, 10, 1, 1)];
        }
        var expected = zeros(2);
        foreach (var ((a, b), i) in Maps(x).Zip(Maps(y)).Select((m, i) => (m, i)))
        {
            var difference = nn.functional.normalize(a, 2, 1) - nn.functional.normalize(b, 2, 1);
            expected += nn.functional.conv2d(difference.square(), heads[$"lin{i}.model.1.weight"]).mean([1, 2, 3]);
        }
        Assert.True(distance.allclose(expected, 1e-4, 1e-6));
        Assert.Throws<ArgumentException>(() => lpips.Between(x.narrow(2, 0, 20), y.narrow(2, 0, 20)));
    }

    [Fact]
    public void DISTS_is_zero_for_equal_images_symmetric_and_forgives_texture_shifts()
    {
        using var network = Drawn(Dists.Network());
        using var texture = new Dists(Drawn(Dists.Network()), ones(1475), zeros(1475), "", "", CPU);
        using var structure = new Dists(Drawn(Dists.Network()), zeros(1475), ones(1475), "", "", CPU);
        using var dists = new Dists(network, ones(1475), ones(1475), "", "", CPU);
        var (x, y) = ((Images(1, 32) + 1) / 2, (Images(1, 32) + 1) / 2);
        Assert.Equal(0, dists.Between(x, x).item<float>(), 1e-5);
        float distance = dists.Between(x, y).item<float>();
        Assert.InRange(distance, 0.01f, 1f);
        Assert.Equal(distance, dists.Between(y, x).item<float>(), 1e-5);
        // Means do not see where things are, covariances see little else: a cyclic shift keeps the one and loses the other.
        var (kept, lost) = (texture.Between(x, x.roll(8, 3)).item<float>(), structure.Between(x, x.roll(8, 3)).item<float>());
        Assert.True(kept < 0.5 * lost, $"{kept} {lost}");
        Assert.Throws<InvalidDataException>(() => new Dists(Dists.Network(), ones(3), ones(3), "", "", CPU));
    }

    [Fact]
    public void PyTorch_files_that_hold_more_than_weights_are_refused()
    {
        // A pickle that would call os.system, as protocol 2.
        byte[] evil = [0x80, 2, .. "cos\nsystem\n"u8, (byte)'U', 2, (byte)'l', (byte)'s', 0x85, (byte)'R', (byte)'.'];
        string path = folder["evil.pt"];
        using (var zip = new System.IO.Compression.ZipArchive(File.Create(path), System.IO.Compression.ZipArchiveMode.Create))
        using (var entry = zip.CreateEntry("archive/data.pkl", System.IO.Compression.CompressionLevel.NoCompression).Open()) entry.Write(evil);
        Assert.Contains("os.system", Assert.Throws<InvalidDataException>(() => TorchFile.Load(path)).Message, StringComparison.Ordinal);
        string cut = folder.Write("cut.pth", File.ReadAllBytes(Shared.Data("weights/lpips/alex.pth"))[..3000]);
        Assert.Throws<InvalidDataException>(() => TorchFile.Load(cut));
        Assert.Throws<FileNotFoundException>(() => TorchFile.Load(folder["absent.pt"]));
    }

    [Theory]
    [InlineData("weights/csdi/model.pth")]
    [InlineData("weights/ddpm_pulfer/ddpm_mnist.pt")]
    [InlineData("weights/tae/taef2_decoder.pth")]
    [InlineData("weights/lpips/squeeze.pth")]
    public void PyTorch_files_of_both_formats_open(string file)
    {
        var tensors = TorchFile.Load(Shared.Data(file));
        Assert.NotEmpty(tensors);
        Assert.All(tensors.Values, t => Assert.True(!t.is_floating_point() || t.isfinite().all().item<bool>()));
        long bytes = tensors.Values.Sum(t => t.numel() * t.element_size());
        // All but names and padding of the file is tensors.
        Assert.InRange((double)bytes / new FileInfo(Shared.Data(file)).Length, 0.5, 1.0);
        foreach (var tensor in tensors.Values) tensor.Dispose();
    }
}
