using System.Globalization;
using System.Text.Json.Nodes;
using Langevin.Data;
using Langevin.Hub;
using Langevin.Metrics.Extractors;
using static TorchSharp.torch;

namespace Langevin.Tests.Cli;

/// <summary><c>langevin evaluate --real A --fake B</c> on small folders.</summary>
public sealed class EvaluateFoldersTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    private string Images(string name, int count, double level, long seed, int side = 12, long channels = 3)
    {
        using var random = new Generator((ulong)seed);
        for (int i = 0; i < count; i++)
        {
            string path = folder[$"{name}/{i:d3}.png"];
            ImageGrid.Save(path, (rand([channels, side, side], generator: random) * 0.5 + level).clamp(-1, 1), padding: 0);
        }
        return folder[name];
    }

    private static async Task<JsonObject> Json(params string[] args)
    {
        var (code, output, error) = await Command.Run(["evaluate", .. args, "--json", "--resamples", "20"]);
        Assert.True(code == 0, error);
        return JsonNode.Parse(output)!.AsObject();
    }

    private static JsonNode Of(JsonObject report, string name) => report["measures"]!.AsArray().Single(m => (string)m!["name"]! == name)!;

    [Fact]
    public async Task Sets_of_images_get_numbers_intervals_counts_and_warnings()
    {
        string real = Images("real", 60, 0, 1), alike = Images("alike", 50, 0, 2), far = Images("far", 50, 0.4, 3);
        string[] measures = ["--metrics", "fid,kid,prdc,vendi,ndb,cmmd,memorisation,fld"];
        var near = await Json(["--real", real, "--fake", alike, .. measures]);
        var other = await Json(["--real", real, "--fake", far, .. measures]);
        Assert.Equal((60, 50), ((int)near["real"]!["count"]!, (int)near["fake"]!["count"]!));
        Assert.Contains(near["warnings"]!.AsArray(), w => ((string)w!).Contains("means little", StringComparison.Ordinal));
        Assert.Equal(16, ((string)near["networks"]![0]!["hash"]!).Length);
        Assert.Equal((string)near["networks"]![0]!["hash"]!, (string)other["networks"]![0]!["hash"]!);
        foreach (string name in new[] { "fid", "kid", "cmmd", "ndb-jsd", "fld" })
            Assert.True((double)Of(other, name)["value"]! > (double)Of(near, name)["value"]!, name);
        foreach (string name in new[] { "precision", "coverage" })
            Assert.True((double)Of(other, name)["value"]! < (double)Of(near, name)["value"]!, name);
        var fid = Of(other, "fid");
        Assert.True((double)fid["low"]! <= (double)fid["value"]! && (double)fid["value"]! <= (double)fid["high"]!);
        Assert.Equal(0, (double)Of(near, "memorisation")["value"]!);
    }

    [Fact]
    public async Task Pairs_are_matched_by_name()
    {
        string real = Images("real", 5, 0, 1), fake = Images("fake", 5, 0.1, 1);
        var same = await Json("--real", real, "--fake", real, "--metrics", "psnr,ssim,mse,delta-e");
        Assert.Null((double?)Of(same, "psnr")["value"]);
        Assert.Equal(1, (double)Of(same, "ssim")["value"]!, 1e-9);
        var shifted = await Json("--real", real, "--fake", fake, "--metrics", "psnr,mae,rmse");
        // Every value is 0.1 of [−1, 1] brighter, up to a byte's rounding: 0.05 of [0, 1].
        Assert.Equal(0.05, (double)Of(shifted, "mae")["value"]!, 0.003);
        Assert.Equal(-20 * Math.Log10(0.05), (double)Of(shifted, "psnr")["value"]!, 0.6);
        await Command.Refuses(["evaluate", "--real", real, "--fake", Images("more", 6, 0, 4), "--metrics", "psnr"], "equal counts");
        File.Move(folder["fake/000.png"], folder["fake/00a.png"]);
        await Command.Refuses(["evaluate", "--real", real, "--fake", fake, "--metrics", "psnr"], "000.png");
    }

    private string Clouds(string name, int count, Func<int, Tensor> cloud)
    {
        for (int i = 0; i < count; i++)
        {
            double[] p = cloud(i).to(ScalarType.Float64).data<double>().ToArray();
            Directory.CreateDirectory(folder[name]);
            File.WriteAllLines(folder[$"{name}/{i:d3}.xyz"], p.Chunk(3).Select(v => string.Join(' ', v.Select(c => c.ToString("r", CultureInfo.InvariantCulture)))));
        }
        return folder[name];
    }

    [Fact]
    public async Task Point_clouds_get_their_measures()
    {
        using var random = new Generator(1);
        Tensor Ball(double size) { var x = randn([64, 3], generator: random); return x / x.norm(1, keepdim: true) * size; }
        string real = Clouds("real", 12, _ => Ball(0.2)), alike = Clouds("alike", 10, _ => Ball(0.2)), far = Clouds("far", 10, _ => Ball(0.4));
        var near = await Json("--real", real, "--fake", alike);
        var other = await Json("--real", real, "--fake", far, "--metrics", "mmd,cov,1nna,jsd,mmd-emd,1nna-emd");
        Assert.Equal("point clouds", (string)near["kind"]!);
        Assert.Equal((12, 10), ((int)near["real"]!["count"]!, (int)near["fake"]!["count"]!));
        foreach (string name in new[] { "mmd", "jsd", "1nna" }) Assert.True((double)Of(other, name)["value"]! > (double)Of(near, name)["value"]!, name);
        // Spheres of radius 0.2 and 0.4: every point is at least 0.2 from the nearest, and no cloud is nearer to the other set.
        Assert.InRange((double)Of(other, "mmd")["value"]!, 2 * 0.04, 2 * 0.08);
        Assert.InRange((double)Of(other, "mmd-emd")["value"]!, 0.2, 0.35);
        Assert.Equal((1.0, 1.0), ((double)Of(other, "1nna")["value"]!, (double)Of(other, "1nna-emd")["value"]!));
        var mmd = Of(other, "mmd");
        Assert.True((double)mmd["low"]! <= (double)mmd["value"]! && (double)mmd["value"]! <= (double)mmd["high"]!);

        // Pairs: the same clouds, and each point moved by 0.01.
        var same = await Json("--real", real, "--fake", real, "--metrics", "chamfer,emd,fscore");
        Assert.Equal((0.0, 0.0, 1.0), ((double)Of(same, "chamfer")["value"]!, (double)Of(same, "emd")["value"]!, (double)Of(same, "fscore")["value"]!));
        await Command.Refuses(["evaluate", "--real", real, "--fake", alike, "--metrics", "emd"], "equal counts");
        await Command.Refuses(["evaluate", "--real", real, "--fake", alike, "--metrics", "fid"], "No measure 'fid' for point clouds");
        await Command.Refuses(["evaluate", "--real", real, "--fake", alike, "--points", "99"], "fewer than --points 99");
        await Command.Refuses(["evaluate", "--real", real, "--fake", alike, "--kind", "images"], "expected images");
    }

    [Fact]
    public async Task Weight_files_bring_their_networks_and_hashes()
    {
        string real = Images("real", 6, 0, 1, 40), fake = Images("fake", 6, 0.3, 2, 40);
        string inception = folder["inception.safetensors"], alex = folder["alex.safetensors"], heads = Shared.Data("weights/lpips/alex.pth");
        using (var network = new Inception()) SafeTensors.Save(inception, network.state_dict());
        using (var network = ConvolutionalFeatures.AlexNet()) SafeTensors.Save(alex, network.state_dict());
        var report = await Json("--real", real, "--fake", fake, "--metrics", "kid,is,lpips", "--weights", inception, alex, heads);
        Assert.Equal(2, report["networks"]!.AsArray().Count);
        Assert.Contains("Inception", (string)report["networks"]![0]!["name"]!, StringComparison.Ordinal);
        Assert.Contains("published as LPIPS v0.1 for AlexNet", (string)report["networks"]![1]!["name"]!, StringComparison.Ordinal);
        Assert.True((double)Of(report, "is")["value"]! >= 1);
        Assert.True((double)Of(report, "lpips")["value"]! > 0);
        await Command.Refuses(["evaluate", "--real", real, "--fake", fake, "--metrics", "lpips", "--weights", inception], "lpips");
    }

    [Fact]
    public async Task Rows_are_their_own_features()
    {
        string Csv(string name, double shift) => folder.Write(name, string.Join('\n', Enumerable.Range(0, 40).Select(i => FormattableString.Invariant($"{Math.Sin(i * 1.7) + shift},{Math.Cos(i * 2.3)}"))));
        Csv("a/1.csv", 0);
        Csv("b/1.csv", 0.5);
        var report = await Json("--real", folder["a"], "--fake", folder["b"]);
        Assert.Equal(0.25, (double)Of(report, "fid")["value"]!, 1e-5);
        Assert.Contains(report["measures"]!.AsArray(), m => (string)m!["name"]! == "kid");
    }

    [Fact]
    public async Task A_table_says_the_same()
    {
        string real = Images("real", 12, 0, 1);
        var (code, output, _) = await Command.Run("evaluate", "--real", real, "--fake", real, "-m", "prdc", "--neighbours", "3");
        Assert.Equal(0, code);
        Assert.Contains("precision\t1\t", output, StringComparison.Ordinal);
        Assert.Contains("12 real, 12 generated", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_what_cannot_be_compared()
    {
        string real = Images("real", 6, 0, 1);
        await Command.Refuses(["evaluate"], "--real");
        await Command.Refuses(["evaluate", "--real", real], "--fake");
        await Command.Refuses(["evaluate", "--real", real, "--fake", folder["nowhere"]], "nowhere");
        await Command.Refuses(["evaluate", "--real", real, "--fake", real, "--metrics", "fit"], "fid");
        await Command.Refuses(["evaluate", "--real", real, "--fake", real, "--metrics", "is"], "classes");
        await Command.Refuses(["evaluate", "--real", real, "--fake", real, "--metrics", "sfid"], "--weights");
        await Command.Refuses(["evaluate", "--real", real, "--fake", real, "--metrics", "lpips"], "--weights");
        await Command.Refuses(["evaluate", "--real", real, "--fake", real, "--weights", folder["absent.pth"]], "absent.pth");
        await Command.Refuses(["evaluate", "--real", real, "--fake", Images("big", 6, 0, 1, 16)], "--size");
        await Command.Refuses(["evaluate", "--real", real, "--fake", folder.Write("x.csv", "1,2\n3,4\n")], "images");
        await Command.Refuses(["evaluate", "--real", real, "--fake", real, "--resamples", "1"], "resamples");
    }
}
