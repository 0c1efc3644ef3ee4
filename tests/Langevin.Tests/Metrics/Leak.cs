using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

/// <summary>Counts the live tensors of this thread around an action.</summary>
internal static class Leak
{
    /// <summary>Asserts that an action leaves no tensor behind.</summary>
    public static void None(Action action)
    {
        using var scope = NewDisposeScope();
        action();
        Assert.Equal(0, scope.DisposablesCount);
    }
}
