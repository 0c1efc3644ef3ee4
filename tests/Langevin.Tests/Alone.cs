namespace Langevin.Tests;

/// <summary>Tests that count all live tensors of the process, or switch something that others use: they run one at a time, after the rest.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
