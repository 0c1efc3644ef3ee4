using System.Text.Json.Nodes;
using Langevin.Denoisers;
using Langevin.Hub.Schedulers;
using Langevin.Samplers;

namespace Langevin.Tests.Hub;

/// <summary>Reading a <c>scheduler_config.json</c>: nothing is ignored, and what was read is written back.</summary>
public class SchedulerConfigTests
{
    private const string StableDiffusion = """
        {
          "_class_name": "DDIMScheduler",
          "_diffusers_version": "0.8.0",
          "beta_end": 0.012,
          "beta_schedule": "scaled_linear",
          "beta_start": 0.00085,
          "clip_sample": false,
          "num_train_timesteps": 1000,
          "set_alpha_to_one": false,
          "steps_offset": 1,
          "trained_betas": null
        }
        """;

    [Fact]
    public void A_configuration_is_written_back_as_it_was()
    {
        var scheduler = DiffusersScheduler.Parse(StableDiffusion);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(StableDiffusion), JsonNode.Parse(scheduler.ToJson())));
        scheduler.Config["beta_end"] = 1; // a copy: the scheduler's own stays
        Assert.Equal(0.012, scheduler.Config["beta_end"]!.GetValue<double>());
    }

    [Fact]
    public void Stable_diffusion_s_ddim_is_a_plain_composition()
    {
        var composition = DiffusersScheduler.Parse(StableDiffusion).Compose(50);
        Assert.Equal(new Ddim(), composition.Sampler);
        Assert.Equal(PredictionKind.Epsilon, composition.Preconditioning.Kind);
        Assert.Equal([981, 961, 941], composition.Timesteps.Take(3));
        Assert.Equal(0, composition.Grid.Times[^1]);
        Assert.Equal(1, composition.InitialStd);
    }

    [Fact]
    public void A_request_may_skip_the_first_steps()
    {
        var composition = DiffusersScheduler.Parse(StableDiffusion).Compose(new() { Steps = 10, First = 8 });
        Assert.Equal([101, 1], composition.Timesteps);
        Assert.Equal([101, 1, 0], composition.Grid.Times);
    }

    [Theory]
    [InlineData("""{"_class_name": "DDIMSchedular"}""", "DDIMScheduler")]
    [InlineData("""{"beta_start": 1e-4}""", "_class_name")]
    [InlineData("""[1]""", "JSON object")]
    [InlineData("""{""", "not JSON")]
    [InlineData("""{"_class_name": "DDIMScheduler", "beta_schedul": "linear"}""", "beta_schedule")]
    [InlineData("""{"_class_name": "DDIMScheduler", "beta_schedule": "cubic"}""", "\"cubic\"")]
    [InlineData("""{"_class_name": "DDIMScheduler", "prediction_type": "flow_prediction"}""", "flow_prediction")]
    [InlineData("""{"_class_name": "DDIMScheduler", "clip_sample": "yes"}""", "clip_sample")]
    [InlineData("""{"_class_name": "DDIMScheduler", "num_train_timesteps": 10.5}""", "num_train_timesteps")]
    [InlineData("""{"_class_name": "DDIMScheduler", "trained_betas": [0.1, "a"]}""", "trained_betas")]
    [InlineData("""{"_class_name": "DDIMScheduler", "trained_betas": [0.1, 3]}""", "must lie in [0, 1]")]
    [InlineData("""{"_class_name": "DDIMScheduler", "num_train_timesteps": 0}""", "at least one step")]
    public void What_is_wrong_is_named(string json, string named)
    {
        var error = Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse(json));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_of_other_schedulers_are_named_and_do_nothing()
    {
        var scheduler = DiffusersScheduler.Parse("""{"_class_name": "DDIMScheduler", "variance_type": "fixed_small"}""");
        Assert.Equal(["variance_type"], scheduler.Foreign);
    }

    [Theory]
    [InlineData("ddpm")]
    [InlineData("edm")]
    [InlineData("flow")]
    public void What_the_library_writes_it_reads(string formulation)
    {
        var (name, _, json) = Langevin.Hub.SchedulerConfig.Of(new() { Name = formulation });
        var scheduler = DiffusersScheduler.Parse(json);
        Assert.Equal(name, scheduler.ClassName);
        Assert.Empty(scheduler.Foreign);
        Assert.Equal(10, scheduler.Compose(10).Grid.Steps);
    }

    [Fact]
    public void Every_class_has_defaults()
    {
        foreach (string name in DiffusersScheduler.Classes)
            Assert.Equal(name, DiffusersScheduler.Read(new JsonObject { ["_class_name"] = name }).ClassName);
    }

    [Fact]
    public void A_request_that_cannot_be_served_says_why()
    {
        var scheduler = DiffusersScheduler.Parse(StableDiffusion);
        Assert.Throws<ArgumentException>(() => scheduler.Compose(new SchedulerRequest()));
        Assert.Throws<ArgumentException>(() => scheduler.Compose(new SchedulerRequest { Timesteps = [900, 500] }));
        Assert.Throws<ArgumentException>(() => scheduler.Compose(new SchedulerRequest { Sigmas = [3, 1] }));
        Assert.Throws<ArgumentOutOfRangeException>(() => scheduler.Compose(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => scheduler.Compose(1001));
        Assert.Throws<ArgumentOutOfRangeException>(() => scheduler.Compose(new() { Steps = 10, First = 10 }));
    }
}
