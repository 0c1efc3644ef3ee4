using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>What schedulers do to a prediction, and how they read a network's output.</summary>
internal static class Decorations
{
    /// <summary>The dynamic thresholding that a configuration asks for, or nothing.</summary>
    public static Func<IDenoiser, IDenoiser> Thresholding(SchedulerOptions options, bool keepEpsilon = false)
    {
        bool on = options.Flag("thresholding", false);
        double ratio = options.Number("dynamic_thresholding_ratio", 0.995), most = options.Number("sample_max_value", 1);
        return on ? d => new DynamicThresholding(d, ratio, ceiling: most, keepEpsilon: keepEpsilon) : d => d;
    }

    /// <summary>The thresholding or the clipping that a configuration asks for, or nothing.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="keepEpsilon">Whether ε stays as predicted.</param>
    /// <param name="clips">Default of <c>clip_sample</c>; null where the class does not have it.</param>
    /// <param name="thresholds">Whether the class has <c>thresholding</c>.</param>
    public static Func<IDenoiser, IDenoiser> Clipping(SchedulerOptions options, bool keepEpsilon, bool clips = true, bool thresholds = true)
    {
        bool clip = options.Flag("clip_sample", clips);
        double range = options.Number("clip_sample_range", 1);
        if (thresholds)
        {
            var thresholding = Thresholding(options, keepEpsilon);
            if (options.Flag("thresholding", false)) return thresholding;
        }
        return clip ? d => new StaticThresholding(d, range, keepEpsilon) : d => d;
    }

    /// <summary>The spread of noise levels that a configuration asks for, or null.</summary>
    public static Func<EdmProcess, int, TimeGrid>? Spread(SchedulerOptions options)
    {
        (string Name, Func<EdmProcess, int, TimeGrid> Of)[] spreads =
        [
            ("use_karras_sigmas", (p, n) => TimeGrid.Karras(p, n)), ("use_exponential_sigmas", (p, n) => TimeGrid.Exponential(p, n)), ("use_beta_sigmas", (p, n) => TimeGrid.Beta(p, n)),
        ];
        var chosen = Array.FindAll(spreads, s => options.Flag(s.Name, false));
        return chosen.Length switch
        {
            0 => null,
            1 => chosen[0].Of,
            _ => throw options.Unsupported(chosen[1].Name, $"{chosen[0].Name} is set too, and one of them at most can be"),
        };
    }

    /// <summary>What the network predicts.</summary>
    public static PredictionKind Prediction(SchedulerOptions options, bool flow = false)
    {
        (string, PredictionKind)[] kinds = [("epsilon", PredictionKind.Epsilon), ("sample", PredictionKind.X0), ("v_prediction", PredictionKind.V)];
        return options.Choice<PredictionKind>("prediction_type", flow ? [.. kinds, ("flow_prediction", PredictionKind.Velocity)] : kinds);
    }
}
