using System.Text.Json.Nodes;
using Langevin.Cli;
using Langevin.Cli.Restoration;
using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Formulations;
using Langevin.Hub;
using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Cli;

/// <summary>Restoring and editing a user's own pictures with a model folder, here tiny and untrained.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string Model(long channels, string formulation = "ddpm", string name = "model")
    {
        string config = $$"""
            { "_class_name": "UNet2DModel", "sample_size": [16, 16], "in_channels": {{channels}}, "out_channels": {{channels}}, "block_out_channels": [8], "layers_per_block": 1,
              "down_block_types": ["DownBlock2D"], "up_block_types": ["UpBlock2D"], "norm_num_groups": 4 }
            """;
        using var scope = NewDisposeScope();
        manual_seed(1);
        var options = new FormulationOptions { Name = formulation };
        using var model = new DiffusionModel(NetworkConfig.Create(config), Formulation.Create(options), new() { Formulation = options, Data = "test", ItemShape = [channels, 16, 16] });
        model.Save(folder[name]);
        return folder[name];
    }

    private string Picture(string name, long channels, long side = 16)
    {
        using var scope = NewDisposeScope();
        var at = linspace(-0.9, 0.9, side);
        var picture = stack([.. Enumerable.Range(0, (int)channels).Select(c => (c == 1 ? at.unsqueeze(0) : at.unsqueeze(1)).expand(side, side))]);
        ImageGrid.Save(folder[name], picture, 1, 0);
        return folder[name];
    }

    private async Task<JsonNode> Restore(params string[] args)
    {
        var (code, output, error) = await Command.Run(["restore", .. args, "--steps", "4", "--samples", "2", "--json", "--device", "cpu"]);
        Assert.True(code == App.Ok, error);
        return JsonNode.Parse(output)!;
    }

    public static TheoryData<string> Tasks() => [.. RestorationTask.Names];

    [Theory, MemberData(nameof(Tasks))]
    public async Task Every_task_restores_what_it_damaged(string task)
    {
        long channels = task is "colorize" ? 3 : 1;
        string picture = Picture("truth.png", channels, 20), target = folder["out"];
        var result = await Restore(Model(channels, "flow"), "--task", task, "--in", picture, "--degrade", "--noise", task is "jpeg" or "hdr" ? "0" : "0.1", "--out", target);
        foreach (string part in (string[])["restored-seed0-00.png", "restored-seed0-01.png", "comparison-seed0.png", "restored-seed0.safetensors", "restore.json"])
            Assert.True(File.Exists(Path.Combine(target, part)), part);
        foreach (string what in (string[])["samples", "mean", "classical"])
            Assert.True(double.IsFinite((double)result[what]!["psnr"]!) && (double)result[what]!["ssim"]! <= 1, what);
        Assert.True(double.IsFinite((double)result["misfit"]!) && (double)result["spread"]! >= 0 && (int)result["evaluations"]! >= 4);
        // The measurement it wrote can be restored again, without the truth.
        string[] mask = task == "inpaint" ? ["--mask", Picture("mask.png", 1)] : [];
        var again = await Restore(["--task", task, "--in", Path.Combine(target, "restored-seed0.safetensors"), "--out", folder["again"], folder["model"], .. mask]);
        Assert.Null(again["samples"]);
    }

    [Theory]
    [InlineData("ddnm")]
    [InlineData("ddrm")]
    [InlineData("dps")]
    [InlineData("pigdm")]
    [InlineData("diffpir")]
    [InlineData("reddiff")]
    [InlineData("mcg")]
    public async Task Every_method_restores(string method)
    {
        var result = await Restore(Model(1), "--task", "superres", "--factor", "2", "--in", Picture("truth.png", 1), "--degrade", "--method", method, "--out", folder["out"]);
        Assert.Equal(method, (string)result["method"]!);
        // Those that project explain a measurement without noise exactly, whatever the model: float32 leaves 1e-5 or so.
        if (method is "ddnm" or "ddrm" or "mcg" or "diffpir") Assert.True((double)result["misfit"]! < 1e-4, $"{result["misfit"]}");
    }

    [Fact]
    public async Task A_damaged_picture_of_ones_own_is_restored()
    {
        string model = Model(1), small = Picture("small.png", 1, 8);
        var result = await Restore(model, "--task", "superres", "--factor", "2", "--in", small, "--out", folder["a"]);
        Assert.True((double)result["misfit"]! < 1e-4);
        await Restore(model, "--task", "inpaint", "--in", Picture("holes.png", 1), "--mask", Picture("mask.png", 1), "--method", "repaint", "--out", folder["b"]);
        // CCDF: the first half of the steps is left out.
        result = await Restore(model, "--task", "superres", "--factor", "2", "--in", small, "--strength", "0.5", "--out", folder["c"]);
        Assert.Equal(2, (int)result["evaluations"]!);
    }

    // 30 pictures, of which 3 are held out.
    private string Data(int count = 30, long side = 16)
    {
        using var scope = NewDisposeScope();
        Directory.CreateDirectory(folder["data"]);
        for (int i = 0; i < count; i++)
        {
            var picture = full([1, 1, side, side], -1f);
            picture.narrow(2, i % 7, 6).narrow(3, i % 5, 3 + i % 8).fill_(0.2f + 0.02f * i);
            ImageGrid.Save(folder[$"data/{i:d2}.png"], picture, 1, 0);
        }
        return folder["data"];
    }

    [Fact]
    public async Task Held_out_pictures_are_restored_under_every_task()
    {
        var result = await Restore(Model(1, "flow"), "--task", "all", "--data", Data(), "--count", "3", "--noise", "0.1", "--out", folder["out"]);
        Assert.Equal([.. RestorationTask.Names.Where(n => n != "colorize")], result["tasks"]!.AsArray().Select(t => (string)t!["task"]!));
        foreach (string file in result["files"]!.AsArray().Select(f => (string)f!).Append(Path.Combine(folder["out"], "restore.json"))) Assert.True(File.Exists(file), file);
        foreach (var task in result["tasks"]!.AsArray())
            foreach (string measure in (string[])["psnr", "ssim"])
            {
                var scores = task![measure]!;
                string best = (string)scores["best_classical"]!;
                Assert.All(scores["classical"]!.AsObject(), c => Assert.True((double)c.Value!["mean"]! <= (double)scores["classical"]![best]!["mean"]!));
                foreach (string what in (string[])["sample", "mean"])
                {
                    var figure = scores[what]!;
                    Assert.True((double)figure["low"]! <= (double)figure["mean"]! && (double)figure["mean"]! <= (double)figure["high"]!, $"{task["task"]} {what}");
                    // The gain is over pairs: its mean is the difference of the means.
                    Assert.Equal((double)figure["mean"]! - (double)scores["classical"]![best]!["mean"]!, (double)figure["gain"]!["mean"]!, 1e-9);
                }
            }
    }

    [Fact]
    public async Task A_picture_of_the_table_is_restored_as_it_is_alone()
    {
        string model = Model(1), data = Data();
        using var scope = NewDisposeScope();
        var truth = Judgement.HeldOut(Datasets.Open(data)).Get([0], 0).Samples;
        SafeTensors.Save(folder["truth.safetensors"], [KeyValuePair.Create("truth", truth)]);
        string[] same = ["--task", "superres", "--noise", "0.1", "--seed", "7", model];
        var table = (await Restore([.. same, "--data", data, "--count", "3", "--out", folder["a"]]))["tasks"]![0]!;
        var alone = await Restore([.. same, "--in", folder["truth.safetensors"], "--degrade", "--out", folder["b"]]);
        // Batches of another size may round differently, in the seventh digit.
        Assert.Equal((double)alone["samples"]!["psnr"]!, (double)table["psnr"]!["sample"]!["values"]![0]!, 1e-3);
        Assert.Equal((double)alone["mean"]!["ssim"]!, (double)table["ssim"]!["mean"]!["values"]![0]!, 1e-4);
        Assert.Equal((double)alone["baselines"]!["bicubic"]!["psnr"]!, (double)table["psnr"]!["classical"]!["bicubic"]!["values"]![0]!, 1e-3);
        // Pictures that training saw are others.
        var training = (await Restore([.. same, "--data", data, "--count", "3", "--split", "training", "--out", folder["a"]]))["tasks"]![0]!;
        Assert.NotEqual((double)table["psnr"]!["sample"]!["values"]![0]!, (double)training["psnr"]!["sample"]!["values"]![0]!, 1e-3);
    }

    [Fact]
    public async Task Samples_do_not_depend_on_the_number_of_cores()
    {
        string model = Model(1), picture = Picture("truth.png", 1);
        using var scope = NewDisposeScope();
        int threads = get_num_threads();
        async Task<Tensor> With(int n)
        {
            try { await Restore(model, "--task", "deblur", "--noise", "0.1", "--method", "pigdm", "--in", picture, "--degrade", "--threads", $"{n}", "--out", folder[$"{n}"]); }
            finally { set_num_threads(threads); }
            return SafeTensors.Load(folder[$"{n}/restored-seed0.safetensors"])["samples"];
        }
        Assert.True((await With(1) - await With(2)).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public void Scores_are_taken_against_the_best_classical_method_pair_by_pair()
    {
        Baseline a = new("a", y => y), b = new("b", (y, w) => w * y, 0.5, 0.25, 0.5);
        var json = new Scores("psnr", [10, 20, 30], [12, 22, 32], [(a, [1, 2, 3]), (b, [11, 19, 33])]).ToJson();
        Assert.Equal("b", (string)json["best_classical"]!);
        Assert.Equal(22, (double)json["mean"]!["mean"]!, 1e-12);
        Assert.Equal((1 + 3 - 1) / 3.0, (double)json["mean"]!["gain"]!["mean"]!, 1e-12);
        Assert.Equal(2 / 3.0, (double)json["mean"]!["better"]!["share"]!, 1e-12);
        Assert.Equal(1 / 3.0, (double)json["sample"]!["better"]!["share"]!, 1e-12);
        // Of three values a resample's mean lies between the least and the greatest, and one in 27 is all of one.
        Assert.Equal((-1.0, 3.0), ((double)json["mean"]!["gain"]!["low"]!, (double)json["mean"]!["gain"]!["high"]!));
        Assert.Equal(0.5, (double)json["classical"]!["b"]!["weight"]!);
        Assert.Null(json["classical"]!["a"]!["weight"]);
    }

    [Fact]
    public void A_classical_method_is_tuned_to_what_it_is_shown()
    {
        using var scope = NewDisposeScope();
        var truth = zeros(4, 1, 16, 16);
        truth.narrow(2, 4, 7).narrow(3, 5, 8).fill_(1);
        double[] weights = [.. new[] { 0.02, 0.3 }.Select(sigma =>
        {
            using var task = RestorationTask.Create(new() { Task = "deblur", Noise = sigma, KernelSize = 0.7 }, 1, 16, 16);
            var y = task.Measure(truth, 1);
            var (plain, tuned) = (task.Baselines[1], task.Baselines[1].Tuned(y, truth));
            Assert.Contains(tuned.Weight, plain.Weights);
            Assert.All(plain.Weights, w => Assert.True(Quality.Psnr((plain with { Weight = w }).Restore(y), truth).mean().item<double>() <= Quality.Psnr(tuned.Restore(y), truth).mean().item<double>() + 1e-9));
            return tuned.Weight;
        })];
        Assert.True(weights[0] < weights[1], string.Join(", ", weights)); // the noisier, the smoother
    }

    [Theory]
    [InlineData("sdedit")]
    [InlineData("repaint")]
    [InlineData("ilvr")]
    public async Task Every_method_edits(string method)
    {
        string model = Model(3, "edm"), picture = Picture("picture.png", 3, 16), mask = Picture("mask.png", 1);
        string[] more = method == "ilvr" ? ["--factor", "4"] : ["--mask", mask];
        var (code, output, error) = await Command.Run(["edit", model, "--in", picture, "--method", method, "--steps", "6", "-n", "2", "--resamplings", "2", "--json", "--out", folder["out"], .. more]);
        Assert.True(code == App.Ok, error);
        Assert.All(JsonNode.Parse(output)!["files"]!.AsArray(), f => Assert.True(File.Exists((string)f!)));
        if (method == "ilvr") return;
        // What the mask keeps is the picture's, to the rounding of bytes.
        using var scope = NewDisposeScope();
        var kept = ImageFile.Load(mask, grey: true).gt(0);
        var change = (ImageFile.Load(folder["out/edited-seed0-00.png"]) - ImageFile.Load(picture)).abs();
        Assert.True((change * kept).max().item<float>() < 1.01f / 127.5f);
        Assert.True((change * kept.logical_not()).max().item<float>() > 0.05f);
    }

    private Task Refused(string[] args, params string[] words) => Command.Refuses(["restore", .. args, "--out", folder["out"]], words);

    [Fact] public Task No_model() => Refused([folder["none"], "--task", "deblur", "--in", "x.png"], "none");
    [Fact] public Task No_task() => Refused([folder["none"], "--in", "x.png"], "--task");
    [Fact] public Task An_unknown_task() => Refused([folder["none"], "--task", "denois", "--in", "x.png"], "denois");
    [Fact] public Task An_unknown_method() => Refused([Model(1), "--task", "deblur", "--in", "x.png", "--method", "magic"], "magic");
    [Fact] public Task A_picture_that_is_missing() => Refused([Model(1), "--task", "deblur", "--in", folder["no.png"]], "no.png");
    [Fact] public Task A_negative_noise() => Refused([Model(1), "--task", "deblur", "--in", Picture("p.png", 1), "--noise", "-1"], "--noise");
    [Fact] public Task No_steps() => Refused([Model(1), "--task", "deblur", "--in", Picture("p.png", 1), "--steps", "0"], "--steps");
    [Fact] public Task A_picture_of_another_size() => Refused([Model(1), "--task", "deblur", "--in", Picture("p.png", 1, 20)], "p.png", "16");
    [Fact] public Task A_low_resolution_picture_of_the_wrong_size() => Refused([Model(1), "--task", "superres", "--factor", "4", "--in", Picture("p.png", 1, 8)], "p.png", "4");
    [Fact] public Task A_factor_that_does_not_divide() => Refused([Model(1), "--task", "superres", "--factor", "3", "--in", Picture("p.png", 1)], "16", "3");
    [Fact] public Task Colours_of_a_grey_model() => Refused([Model(1), "--task", "colorize", "--in", Picture("p.png", 1)], "channel");
    [Fact] public Task Holes_without_a_mask() => Refused([Model(1), "--task", "inpaint", "--in", Picture("p.png", 1)], "--mask");
    [Fact] public Task A_mask_of_another_size() => Refused([Model(1), "--task", "inpaint", "--in", Picture("p.png", 1), "--mask", Picture("m.png", 1, 8)], "mask", "8");
    [Fact] public Task A_scan_as_a_picture() => Refused([Model(1), "--task", "ct", "--in", Picture("p.png", 1)], "safetensors", "measurement");
    [Fact] public Task A_quality_out_of_range() => Refused([Model(1), "--task", "jpeg", "--quality", "101", "--in", Picture("p.png", 1)], "quality");
    [Fact] public Task A_method_that_needs_a_decomposition() => Refused([Model(1), "--task", "ct", "--in", Picture("p.png", 1), "--degrade", "--method", "ddrm"], "decomposition");
    [Fact] public Task A_method_that_needs_linearity() => Refused([Model(1), "--task", "jpeg", "--in", Picture("p.png", 1), "--degrade", "--method", "diffpir"], "linear");
    [Fact] public Task A_kernel_of_an_even_side() => Refused([Model(1), "--task", "deblur", "--kernel", "uniform", "--kernel-size", "4", "--in", Picture("p.png", 1)], "odd");
    [Fact] public Task A_class_of_a_model_without() => Refused([Model(1), "--task", "deblur", "--in", Picture("p.png", 1), "--class", "3"], "without classes");
    [Fact] public Task Neither_a_picture_nor_data() => Refused([Model(1), "--task", "deblur"], "--data");
    [Fact] public Task More_pictures_than_are_held_out() => Refused([Model(1), "--task", "deblur", "--data", Data(), "--count", "4"], "--count", "has 3");
    [Fact] public Task No_pictures() => Refused([Model(1), "--task", "deblur", "--data", Data(), "--count", "0"], "--count");
    [Fact] public Task Data_of_another_size() => Refused([Model(1), "--task", "deblur", "--data", Data(30, 20)], "20", "16");
    [Fact] public Task An_unknown_task_among_others() => Refused([Model(1), "--task", "deblur,denois", "--data", folder["none"]], "denois");
    [Fact] public Task No_task_at_all() => Refused([Model(1), "--task", ",", "--data", folder["none"]], "--task");
    [Fact] public Task Several_tasks_for_one_picture() => Refused([Model(1), "--task", "deblur,superres", "--in", Picture("p.png", 1)], "one picture");
    [Fact] public Task A_picture_and_data() => Refused([Model(1), "--task", "deblur", "--in", Picture("p.png", 1), "--data", folder["none"]], "--data", "p.png");
    [Fact] public Task An_unknown_part_of_the_data() => Refused([Model(1), "--task", "deblur", "--split", "test"], "test");
    [Fact] public Task A_share_of_pixels_out_of_range() => Refused([Model(1), "--task", "box", "--ratio", "1.5", "--data", Data(), "--count", "3"], "--ratio");
    [Fact] public Task A_task_of_several_that_does_not_fit() => Refused([Model(1), "--task", "deblur,colorize", "--data", Data(), "--count", "3"], "colours");
    [Fact] public Task An_edit_out_of_range() => Command.Refuses(["edit", Model(1), "--in", Picture("p.png", 1), "--strength", "2"], "--strength");
    [Fact] public Task A_fill_without_a_mask() => Command.Refuses(["edit", Model(1), "--in", Picture("p.png", 1), "--method", "repaint", "--out", folder["out"]], "--mask");
}
