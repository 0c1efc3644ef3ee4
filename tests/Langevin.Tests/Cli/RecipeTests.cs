using System.Globalization;
using System.Text.Json.Nodes;
using Langevin.Cli;
using Langevin.Hub;

namespace Langevin.Tests.Cli;

/// <summary>Recipes in YAML, vectors in the data's units, and several samplers judged in one table.</summary>
public sealed class RecipeTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    // Two columns of very different size, a step of one known slope between them.
    private string Table(int rows = 400)
    {
        var random = new Random(4);
        return folder.Write("heights.csv", "height,\"mass, kg\"\n" + string.Concat(Enumerable.Range(0, rows).Select(_ =>
        {
            double h = 1700 + 80 * (random.NextDouble() - 0.5);
            return string.Create(CultureInfo.InvariantCulture, $"{h:f3},{0.002 * h + 0.01 * random.NextDouble():f6}\n");
        })));
    }

    private async Task<string> Train(string config, string data, string name, params string[] more)
    {
        string run = folder[name];
        var (code, _, error) = await Command.Run(["train", data, "--config", config, "--out", run, "--seed", "5", "--precision", "float32", .. more]);
        Assert.True(code == App.Ok, error);
        return run;
    }

    private const string Short = """
        # a comment
        steps: 300
        batch_size: 128
        sampling_steps: 10
        sample_every: 0
        judge_samples: 0
        formulation: { name: edm, sigma_min: 2e-3 }
        schedule: "constant"
        """;

    [Fact]
    public async Task Yaml_is_read_as_the_same_recipe()
    {
        string run = await Train(folder.Write("short.yml", Short), "moons", "yaml", "--steps", "2");
        var recipe = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(run, "recipe.json"), TestContext.Current.CancellationToken))!;
        Assert.Equal("constant", (string?)recipe["schedule"]);
        Assert.Equal(128, (int)recipe["batch_size"]!);
        Assert.Equal("edm", (string?)recipe["formulation"]!["name"]);
        Assert.Equal(0.002, (double)recipe["formulation"]!["sigma_min"]!);
        Assert.Equal(2, (int)recipe["steps"]!); // the command line comes last
    }

    [Theory]
    [InlineData("steps: [1, 2", "not YAML")]
    [InlineData("stps: 3", "steps")]
    [InlineData("steps: many", "steps")]
    [InlineData("steps: 3\n---\nsteps: 4", "documents")]
    [InlineData("- 3", "keys")]
    [InlineData("? [a, b]\n: 3", "key")]
    public Task Wrong_yaml_is_one_error(string text, string word) => Command.Refuses(["train", "moons", "--config", folder.Write("bad.yaml", text), "--out", folder["bad"]], word);

    [Fact]
    public async Task Vectors_are_sampled_in_the_data_s_units()
    {
        string run = await Train(folder.Write("short.yaml", Short), Table(), "units");
        using (var model = DiffusionModel.Load(Path.Combine(run, "model")))
        {
            Assert.Equal(["height", "mass, kg"], model.Description.ColumnNames);
            Assert.InRange(model.Description.Mean![0], 1690, 1710);
            Assert.InRange(model.Description.Std![0], 15, 30); // uniform over 80: 23
        }

        var (code, _, error) = await Command.Run("sample", run, "-n", "200", "--seed", "1", "--out", folder["drawn"]);
        Assert.True(code == App.Ok, error);
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(folder["drawn"], "samples-seed1.csv"), TestContext.Current.CancellationToken);
        Assert.Equal("height,\"mass, kg\"", lines[0]);
        double[][] rows = [.. lines.Skip(1).Select(l => l.Split(',').Select(v => double.Parse(v, CultureInfo.InvariantCulture)).ToArray())];
        Assert.Equal(200, rows.Length);
        Assert.InRange(rows.Average(r => r[0]), 1680, 1720); // the mean's error is 2 of 200 draws; a model of raw numbers would miss by hundreds
        Assert.InRange(rows.Average(r => r[1]), 3.3, 3.5);

        // The likelihood is a density per gram and millimetre: the uniform strip has −log p = log(80 · 0.01).
        (code, string output, error) = await Command.Run("likelihood", run, "-n", "40", "--json");
        Assert.True(code == App.Ok, error);
        Assert.InRange(JsonNode.Parse(output)!["negative_log_likelihood"]!.GetValue<double>(), Math.Log(0.8) - 0.5, Math.Log(0.8) + 3);
    }

    [Fact]
    public async Task Several_samplers_and_steps_make_one_table()
    {
        string run = await Train(folder.Write("short.yaml", Short), "moons", "sweep", "--items", "400", "--steps", "100");
        string file = folder["sweep.json"];
        var (code, output, error) = await Command.Run("evaluate", run, "-n", "60", "--sampler", "heun,dpm++2m", "--steps", "4,8", "--out", file);
        Assert.True(code == App.Ok, error);
        var lines = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!.AsArray();
        Assert.Equal([("heun", 4), ("heun", 8), ("dpm++2m", 4), ("dpm++2m", 8)], lines.Select(l => ((string)l!["sampler"]!, (int)l["steps"]!)));
        Assert.Equal([7, 15, 4, 8], lines.Select(l => (int)l!["evaluations"]!)); // Heun's last step to no noise takes one evaluation
        Assert.All(lines, l => Assert.True(l!["report"]!["frechet"]!["distance"]!.GetValue<double>() >= 0));
        Assert.Contains("dpm++2m", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_number_of_steps_in_a_table_is_refused()
    {
        string run = await Train(folder.Write("short.yaml", Short), "moons", "wrong", "--steps", "1");
        await Command.Refuses(["evaluate", run, "--steps", "4,none"], "none", "--steps");
        await Command.Refuses(["evaluate", run, "--sampler", "heun,hein", "--steps", "4"], "hein");
    }
}
