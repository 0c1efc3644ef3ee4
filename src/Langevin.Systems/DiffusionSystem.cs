namespace Langevin.Systems;

/// <summary>
/// One system of the survey: a composition of the library's parts and the one part that makes it itself. Everything that all systems
/// have in common, seeds, resuming, comparison, pages, is the <see cref="Bench"/>'s.
/// </summary>
public abstract class DiffusionSystem
{
    /// <summary>What it is.</summary>
    public abstract SystemCard Card { get; }

    /// <summary>The method, what it has to beat and what shows that its idea matters; the method first.</summary>
    public abstract IReadOnlyList<Arm> Arms { get; }

    /// <summary>What <see cref="Apply"/> takes and gives, in a sentence; null where the task has no input.</summary>
    public virtual string? Application => null;

    /// <summary>Serves a user's file: the trained system of the trial's seed is there or is trained first.</summary>
    /// <param name="trial">Where its models are.</param>
    /// <param name="input">A file or folder of the user's.</param>
    /// <param name="output">Where to write.</param>
    /// <exception cref="NotSupportedException">The task has no input.</exception>
    /// <exception cref="InvalidDataException">The file is not what the system takes.</exception>
    public virtual void Apply(Trial trial, string input, string output) =>
        throw new NotSupportedException($"'{Card.Id}' takes no file: it makes samples of its own. See them with 'langevin systems run {Card.Id}'.");
}
