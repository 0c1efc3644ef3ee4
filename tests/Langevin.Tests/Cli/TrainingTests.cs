using System.Text.Json.Nodes;
using Langevin.Cli;
using Langevin.Formulations;
using Langevin.Hub;
using static TorchSharp.torch;

namespace Langevin.Tests.Cli;

/// <summary>The main job from end to end, at its smallest size.</summary>
public sealed class TrainingTests : IDisposable
{
    private const string Tiny = """
        {
          "batch_size": 8, "warm_up": 1, "checkpoint_every": 2, "sample_every": 0, "sampling_steps": 2, "judge_samples": 0,
          "network": {
            "_class_name": "UNet2DModel", "sample_size": [28, 28], "in_channels": 1, "out_channels": 1, "block_out_channels": [8, 16],
            "layers_per_block": 1, "down_block_types": ["DownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "UpBlock2D"],
            "norm_num_groups": 4, "attention_head_dim": 8, "num_class_embeds": 11, "dropout": 0.1
          }
        }
        """;

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string Config => folder.Write("tiny.json", Tiny);

    private async Task<string> Train(string name, params string[] more)
    {
        string run = folder[name];
        var (code, _, error) = await Command.Run(["train", "strokes", "--items", "200", "--config", Config, "--out", run, "--seed", "5", "--precision", "float32", .. more]);
        Assert.True(code == App.Ok, error);
        return run;
    }

    public static TheoryData<string> Formulations() => [.. Formulation.Names.Except(["ncsn", "sde-ve"])];

    [Theory]
    [MemberData(nameof(Formulations))]
    public async Task Every_formulation_trains_samples_and_has_a_likelihood(string formulation)
    {
        string run = await Train($"run-{formulation}", "--formulation", formulation, "--steps", "2");
        foreach (string part in (string[])["recipe.json", "metrics.jsonl", "checkpoint.safetensors", "samples.png", "report.html", "report.json",
            "model/model_index.json", "model/unet/config.json", "model/unet/diffusion_pytorch_model.safetensors", "model/scheduler/scheduler_config.json", "model/langevin.json"])
            Assert.True(File.Exists(Path.Combine(run, part)), part);

        var (code, output, error) = await Command.Run("sample", run, "-n", "4", "--class", "3", "--steps", "2", "--guidance", "2", "--seed", "9", "--json", "--out", folder["drawn"]);
        Assert.True(code == App.Ok, error);
        Assert.All(JsonNode.Parse(output)!["files"]!.AsArray(), f => Assert.True(File.Exists((string)f!)));

        (code, output, error) = await Command.Run("likelihood", run, "-n", "2", "--terms", "3", "--tolerance", "0.5", "--json");
        Assert.True(code == App.Ok, error);
        Assert.True(double.IsFinite(JsonNode.Parse(output)!["negative_log_likelihood"]!.GetValue<double>()));
    }

    [Theory]
    [InlineData("ncsn")]
    [InlineData("sde-ve")]
    public async Task Exploding_formulations_train_with_their_own_network(string formulation)
    {
        string config = folder.Write("small.json", "{\"batch_size\": 4, \"sample_every\": 0, \"judge_samples\": 0, \"sampling_steps\": 2}");
        string run = folder["run"];
        var (code, _, error) = await Command.Run("train", "strokes", "--items", "64", "--config", config, "--out", run, "--formulation", formulation, "--steps", "1");
        Assert.True(code == App.Ok, error);
        using var model = DiffusionModel.Load(run);
        Assert.Equal(formulation, model.Formulation.Options.Name);
    }

    [Fact]
    public async Task Sampling_is_steered()
    {
        string run = await Train("steered", "--steps", "1", "--formulation", "edm");
        async Task<string> Draw(string name, params string[] more)
        {
            var (code, _, error) = await Command.Run(["sample", run, "-n", "2", "--class", "3", "--seed", "9", "--out", folder[name], .. more]);
            Assert.True(code == App.Ok, error);
            return Convert.ToHexString(File.ReadAllBytes(Path.Combine(folder[name], "samples-seed9.safetensors")));
        }
        string plain = await Draw("plain", "--sampler", "ddim", "--steps", "3", "--guidance", "1");
        foreach (string[] more in (string[][])[["--grid", "exponential", "--guidance", "1"], ["--guidance", "3"], ["--guidance", "3", "--guidance-rescale", "0.7"],
            ["--guidance", "3", "--guidance-method", "apg"], ["--guidance", "0.6", "--guidance-method", "cfg++"], ["--guidance", "3", "--guidance-method", "cfg-zero"]])
            Assert.NotEqual(plain, await Draw(string.Concat(more), ["--sampler", "ddim", "--steps", "3", .. more]));
        Assert.Equal(plain, await Draw("outside", "--sampler", "ddim", "--steps", "3", "--guidance", "3", "--guidance-interval", "1000,2000"));
        await Command.Refuses(["sample", run, "--sampler", "ddimm"], "ddimm", "ddim");
        await Command.Refuses(["sample", run, "--grid", "leading"], "leading", "karras");
        await Command.Refuses(["sample", run, "--guidance", "3", "--guidance-method", "cfg++"], "cfg++", "ddim");
        await Command.Refuses(["sample", run, "--guidance", "3", "--guidance-interval", "5"], "--guidance-interval");
        await Command.Refuses(["sample", run, "--guidance", "3", "--guidance-method", "apg", "--guidance-rescale", "1"], "rescale");
        await Command.Refuses(["sample", run, "--guidance-method", "magic"], "magic");
    }

    [Fact]
    public async Task Samples_do_not_depend_on_the_batch()
    {
        string run = await Train("batches", "--steps", "2", "--formulation", "flow");
        using var model = DiffusionModel.Load(run);
        var (sampler, grid) = model.Formulation.Sampling(steps: 2);
        using var scope = NewDisposeScope();
        Tensor Draw(long first, params long[] labels) => sampler.Sample(model.Denoiser, [labels.Length, 1, 28, 28], grid, Condition.OfLabel(tensor(labels)), seed: 3, first: first);
        var together = Draw(0, 1, 2, 3, 4);
        var alone = Draw(2, 3);
        // The noise is the same to the bit; convolutions may sum in another order for another batch.
        Assert.True((together[2] - alone[0]).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public async Task Runs_are_compared_in_one_table()
    {
        string first = await Train("one", "--formulation", "ddpm", "--steps", "1"), second = await Train("two", "--formulation", "edm", "--steps", "1");
        var (code, output, error) = await Command.Run("compare", first, second, "--likelihood", "2", "--json");
        Assert.True(code == App.Ok, error);
        var runs = JsonNode.Parse(output)!.AsArray();
        Assert.Equal(["ddpm", "edm"], runs.Select(r => (string)r!["report"]!["formulation"]!));
        Assert.Equal(["vlb", "flow"], runs.Select(r => (string)r!["likelihood"]!["method"]!));
        Assert.All(runs, r => Assert.True(double.IsFinite((double)r!["likelihood"]!["negative_log_likelihood"]!)));
        (code, output, error) = await Command.Run("compare", first, second);
        Assert.True(code == App.Ok, error);
        Assert.Contains("edm", output, StringComparison.Ordinal);
    }
}
