using System.CommandLine;
using System.CommandLine.Parsing;

namespace Langevin.Cli.Restoration;

/// <summary>The options that say what is undone and how.</summary>
internal sealed class TaskOptions
{
    private readonly Option<string> task = new("--task", "-t") { Description = $"What to undo: {string.Join(", ", RestorationTask.Names)}. Without --in several, separated by commas, or all.", Required = true };
    private readonly Option<double> noise = new("--noise") { Description = "Standard deviation of the measurement's noise, on the scale of its values (pictures lie in [-1, 1]). jpeg has none but its own.", DefaultValueFactory = _ => 0 };
    private readonly Option<string> kernel = new Option<string>("--kernel") { Description = "deblur: gaussian, uniform or motion.", DefaultValueFactory = _ => "gaussian" }.AcceptOnlyFromAmong("gaussian", "uniform", "motion");
    private readonly Option<double?> kernelSize = new("--kernel-size") { Description = "deblur: standard deviation (gaussian, 1.5), side (uniform, 5) or length (motion, 7) in pixels." };
    private readonly Option<double> angle = new("--angle") { Description = "deblur: direction of motion in degrees.", DefaultValueFactory = _ => 0 };
    private readonly Option<int> factor = new("--factor") { Description = "superres: how many times larger.", DefaultValueFactory = _ => 4 };
    private readonly Option<double?> ratio = new("--ratio") { Description = "cs: share of coefficients measured (0.25); inpaint and box without a mask: share of pixels seen (0.5, 0.75)." };
    private readonly Option<double> acceleration = new("--acceleration") { Description = "mri without a mask: one column in so many is sampled.", DefaultValueFactory = _ => 4 };
    private readonly Option<int> angles = new("--angles") { Description = "ct: number of projections.", DefaultValueFactory = _ => 12 };
    private readonly Option<double> arc = new("--arc") { Description = "ct: the angles' range in degrees; below 180 is a limited-angle scan.", DefaultValueFactory = _ => 180 };
    private readonly Option<int> quality = new("--quality") { Description = "jpeg: quality it was compressed at.", DefaultValueFactory = _ => 10 };
    private readonly Option<double> gain = new("--gain") { Description = "hdr: gain before clipping.", DefaultValueFactory = _ => 2 };
    private readonly Option<string?> method = new Option<string?>("--method") { Description = $"{string.Join(", ", Method.Names)}; what suits the task by default." }.AcceptOnlyFromAmong(Method.Names);
    private readonly Option<double?> scale = new("--scale") { Description = "The method's weight: dps, mcg and pigdm of the gradient, diffpir and reddiff of the model." };
    private readonly Option<double?> strength = new("--strength") { Description = "Start from the classical answer and walk only this share of the steps (CCDF)." };

    public TaskOptions() => task.Validators.Add(result =>
    {
        string[] names = Names(result.GetValueOrDefault<string>());
        if (names.Length == 0) result.AddError($"--task names no task; there are {string.Join(", ", RestorationTask.Names)}, or all");
        else if (names is not ["all"] && names.FirstOrDefault(n => !RestorationTask.Names.Contains(n)) is { } unknown)
            result.AddError($"--task {unknown}: no such task; there are {string.Join(", ", RestorationTask.Names)}, or all");
    });

    /// <summary>All of them.</summary>
    public Option[] All => [task, noise, kernel, kernelSize, angle, factor, ratio, acceleration, angles, arc, quality, gain, method, scale, strength];

    /// <summary>The tasks asked for; of all, those that the model's pictures allow.</summary>
    public string[] Tasks(ParseResult parsed, Canvas canvas) =>
        Names(parsed.GetValue(task)!) is var names and not ["all"] ? names : [.. RestorationTask.For(canvas.Channels, canvas.Height, canvas.Width)];

    private static string[] Names(string asked) => [.. asked.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct()];

    /// <summary>The task of a name, with the numbers given.</summary>
    public RestorationTask Create(ParseResult parsed, string name, Canvas canvas)
    {
        double sigma = parsed.GetValue(noise);
        if (!(sigma >= 0 && double.IsFinite(sigma))) throw new ArgumentException($"--noise {sigma}: it must be 0 or more.");
        return RestorationTask.Create(new()
        {
            Task = name, Noise = name == "jpeg" ? 0 : sigma, Seed = canvas.Seed, Mask = canvas.Mask, Kernel = parsed.GetValue(kernel)!, KernelSize = parsed.GetValue(kernelSize), Angle = parsed.GetValue(angle),
            Factor = parsed.GetValue(factor), Ratio = parsed.GetValue(ratio), Acceleration = parsed.GetValue(acceleration), Angles = parsed.GetValue(angles), Arc = parsed.GetValue(arc),
            Quality = parsed.GetValue(quality), Gain = parsed.GetValue(gain),
        }, canvas.Channels, canvas.Height, canvas.Width);
    }

    /// <summary>The method asked for, or what suits the task.</summary>
    public Method Choose(ParseResult parsed, RestorationTask task, Canvas canvas)
    {
        double? share = parsed.GetValue(strength);
        if (share is not (null or (> 0 and <= 1))) throw new ArgumentException($"--strength {share}: it lies in (0, 1].");
        var suits = Method.For(task, parsed.GetValue(method));
        return suits with { Steps = canvas.Steps ?? suits.Steps, Scale = parsed.GetValue(scale) ?? suits.Scale, Strength = share };
    }
}
