using System.Runtime.CompilerServices;

namespace Langevin.Tests;

internal static class ModuleInit
{
    [ModuleInitializer]
    internal static void Load() => NativeRuntime.EnsureLoaded();
}
