using Langevin.Data;
using Langevin.Metrics;
using Langevin.Metrics.Images;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class NiqeTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Generator random = new(5);

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    /// <summary>Waves and a noise of hashed coordinates, [1, H, W], about 0 to 255: an image that other programs can make too.</summary>
    private static Tensor Waves(int height, int width, double noise)
    {
        var x = new double[height, width];
        for (long i = 0; i < height; i++)
            for (long j = 0; j < width; j++)
            {
                long hash = ((j * 73856093) ^ (i * 19349663) ^ (j * i * 83492791)) & 255;
                x[i, j] = 128 + 50 * Math.Sin(j / 37.0 + i * i / 900.0) + 20 * Math.Cos(j * i / 401.0) + noise * (hash - 127.5) / 128;
            }
        return tensor(x, float64).unsqueeze(0);
    }

    private static NiqeModel WavesModel() => NiqeModel.Fit([Waves(200, 300, 12), Waves(300, 300, 5), Waves(200, 400, 25)], 255, new() { Sharpness = 0.3 });

    private Tensor Noisy(Tensor images, double sigma) => images + sigma * randn(images.shape, float64, generator: random);

    private static Tensor Blurred(Tensor image, double sigma)
    {
        int radius = (int)Math.Ceiling(4 * sigma);
        var weights = (arange(-radius, radius + 1, float64).square() / (-2 * sigma * sigma)).exp();
        weights = (weights / weights.sum()).view(1, 1, -1, 1);
        var padded = nn.functional.pad(image.to(float64).unsqueeze(0), [radius, radius, radius, radius], TorchSharp.PaddingModes.Replicate);
        return nn.functional.conv2d(nn.functional.conv2d(padded, weights), weights.transpose(2, 3))[0];
    }

    [Theory]
    [InlineData(2, 1, 1)] // Gaussian
    [InlineData(1, 1, 1)] // Laplace
    [InlineData(1, 0.5, 2)]
    [InlineData(0.6, 1.5, 0.7)]
    [InlineData(3.5, 0.3, 0.4)]
    public void Fit_finds_the_parameters_that_samples_were_drawn_from(double shape, double left, double right)
    {
        // |x/β|^α has the gamma distribution of shape 1/α; the sides have probabilities β₁ and β₂ over their sum.
        long n = 400_000;
        var uniform = rand([n], float64, generator: random);
        var gamma = Gamma(1 / shape, n).pow(1 / shape);
        var x = where(uniform.lt(left / (left + right)), gamma * -left, gamma * right);
        var (s, l, r) = AsymmetricGaussian.Fit(x.unsqueeze(0));
        // Four standard errors of moments of 4e5 samples are about 1 %; of the shape more, the flatter its curve.
        Assert.Equal(shape, s[0].item<double>(), 0.03 * shape);
        Assert.Equal(left, l[0].item<double>(), 0.03 * left);
        Assert.Equal(right, r[0].item<double>(), 0.03 * right);
        Assert.Equal(x.mean().item<double>(), AsymmetricGaussian.Mean(s, l, r)[0].item<double>(), 0.01 * (left + right));
    }

    /// <summary>Gamma variates by inverting a table of the distribution function.</summary>
    private Tensor Gamma(double shape, long n)
    {
        // x = y^(1/shape) has density ∝ exp(−y^(1/shape)) in y, which is smooth at 0.
        var y = arange(0, 400_001, float64) * (Math.Pow(40, shape) / 400_000);
        var density = (-y.pow(1 / shape)).exp();
        var distribution = density.cumsum(0);
        distribution /= distribution[-1];
        var at = searchsorted(distribution, rand([n], float64, generator: random)).clamp_max(400_000);
        return y[at].pow(1 / shape);
    }

    [Fact]
    public void Moments_that_belong_to_a_shape_give_that_shape()
    {
        // Samples at ±1 have the ratio 1, beyond the largest shape; half zeros have the ratio ½ = Laplace's Γ(2)²/(Γ(1)Γ(3)).
        var signs = tensor(new[] { 1.0, -1, 1, -1, 0, 0, 0, 0 }).unsqueeze(0);
        Assert.Equal(10, AsymmetricGaussian.Fit(signs.narrow(1, 0, 4)).Shape[0].item<double>(), 1e-9);
        var (shape, left, right) = AsymmetricGaussian.Fit(signs);
        Assert.Equal(1, shape[0].item<double>(), 1e-9);
        // Root mean square 1 of either side, times √(Γ(1)/Γ(3)).
        Assert.Equal(Math.Sqrt(0.5), left[0].item<double>(), 1e-9);
        Assert.Equal(Math.Sqrt(0.5), right[0].item<double>(), 1e-9);
        Assert.True(AsymmetricGaussian.Fit(signs.abs()).Left.isnan().all().item<bool>());
    }

    [Fact]
    public void Features_are_those_of_another_program()
    {
        // By NumPy 1.24 and SciPy 1.10, patch by patch (BasicSR's compute_feature; imresize by its formula).
        double[] expected =
        [
            6.15, 1.2041311230892975, 1.136, -0.06733482876605527, 0.4329135235240335, 0.3536274812075767, 1.129, -0.06470481337182805, 0.43135566942086745,
            0.35570814456506256, 1.097, -0.0019186171738434146, 0.38605320525404546, 0.38388552445403584, 1.084, -0.023389467363814913, 0.3903033336998227,
            0.36426251303608415, 1.464, 0.4267628893426511, 0.553, 0.027773211625959814, 0.01946388069046611, 0.026308912931987775, 0.562, 0.012651281306876733,
            0.022482466841628145, 0.025784817030240787, 0.551, 0.005720213540451101, 0.02179027507914474, 0.023181769569999396, 0.534, 0.015681852946509388,
            0.018812995263146504, 0.022209536210500203,
        ];
        double[] sharpness = [8.56471669723887, 9.857273007968685, 11.763376493382184, 14.839257149991873, 15.390586280869387, 16.151316829584587];
        var (features, sharp) = SceneStatistics.Of(Waves(200, 300, 12)[0], 96);
        Assert.Equal([6, 36], features.shape);
        double[] actual = features[0].data<double>().ToArray();
        for (int i = 0; i < 36; i++) Assert.Equal(expected[i], actual[i], 1e-9);
        double[] actualSharpness = sharp.data<double>().ToArray();
        for (int i = 0; i < 6; i++) Assert.Equal(sharpness[i], actualSharpness[i], 1e-9);
        double[] last = [2.013, 0.729544332245566, 0.696, 0.044201365608869725, 0.07578899425589986, 0.0977196880075067, 0.717, 0.04524387038727679];
        for (int i = 0; i < last.Length; i++) Assert.Equal(last[i], features[5, i].item<double>(), 1e-9);
    }

    [Fact]
    public void Scores_of_photographs_are_those_of_another_program()
    {
        // BasicSR's niqe() with imresize by its formula, under parameters fitted by NumPy to the first 30 files. Fifteen of
        // these have saturated areas, where that program was made to take |I − μ| < 1e-9 for 0; the three scored have none.
        var photographs = Photographs();
        using var model = NiqeModel.Fit(photographs[..30], 255);
        Assert.Equal(121, model.Patches);
        Assert.Equal(2.8412809917355397, model.Mean()[0].item<double>(), 1e-9);
        Assert.Equal(0.4616472037190091, model.Covariance()[0, 0].item<double>(), 1e-9);
        double[] expected = [4.694562671470818, 3.2715883165051687, 3.877532635417426];
        for (int i = 0; i < 3; i++) Assert.Equal(expected[i], model.Score(photographs[30 + i].unsqueeze(0), 255)[0].item<double>(), 1e-7);
    }

    [Fact]
    public void Noise_and_blur_raise_the_score_of_held_out_photographs()
    {
        var photographs = Photographs();
        using var model = NiqeModel.Fit(photographs[..30], 255);
        double Mean(Func<Tensor, Tensor> change) => photographs[30..].Average(p =>
        {
            using var one = NewDisposeScope();
            return model.Score(change(p).unsqueeze(0), 255)[0].item<double>();
        });
        double[] noise = [Mean(p => p), .. new[] { 5.0, 10, 20, 40 }.Select(s => Mean(p => Noisy(p, s)))];
        double[] blur = [noise[0], .. new[] { 0.5, 1.0, 2 }.Select(s => Mean(p => Blurred(p, s)))];
        TestContext.Current.SendDiagnosticMessage($"NIQE by noise {string.Join(' ', noise.Select(n => n.ToString("f2")))}, by blur {string.Join(' ', blur.Select(n => n.ToString("f2")))}");
        for (int i = 1; i < noise.Length; i++) Assert.True(noise[i] > noise[i - 1] + 0.5);
        for (int i = 1; i < blur.Length; i++) Assert.True(blur[i] > blur[i - 1] + 0.5);
    }

    /// <summary>Grey photographs in the order of their names, values 0 to 255.</summary>
    private static Tensor[] Photographs()
    {
        string[] files = [.. Directory.GetFiles(Shared.Data("images/bsd68-gray"), "*.png").Order(StringComparer.Ordinal)];
        if (files.Length < 40) Assert.Skip("fewer than 40 photographs are there");
        return [.. files.Take(40).Select(f => ((ImageFile.Load(f, grey: true).to(float64) + 1) * 127.5).round())];
    }

    [Fact]
    public void Score_does_not_depend_on_units_turning_grey_or_company()
    {
        using var model = WavesModel();
        var image = Waves(288, 288, 9).unsqueeze(0);
        double score = model.Score(image, 255)[0].item<double>();
        Assert.Equal(score, model.Score(image / 127.5 - 1, 2)[0].item<double>(), 1e-6);
        // One more row and column fit into no patch.
        Assert.Equal(score, model.Score(Waves(289, 289, 9).unsqueeze(0), 255)[0].item<double>(), 1e-9);
        // 0.2989 + 0.5870 + 0.1140 = 0.9999.
        Assert.Equal(score, model.Score(image.expand(1, 3, 288, 288) / 0.9999, 255)[0].item<double>(), 1e-6);
        var both = model.Score(cat([image, image.flip(3)]), 255);
        Assert.Equal([2], both.shape);
        Assert.Equal(score, both[0].item<double>(), 1e-9);
        Assert.True(score > 0);
    }

    [Fact]
    public void Image_with_the_model_s_own_statistics_scores_nothing()
    {
        var image = Waves(288, 288, 9);
        using var model = NiqeModel.Fit([image], 255, new() { Sharpness = 0 });
        Assert.Equal(9, model.Patches);
        Assert.Equal(0, model.Score(image.unsqueeze(0), 255)[0].item<double>(), 1e-6);
        Assert.True(model.Score(Noisy(image.unsqueeze(0), 20), 255)[0].item<double>() > 1);
    }

    [Fact]
    public void Flat_patches_are_left_out()
    {
        using var model = WavesModel();
        var image = Waves(192, 288, 9);
        // The border of the flat part sees its neighbours: a margin of a window at half size.
        var flat = cat([image, full([1, 192, 192], 200, float64)], 2);
        var alone = model.Score(image.unsqueeze(0), 255)[0].item<double>();
        Assert.InRange(model.Score(flat.unsqueeze(0), 255)[0].item<double>(), 0.3 * alone, 3 * alone);
        var e = Assert.Throws<ArgumentException>(() => model.Score(full([1, 1, 192, 192], 3, float64), 255));
        Assert.Contains("image 0 has 0 patches", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sharp_patches_alone_are_learned_from()
    {
        var image = Waves(96, 384, 12);
        image.narrow(2, 0, 96).mul_(0.02);
        using var all = NiqeModel.Fit([image], 255, new() { Sharpness = 0 });
        using var sharp = NiqeModel.Fit([image], 255, new() { Sharpness = 0.3 });
        Assert.Equal(4, all.Patches);
        Assert.Equal(3, sharp.Patches);
    }

    [Fact]
    public void Model_is_the_same_after_a_file()
    {
        using var folder = new TempFolder();
        using var model = NiqeModel.Fit([Waves(200, 300, 12)], 255, new() { Patch = 48, Sharpness = 0.3 });
        model.Save(folder["niqe.safetensors"]);
        using var again = NiqeModel.Load(folder["niqe.safetensors"]);
        Assert.Equal((model.Patch, model.Patches), (again.Patch, again.Patches));
        var image = Waves(100, 200, 3).unsqueeze(0);
        Assert.Equal(model.Score(image, 255)[0].item<double>(), again.Score(image, 255)[0].item<double>());
        Assert.True(model.Mean().SameAs(again.Mean()) && model.Covariance().SameAs(again.Covariance()));
        Langevin.Hub.SafeTensors.Save(folder["other.safetensors"], [new("mean", zeros(36))]);
        Assert.Contains("not a NIQE model", Assert.Throws<InvalidDataException>(() => NiqeModel.Load(folder["other.safetensors"])).Message, StringComparison.Ordinal);
        var header = new Dictionary<string, string> { ["kind"] = "niqe", ["patch"] = "96", ["patches"] = "5" };
        Langevin.Hub.SafeTensors.Save(folder["short.safetensors"], [new("mean", zeros(35)), new("covariance", zeros(36, 36))], header);
        Assert.Contains("damaged NIQE model", Assert.Throws<InvalidDataException>(() => NiqeModel.Load(folder["short.safetensors"])).Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => NiqeModel.Load(folder["absent.safetensors"]));
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        using var model = WavesModel();
        void Refused(Action action, string part) => Assert.Contains(part, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
        Refused(() => model.Score(zeros(1, 2, 192, 192), 255), "one or three channels");
        Refused(() => model.Score(zeros(1, 1, 95, 192), 255), "at least 96 × 96");
        Refused(() => model.Score(zeros(1, 192, 192), 255), "[N, C, H, W]");
        Refused(() => model.Score(zeros(1, 1, 192, 192) * double.NaN, 255), "NaN");
        Refused(() => model.Score(zeros(1, 1, 192, 192), 0), "above 0");
        Refused(() => NiqeModel.Fit([], 255), "0 usable patches");
        Refused(() => NiqeModel.Fit([Waves(96, 96, 5)], 255), "1 usable patches");
        Refused(() => NiqeModel.Fit([zeros(1, 1, 96, 96)], 255), "[C, H, W]");
        Refused(() => NiqeModel.Fit([Waves(192, 192, 5)], 255, new() { Patch = 95 }), "even");
        Refused(() => NiqeModel.Fit([Waves(192, 192, 5)], 255, new() { Sharpness = 1 }), "below 1");
        Refused(() => new NiqeModel(zeros(35), zeros(36, 36)).Dispose(), "expected a mean [36]");
        Refused(() => new NiqeModel(zeros(36), arange(36 * 36, float64).view(36, 36)).Dispose(), "symmetric");
    }

    [Fact]
    public void Leave_no_tensors()
    {
        var image = Waves(192, 192, 9);
        Leak.None(() =>
        {
            using var model = NiqeModel.Fit([image], 255, new() { Sharpness = 0 });
            using var images = image.unsqueeze(0);
            using var score = model.Score(images, 255);
        });
    }
}
