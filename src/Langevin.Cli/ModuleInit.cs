using System.Runtime.CompilerServices;

namespace Langevin.Cli;

internal static class ModuleInit
{
    /// <summary>Before any command touches TorchSharp; loads nothing, so that help stays quick.</summary>
    [ModuleInitializer]
    internal static void Initialise() => NativeRuntime.Prepare();
}
