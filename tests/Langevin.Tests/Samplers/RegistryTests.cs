using System.Text.Json.Nodes;
using Langevin.Cli;
using Langevin.Denoisers;
using Langevin.Formulations;
using Langevin.Samplers;
using Langevin.Tests.Cli;
using Langevin.Tests.Docs;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

public class RegistryTests
{
    // All samplers under all of these take minutes.
    public static IEnumerable<TheoryDataRow<string>> Formulations() =>
        [new("ddpm"), new("edm"), .. new[] { "ncsn", "sde-vp", "flow" }.Select(name => new TheoryDataRow<string>(name) { Explicit = true, Traits = { ["Category"] = ["Slow"] } })];

    /// <summary>Every name draws the mixture under every formulation that it runs on: means and spreads are near the truth.</summary>
    [Theory, MemberData(nameof(Formulations))]
    public void Every_sampler_draws_the_data(string name)
    {
        using var scope = NewDisposeScope();
        var formulation = Formulation.Create(new() { Name = name, Steps = name == "ncsn" ? 60 : 1000, SigmaMin = 0.01, SigmaMax = 10 });
        // Eight equal pairs of dimensions: the Langevin corrector's step length is a norm, which means something only where they are many.
        using var mixture = new GaussianMixture(formulation.Process, tensor(new[] { 0.5, 0.5 }), tensor(new[,] { { -0.8, 0.3 }, { 0.8, 0.3 } }).repeat(1, 8), tensor(new[] { 0.2, 0.2 }));
        Assert.Equal(formulation.SamplerNames.Count, formulation.SamplerNames.Distinct().Count());
        foreach (string sampler in formulation.SamplerNames.Where(n => n != "ab2")) // which tests register
        {
            var (solver, grid) = formulation.Sampling(sampler, sampler == formulation.SamplerNames[0] ? null : name == "ncsn" ? 60 : 40);
            using var inner = NewDisposeScope();
            var noise = new BatchNoise(3);
            var x = solver.Run(mixture, Sampler.Prior(formulation.Process, [150, 16], noise, time: grid[0], dtype: ScalarType.Float64), grid, noise: noise).view(-1, 2);
            var (mean, std) = (x.mean([0]).data<double>().ToArray(), x.std(0).data<double>().ToArray());
            Assert.True(Math.Abs(mean[0]) < 0.25 && Math.Abs(mean[1] - 0.3) < 0.1 && Math.Abs(std[0] - 0.825) < 0.3 && Math.Abs(std[1] - 0.2) < 0.1,
                $"{name} {sampler}: mean {mean[0]:f3}, {mean[1]:f3}, std {std[0]:f3}, {std[1]:f3}");
        }
    }

    /// <summary>The figures of the table are those that are measured: the evaluations of a step, and whether noise is drawn.</summary>
    [Fact]
    public void The_table_tells_the_truth()
    {
        using var scope = NewDisposeScope();
        var formulations = Formulation.Names.Select(n => Formulation.Create(new() { Name = n, Steps = 100, SigmaMax = 10 })).ToArray();
        foreach (var entry in SamplerRegistry.All)
        {
            var formulation = formulations.First(f => entry.RunsOn(f.Process));
            using var mixture = Kit.Mixture(formulation.Process);
            var (solver, grid) = formulation.Sampling(entry.Name, 100);
            var noise = new CountedNoise();
            var steps = solver.Steps(mixture, Kit.Draw(mixture, grid[0], 2, 1), grid, noise: noise).Select(s => s.Evaluations).ToArray();
            Assert.Equal(entry.Kind == SamplerKind.Sde, noise.Count > 0);
            // A step in the middle: the first has no memory, the last goes to data.
            if (entry.Evaluations is { } evaluations) Assert.True(evaluations == steps[50] - steps[49], $"{entry.Name}: {steps[50] - steps[49]} evaluations");
            Assert.False(entry.Description.EndsWith('.'));
        }
    }

    [Fact]
    public void A_sampler_of_ones_own_is_one_file_and_one_line()
    {
        SamplerRegistry.Register(new("ab2", "second-order Adams–Bashforth", SamplerKind.Ode, Order: 2, Evaluations: 1, (_, _) => new AdamsBashforth()));
        Assert.IsType<AdamsBashforth>(Formulation.Create(new() { Name = "edm" }).Sampling("ab2").Sampler);
        Assert.Single(SamplerRegistry.All, e => e.Name == "ab2");
    }

    [Fact]
    public void Grids_have_names()
    {
        var formulation = Formulation.Create(new() { Name = "flow" });
        foreach (var entry in GridRegistry.All)
        {
            var on = Formulation.Names.Select(n => Formulation.Create(new() { Name = n })).First(f => entry.RunsOn(f.Process));
            Assert.Equal(10, on.Sampling("ddim", 10, entry.Name).Grid.Steps);
        }
        Assert.Equal(TimeGrid.Karras(new Langevin.Processes.EdmProcess(0.01, 50), 18).Times, Formulation.Create(new() { Name = "edm" }).Sampling("ddim", 18, "karras").Grid.Times);
        Assert.Equal(80.0 / 81, formulation.Sampling("heun", 10, "karras").Grid[0], 1e-9);
        Assert.Throws<ArgumentException>(() => formulation.Sampling("heun", 10, "leading"));
        Assert.Throws<ArgumentException>(() => formulation.Sampling("pc"));
        Assert.Contains("heun", Assert.Throws<ArgumentException>(() => formulation.Sampling("huen")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_line_lists_them()
    {
        var (code, output, _) = await Command.Run("samplers", "--json");
        Assert.Equal(App.Ok, code);
        var listed = JsonNode.Parse(output)!;
        Assert.Contains("ddim", listed["samplers"]!.AsArray().Select(s => (string)s!["name"]!));
        Assert.Contains("karras", listed["grids"]!.AsArray().Select(s => (string)s!["name"]!));
        (code, output, _) = await Command.Run("samplers");
        Assert.Equal(App.Ok, code);
        Assert.Contains("Dormand–Prince", output, StringComparison.Ordinal);
    }

    private sealed class CountedNoise : INoise
    {
        private readonly BatchNoise noise = new(1);

        public int Count { get; private set; }

        public Tensor Next(Tensor like)
        {
            Count++;
            return noise.Next(like);
        }
    }
}
