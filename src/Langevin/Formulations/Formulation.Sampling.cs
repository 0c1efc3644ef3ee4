using Langevin.Samplers;

namespace Langevin.Formulations;

public sealed partial record Formulation
{
    /// <summary>The samplers that can draw under this formulation, its own first (see <see cref="SamplerRegistry"/>).</summary>
    public IReadOnlyList<string> SamplerNames => [Own, .. SamplerRegistry.For(Process).Select(e => e.Name).Where(n => n != Own)];

    private string Own => Options.Name switch
    {
        "ncsn" => "consistent-annealed",
        "edm" or "flow" => "heun",
        _ => "ddim",
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
    /// <param name="grid">A spacing of <see cref="GridRegistry"/>; the one that fits the sampler (<see cref="SamplerEntry.Grid"/>) when null.</param>
    /// <exception cref="ArgumentException">No such sampler or grid here.</exception>
    public (Sampler Sampler, TimeGrid Grid) Sampling(string? name = null, int? steps = null, string? grid = null)
    {
        var entry = SamplerRegistry.Find(name ?? Own);
        if (!entry.RunsOn(Process))
            throw new ArgumentException($"The sampler '{entry.Name}' does not run under {Options.Name}; there are {string.Join(", ", SamplerNames)}.", nameof(name));
        int count = steps ?? (entry.Name == Own ? DefaultSteps : Options.Name == "ncsn" ? Options.Steps : 50);
        var times = GridRegistry.Create(grid ?? entry.Grid(Process), Process, count, entry.EndsAtData);
        return (entry.Create(Process, times), times);
    }
}
