namespace Langevin.Systems;

/// <summary>What an arm is there for.</summary>
public enum ArmRole
{
    /// <summary>The system itself.</summary>
    Method,

    /// <summary>What it has to beat.</summary>
    Baseline,

    /// <summary>The system with its idea taken out, or another number in its place.</summary>
    Ablation,
}

/// <summary>What the paper says an ablation does to the metric.</summary>
public enum Effect
{
    /// <summary>It makes it worse.</summary>
    Worse,

    /// <summary>It makes it better.</summary>
    Better,

    /// <summary>It makes no difference.</summary>
    None,
}

/// <summary>One way of doing a system's task, run once for every seed.</summary>
/// <param name="Name">A short name: "ddim", "ancestral", "η = 1".</param>
/// <param name="Role">What it is there for.</param>
/// <param name="Run">Does it and measures it.</param>
/// <param name="Claim">Of an ablation: what the paper says it does.</param>
public sealed record Arm(string Name, ArmRole Role, Func<Trial, Outcome> Run, Effect Claim = Effect.Worse)
{
    /// <summary>The system itself.</summary>
    public static Arm Method(string name, Func<Trial, Outcome> run) => new(name, ArmRole.Method, run);

    /// <summary>What it has to beat.</summary>
    public static Arm Baseline(string name, Func<Trial, Outcome> run) => new(name, ArmRole.Baseline, run);

    /// <summary>The system without its idea.</summary>
    public static Arm Ablation(string name, Func<Trial, Outcome> run, Effect claim = Effect.Worse) => new(name, ArmRole.Ablation, run, claim);
}
