namespace Langevin;

/// <summary>What happened when TorchSharp's native library was loaded.</summary>
public enum NativeState
{
    /// <summary>Nothing had to be done: the runtime finds the libraries by itself, or has not been asked yet.</summary>
    NotNeeded,

    /// <summary>A repaired copy of TorchSharp's native library is in use.</summary>
    Patched,

    /// <summary>Libtorch comes from another folder than TorchSharp's native library, such as <c>LANGEVIN_LIBTORCH</c>'s.</summary>
    Redirected,

    /// <summary>They could not be loaded.</summary>
    Failed,
}

/// <summary>How TorchSharp's native library was loaded.</summary>
/// <param name="State">What happened.</param>
/// <param name="Detail">From where, or why not and what to install, in one line.</param>
/// <param name="Original">The library as its package brought it; null where the runtime found it by itself.</param>
/// <param name="Loaded">The file in use in its place; null as above.</param>
/// <param name="LibTorch">The folder libtorch was loaded from; null as above.</param>
public sealed record NativeStatus(NativeState State, string Detail, string? Original = null, string? Loaded = null, string? LibTorch = null);
