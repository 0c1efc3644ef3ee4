using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Formulations;

public sealed partial record Formulation
{
    /// <summary>The samplers that can draw under this formulation, its own first.</summary>
    public IReadOnlyList<string> SamplerNames => Options.Name switch
    {
        "ddpm" => ["ddim", "ddpm", "heun", "rk45"],
        "ncsn" => ["consistent-annealed", "annealed-langevin", "ddim", "pc", "heun"],
        "sde-ve" => ["ddim", "pc", "reverse-diffusion", "ancestral", "euler-maruyama", "heun", "rk45"],
        "edm" => ["heun", "edm", "ddim", "pc", "rk45"],
        "flow" => ["heun", "euler", "ddim", "rk45"],
        _ => ["ddim", "pc", "reverse-diffusion", "ancestral", "euler-maruyama", "heun", "rk45"],
    };

    /// <summary>Steps that its own sampler takes unless told otherwise.</summary>
    public int DefaultSteps => Options.Name switch
    {
        "ddpm" => 20,
        "ncsn" => Math.Min(Options.Steps, 40),
        "edm" => 12,
        "flow" => 12,
        _ => 25,
    };

    /// <summary>Whether predicted images are kept in [−1, 1]: ε of a noisy table's first steps says little of x_0.</summary>
    public bool ClipsSamples => Options.Name == "ddpm";

    /// <summary>A sampler by name with its time grid.</summary>
    /// <param name="name">One of <see cref="SamplerNames"/>; the first when null.</param>
    /// <param name="steps">Number of steps; <see cref="DefaultSteps"/> when null.</param>
    /// <exception cref="ArgumentException">No such sampler here.</exception>
    public (Sampler Sampler, TimeGrid Grid) Sampling(string? name = null, int? steps = null)
    {
        name ??= SamplerNames[0];
        if (!SamplerNames.Contains(name))
            throw new ArgumentException($"There is no sampler '{name}' for {Options.Name}; there are {string.Join(", ", SamplerNames)}.");
        int count = steps ?? (name == SamplerNames[0] ? DefaultSteps : Options.Name == "ncsn" ? Options.Steps : 50);
        var grid = Grid(name, count);
        return (name switch
        {
            "ddim" => new Ddim(),
            "ddpm" => new DdpmAncestral(),
            "heun" when Options.Name == "flow" => new ProbabilityFlow(2, Coordinates: FlowCoordinates.Time),
            "euler" => new ProbabilityFlow(1, Coordinates: FlowCoordinates.Time),
            "heun" => new ProbabilityFlow(),
            "edm" => new ProbabilityFlow(Churn: new Churn(Amount: 20, Min: 0.05, Max: 50, Noise: 1.003)),
            "pc" => new PredictorCorrector(new ReverseDiffusion(), new LangevinCorrector()),
            "reverse-diffusion" => new ReverseDiffusion(),
            "ancestral" => new AncestralPredictor(),
            "euler-maruyama" => new EulerMaruyama(),
            "annealed-langevin" => new AnnealedLangevin(Epsilon: 0.2 * Math.Pow(Process.Sigma(Process.MinTime), 2), Count: 3),
            "consistent-annealed" => new ConsistentAnnealedSampling(AncestralStep(grid)),
            _ => new DormandPrince(),
        }, grid);
    }

    private TimeGrid Grid(string sampler, int steps) => Process switch
    {
        DiscreteProcess table => TimeGrid.Spaced(table, steps),
        EdmProcess => TimeGrid.Karras(Process, steps),
        // Fixed-step SDE solvers and the adaptive one stop at the smallest time; the others step to clean data.
        _ => TimeGrid.Uniform(Process, steps, toData: sampler is "ddim" or "heun" or "euler" or "pc" or "reverse-diffusion" or "ancestral"),
    };

    // ε of consistent annealing that keeps as much noise from level to level as an ancestral step does.
    private double AncestralStep(TimeGrid grid)
    {
        double largest = 0;
        for (int i = 1; i < grid.Steps; i++) largest = Math.Max(largest, 1 - Math.Pow(Process.Sigma(grid[i]) / Process.Sigma(grid[i - 1]), 2));
        return largest * Math.Pow(Process.Sigma(grid[grid.Steps - 1]), 2);
    }
}
