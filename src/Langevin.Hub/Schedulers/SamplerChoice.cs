using System.Text.Json.Nodes;

namespace Langevin.Hub.Schedulers;

/// <summary>Another sampler on a published model's table of noise levels.</summary>
public static class SamplerChoice
{
    // What says how the noise is and what the network predicts; the rest is the scheduler's own.
    private static readonly string[] Kept =
    [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type", "rescale_betas_zero_snr", "steps_offset", "timestep_spacing",
    ];

    private static readonly Dictionary<string, (string Class, (string Key, JsonNode Value)[] Options)> Samplers = new(StringComparer.Ordinal)
    {
        ["ddpm"] = ("DDPMScheduler", []),
        ["ddim"] = ("DDIMScheduler", [("clip_sample", false), ("set_alpha_to_one", false)]),
        ["pndm"] = ("PNDMScheduler", [("skip_prk_steps", true), ("set_alpha_to_one", false)]),
        ["euler"] = ("EulerDiscreteScheduler", []),
        ["euler-a"] = ("EulerAncestralDiscreteScheduler", []),
        ["heun"] = ("HeunDiscreteScheduler", []),
        ["lms"] = ("LMSDiscreteScheduler", []),
        ["dpm2"] = ("KDPM2DiscreteScheduler", []),
        ["dpm2-a"] = ("KDPM2AncestralDiscreteScheduler", []),
        ["dpm++2m"] = ("DPMSolverMultistepScheduler", []),
        ["dpm++2m-sde"] = ("DPMSolverMultistepScheduler", [("algorithm_type", "sde-dpmsolver++")]),
        ["dpm++2s"] = ("DPMSolverSinglestepScheduler", []),
        ["deis"] = ("DEISMultistepScheduler", []),
        ["unipc"] = ("UniPCMultistepScheduler", []),
    };

    /// <summary>The names, in order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Samplers.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The scheduler of another sampler over the same noise.</summary>
    /// <param name="scheduler">The model's own.</param>
    /// <param name="sampler">One of <see cref="Names"/>.</param>
    /// <param name="karras">Whether levels are spaced as Karras et al. 2022 do it; where a sampler has no such spacing, that is an error.</param>
    /// <exception cref="ArgumentException">An unknown name.</exception>
    /// <exception cref="InvalidDataException">The model's noise is no table of β, or the sampler cannot do this.</exception>
    public static DiffusersScheduler Under(this DiffusersScheduler scheduler, string sampler, bool karras = false)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        if (!Samplers.TryGetValue(sampler, out var chosen)) throw new ArgumentException($"The sampler '{sampler}' is unknown here: use {string.Join(", ", Names)}.", nameof(sampler));
        var own = scheduler.Config;
        if (!own.ContainsKey("beta_schedule") && !own.ContainsKey("trained_betas")) throw new InvalidDataException($"The model's {scheduler.ClassName} has no table of β that another sampler could use.");
        var config = new JsonObject { ["_class_name"] = chosen.Class };
        foreach (string key in Kept) if (own[key] is { } value) config[key] = value.DeepClone();
        foreach (var (key, value) in chosen.Options) config[key] = value.DeepClone();
        if (karras) config["use_karras_sigmas"] = true;
        var other = DiffusersScheduler.Read(config);
        return karras && other.Foreign.Contains("use_karras_sigmas") ? throw new InvalidDataException($"'{sampler}' steps on the table itself and cannot be spaced by Karras' levels.") : other;
    }
}
