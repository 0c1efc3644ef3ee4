using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Security.Cryptography;

namespace Langevin;

/// <summary>What happened when the native libraries were loaded.</summary>
public enum NativeState
{
    /// <summary>Nothing had to be done: the runtime finds the libraries by itself, or has not been asked yet.</summary>
    NotNeeded,

    /// <summary>A repaired copy of TorchSharp's native library is in use.</summary>
    Patched,

    /// <summary>The libraries come from the folder that LANGEVIN_LIBTORCH names.</summary>
    Redirected,

    /// <summary>They could not be loaded.</summary>
    Failed,
}

/// <summary>How the native libraries were loaded.</summary>
/// <param name="State">What happened.</param>
/// <param name="Detail">From where, or why not, in one line.</param>
public sealed record NativeStatus(NativeState State, string Detail);

/// <summary>
/// Loads TorchSharp's native library on Linux systems whose libstdc++ is older than GCC 13's (Debian 12, Ubuntu 22.04).
/// </summary>
/// <remarks>
/// The library asks for GLIBCXX_3.4.32 for one symbol, <c>std::ios_base_library_init()</c>, a hook that older systems do without:
/// there every translation unit initialises iostreams itself. When the runtime's own probing has failed, a copy
/// without that need is written to the user's cache and loaded. Where nothing fails, nothing happens.
/// </remarks>
public static class NativeRuntime
{
    /// <summary>Environment variable that names a folder with libtorch 2.10 to use instead of the package's.</summary>
    public const string LibTorchVariable = "LANGEVIN_LIBTORCH";

    private const string Library = "LibTorchSharp", FileName = "libLibTorchSharp.so";
    private const string Version = "GLIBCXX_3.4.32", Symbol = "_ZSt21ios_base_library_initv";
    private static readonly Lock Gate = new();
    private static nint handle;

    /// <summary>What has happened so far.</summary>
    public static NativeStatus Status { get; private set; } = new(NativeState.NotNeeded, "the system's own loader finds everything");

    /// <summary>Makes sure that the native libraries can be used; every other call of this library does it too.</summary>
    /// <exception cref="NotSupportedException">They cannot; the message says what to install.</exception>
    public static void EnsureLoaded()
    {
        if (OperatingSystem.IsLinux()
            && !NativeLibrary.TryLoad(Library, typeof(TorchSharp.torch).Assembly, null, out _))
            throw new NotSupportedException(Status.State == NativeState.Failed ? Status.Detail : Missing());
        TorchSharp.torch.InitializeDeviceType(TorchSharp.DeviceType.CPU);
    }

#pragma warning disable CA2255 // The one thing that must happen before the first native call, whoever makes it.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Initialize()
    {
        if (OperatingSystem.IsLinux()) AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
    }

    private static nint Resolve(Assembly assembly, string name)
    {
        if (name != Library || assembly != typeof(TorchSharp.torch).Assembly) return 0;
        lock (Gate)
        {
            if (handle != 0) return handle;
            try { return handle = Load(); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or DllNotFoundException)
            {
                Status = new(NativeState.Failed, $"TorchSharp's native library cannot be loaded: {e.Message}");
                return 0;
            }
        }
    }

    private static nint Load()
    {
        string original = Folders().Select(f => Path.Combine(f, FileName)).FirstOrDefault(File.Exists)
            ?? throw new DllNotFoundException(Missing());
        string? redirected = Environment.GetEnvironmentVariable(LibTorchVariable);
        string torch = string.IsNullOrEmpty(redirected) ? Path.GetDirectoryName(original)! : redirected;
        foreach (string part in (string[])["libc10.so", "libtorch_cpu.so", "libtorch.so"])
        {
            string path = Path.Combine(torch, part);
            if (!File.Exists(path))
                throw new DllNotFoundException($"'{path}' does not exist. Reference the package TorchSharp-cpu (or TorchSharp-cuda-linux), or set {LibTorchVariable} to a folder with libtorch 2.10.");
            NativeLibrary.Load(path);
        }
        if (NativeLibrary.TryLoad(original, out nint direct))
        {
            Status = new(NativeState.Redirected, $"libtorch from {torch}");
            return direct;
        }
        byte[] elf = File.ReadAllBytes(original);
        if (!ElfPatch.Needs(elf, Version))
            throw new DllNotFoundException($"'{original}' does not load and {Version} is not the reason. Check with ldd that its libraries are there (libgomp, libstdc++ 6 or newer).");
        string copy = CachedCopy(elf);
        nint patched = NativeLibrary.TryLoad(copy, out nint loaded) ? loaded
            : throw new DllNotFoundException($"Neither '{original}' nor its repaired copy '{copy}' loads. Install libstdc++ of GCC 13 or newer.");
        Status = new(NativeState.Patched, $"libstdc++ here lacks {Version}; a copy of {original} without that need is in use: {copy}");
        return patched;
    }

    // The patched copy in the user's cache, keyed by the original's hash; written under a temporary name, so that processes may race.
    private static string CachedCopy(byte[] elf)
    {
        string cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        byte[] patched = ElfPatch.Apply(elf, Version, Symbol);
        string key = Convert.ToHexStringLower(SHA256.HashData(elf).AsSpan(0, 12));
        foreach (string root in (string[])[cache, Path.Combine(Path.GetTempPath(), $"langevin-{Environment.UserName}")])
        {
            string path = Path.Combine(root, "langevin", "native", key, FileName);
            try
            {
                if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(patched)) AtomicFile.WriteAllBytes(path, patched);
                return path;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && root == cache)
            {
                // A read-only home: the temporary folder serves.
            }
        }
        throw new DllNotFoundException($"The repaired native library can be written neither under '{cache}' nor under '{Path.GetTempPath()}'.");
    }

    // Where the runtime looks: its native search directories, the application's folder and its runtime-specific one.
    private static IEnumerable<string> Folders() =>
        ((string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Append(AppContext.BaseDirectory)
        .Append(Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"))
        .Append(Path.GetDirectoryName(typeof(NativeRuntime).Assembly.Location) ?? AppContext.BaseDirectory)
        .Distinct();

    private static string Missing() =>
        $"{FileName} was not found beside the application. Reference the package TorchSharp-cpu (or TorchSharp-cuda-linux) in the application, and build it for one runtime identifier.";
}
