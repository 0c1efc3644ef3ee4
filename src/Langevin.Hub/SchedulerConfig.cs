using System.Text.Json;
using System.Text.Json.Nodes;
using Langevin.Formulations;
using Langevin.Networks;

namespace Langevin.Hub;

/// <summary>The <c>scheduler_config.json</c> and <c>model_index.json</c> by which diffusers opens a model trained here.</summary>
internal static class SchedulerConfig
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The scheduler class, the pipeline class and the configuration that express a formulation best.</summary>
    public static (string Scheduler, string Pipeline, string Json) Of(FormulationOptions f)
    {
        var (scheduler, pipeline, config) = f.Name switch
        {
            "ddpm" => ("DDPMScheduler", "DDPMPipeline", new JsonObject
            {
                ["num_train_timesteps"] = f.Steps,
                ["beta_start"] = f.BetaStart ?? f.BetaSchedule switch { "linear" => 0.1 / f.Steps, "scaled_linear" => 0.00085, _ => 1e-4 },
                ["beta_end"] = f.BetaEnd ?? f.BetaSchedule switch { "linear" => 20.0 / f.Steps, "scaled_linear" => 0.012, _ => 0.02 },
                ["beta_schedule"] = f.BetaSchedule == "cosine" ? "squaredcos_cap_v2" : f.BetaSchedule,
                ["prediction_type"] = f.PredictionType,
                ["variance_type"] = f.LearnedVariance ? "learned_range" : "fixed_small",
                ["clip_sample"] = true,
                ["rescale_betas_zero_snr"] = f.ZeroTerminalSnr,
                ["timestep_spacing"] = f.ZeroTerminalSnr ? "trailing" : "leading",
            }),
            "edm" => ("EDMEulerScheduler", "DDPMPipeline", new JsonObject
            {
                ["num_train_timesteps"] = 1000,
                ["sigma_min"] = f.SigmaMin,
                ["sigma_max"] = f.SigmaMax,
                ["sigma_data"] = f.SigmaData,
                ["sigma_schedule"] = "karras",
                ["prediction_type"] = "epsilon",
                ["rho"] = 7.0,
            }),
            "flow" => ("FlowMatchEulerDiscreteScheduler", "DDPMPipeline", new JsonObject { ["num_train_timesteps"] = 1000, ["shift"] = 1.0 }),
            "sde-vp" or "sde-subvp" => ("ScoreSdeVpScheduler", "ScoreSdeVpPipeline", new JsonObject
            {
                ["num_train_timesteps"] = 1000,
                ["beta_min"] = f.BetaMin,
                ["beta_max"] = f.BetaMax,
                ["sampling_eps"] = 1e-3,
            }),
            _ => ("ScoreSdeVeScheduler", "ScoreSdeVePipeline", new JsonObject
            {
                ["num_train_timesteps"] = f.Steps,
                ["snr"] = 0.15,
                ["sigma_min"] = f.SigmaMin,
                ["sigma_max"] = f.SigmaMax,
                ["sampling_eps"] = 1e-5,
                ["correct_steps"] = 1,
            }),
        };
        config.Insert(0, "_class_name", scheduler);
        return (scheduler, pipeline, config.ToJsonString(Indented));
    }

    /// <summary>The <c>model_index.json</c>.</summary>
    public static string Index(string pipeline, string scheduler, Network network)
    {
        using var config = JsonDocument.Parse(NetworkConfig.ToJson(network));
        string name = config.RootElement.GetProperty("_class_name").GetString()!;
        return new JsonObject
        {
            ["_class_name"] = pipeline,
            ["scheduler"] = new JsonArray("diffusers", scheduler),
            ["unet"] = new JsonArray(name == "UNet2DModel" ? "diffusers" : "langevin", name),
        }.ToJsonString(Indented);
    }
}
