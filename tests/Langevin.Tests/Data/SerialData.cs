namespace Langevin.Tests.Data;

/// <summary>Tests that count live tensors of the whole process, so no other test may run beside them.</summary>
[CollectionDefinition(nameof(SerialData), DisableParallelization = true)]
public sealed class SerialData;
