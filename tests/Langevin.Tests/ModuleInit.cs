using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit.v3;

// libtorch uses all cores by itself, and its default generator and tensor count are global.
[assembly: Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: Langevin.Tests.Seeded]

namespace Langevin.Tests;

internal static class ModuleInit
{
    [ModuleInitializer]
    internal static void Load() => NativeRuntime.EnsureLoaded();
}

/// <summary>Every test begins with the default generator in the same state, whichever tests ran before it.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class SeededAttribute : BeforeAfterTestAttribute
{
    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test) => TorchSharp.torch.random.manual_seed(0);
}
