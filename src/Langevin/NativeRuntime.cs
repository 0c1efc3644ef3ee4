using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Langevin.Native;
using TorchSharp;

namespace Langevin;

/// <summary>
/// Sees to it that TorchSharp's native library loads: on Linux systems whose libstdc++ is older than GCC 13's (Debian 12,
/// Ubuntu 22.04), and from a libtorch folder that <c>LANGEVIN_LIBTORCH</c> names.
/// </summary>
/// <remarks>
/// TorchSharp 0.107 needs <c>GLIBCXX_3.4.32</c> for <c>std::ios_base_library_init()</c> alone, a hook that an older
/// libstdc++ does without, since each of its translation units initialises the streams itself. The repair is a copy in the
/// user's cache whose hook returns at once (<see cref="ElfPatch"/>). It happens only after the runtime's own search
/// has failed, and for that reason alone; on Windows, macOS and musl nothing ever happens. A named libtorch is for
/// applications that bring none: a process cannot hold two.
/// <para>Where the processor hides the sizes of its caches, as under some hypervisors, libtorch's convolutions are kept from oneDNN, which
/// computes wrong ones there; they are slower.</para>
/// <para>On Linux with glibc, memory that tensors give back stays with the process for the next ones (<c>mallopt</c>), since taking it from
/// the system anew can cost more than the arithmetic. Any <c>MALLOC_…</c> variable or <c>GLIBC_TUNABLES</c> in the environment leaves the
/// allocator as that says.</para>
/// </remarks>
public static class NativeRuntime
{
    /// <summary>The environment variable that names a libtorch 2.10 folder (or its parent) to use in place of a package's.</summary>
    public const string LibTorchVariable = "LANGEVIN_LIBTORCH";

    private const string Library = "LibTorchSharp", LibraryFile = "libLibTorchSharp.so";
    private const string Version = "GLIBCXX_3.4.32", Hook = "_ZSt21ios_base_library_initv";
    private static readonly string[] LibTorchFiles = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];
    private static readonly Lock Gate = new();
    private static nint handle;
    private static NativeStatus status = new(NativeState.NotNeeded, "the system's own loader finds everything");

    /// <summary>What has happened so far.</summary>
    public static NativeStatus Status { get { lock (Gate) return status; } }

    /// <summary>Whether convolutions are kept from oneDNN, since the processor hides the sizes of its caches.</summary>
    public static bool AvoidsOneDnn => Applies && OneDnn.IsUnsafe;

    private static bool Applies { get; } = OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64
        && !RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal);

    private static string? Override => Environment.GetEnvironmentVariable(LibTorchVariable) is { Length: > 0 } folder ? folder : null;

    /// <summary>
    /// Makes TorchSharp loadable from now on; loads nothing yet. Runs by itself when this assembly is first used: only a
    /// program that may call TorchSharp before Langevin has to call it, in a module initialiser of its own.
    /// </summary>
    public static void Prepare()
    {
        // The body is the module initialiser's, which has run by the time a method of this assembly does.
    }

    /// <summary>Loads TorchSharp's native library, so that a failure is ours to explain and not met in the middle of work.</summary>
    /// <exception cref="NotSupportedException">It cannot be loaded; the message says which package or system library is missing.</exception>
    public static void EnsureLoaded()
    {
        // Asked first, since TorchSharp's own attempt would copy packages about and print to the standard output when it fails.
        if (Applies && !(Override is null ? NativeLibrary.TryLoad(Library, typeof(torch).Assembly, null, out _) : Resolve() != 0))
            throw new NotSupportedException(Status.Detail);
        torch.InitializeDeviceType(DeviceType.CPU);
    }

#pragma warning disable CA2255 // A library may not run code at load, save to make itself loadable.
    [ModuleInitializer]
    internal static void Initialise()
#pragma warning restore CA2255
    {
        if (!Applies) return;
        Heap.KeepFreed();
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (assembly, name) => IsTorchSharp(assembly, name) ? Resolve() : 0;
        if (OneDnn.IsUnsafe) NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, LoadWithoutOneDnn);
    }

    private static nint LoadWithoutOneDnn(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library || !NativeLibrary.TryLoad(name, assembly, path, out nint library)) return 0;
        OneDnn.TurnOff(library);
        return library;
    }

    private static bool IsTorchSharp(Assembly assembly, string name) => name == Library && assembly == typeof(torch).Assembly;

    /// <summary>The library's handle, or zero with the reason in <see cref="Status"/>.</summary>
    private static nint Resolve()
    {
        lock (Gate)
        {
            if (handle != 0) return handle;
            try
            {
                (handle, status) = Load(SearchFolders(), Override, CacheFolder());
            }
            catch (Exception e) when (e is DllNotFoundException or IOException or InvalidDataException or UnauthorizedAccessException or BadImageFormatException)
            {
                status = new(NativeState.Failed, e.Message);
            }
            return handle;
        }
    }

    private static (nint, NativeStatus) Load(IReadOnlyList<string> folders, string? libTorch, string? cache)
    {
        string original = Find(folders, LibraryFile) ?? throw new DllNotFoundException(
            $"{LibraryFile} is in none of [{string.Join(", ", folders)}]: reference the package TorchSharp-cpu (or TorchSharp-cuda-linux) from the application, and build it for linux-x64.");
        if (libTorch is not null) RefuseSecond(libTorch, folders);
        string from = libTorch is null
            ? FolderOf([Path.GetDirectoryName(original)!, .. folders]) ?? throw new DllNotFoundException(
                $"libtorch is missing: none of [{string.Join(", ", folders)}] holds {string.Join(", ", LibTorchFiles)}. Reference the package TorchSharp-cpu (or TorchSharp-cuda-linux) from the application, or set {LibTorchVariable} to a libtorch 2.10 folder.")
            : FolderOf([libTorch, Path.Combine(libTorch, "lib")]) ?? throw new DllNotFoundException(
                $"{LibTorchVariable}={libTorch} holds no libtorch: neither it nor its lib folder has {string.Join(", ", LibTorchFiles)}. Point it at a libtorch 2.10 folder, or unset it.");
        foreach (string file in LibTorchFiles) LoadOrExplain(Path.Combine(from, file));

        if (TryLoad(original, out nint direct) is not { } error)
            return (direct, new(NativeState.Redirected, $"libtorch from {from}", original, original, from));
        if (!error.Contains(Version, StringComparison.Ordinal)) throw new DllNotFoundException(Explain(original, error));
        var (patched, at) = NativeCache.Use(original, bytes => ElfPatch.Apply(bytes, Version, Hook), cache, LoadOrExplain);
        string detail = $"libstdc++ here lacks {Version}; a copy of {original} without that need is in use: {at}";
        return (patched, new(NativeState.Patched, libTorch is null ? detail : $"{detail}; libtorch from {from}", original, at, from));
    }

    /// <summary>TorchSharp loads a libtorch_cpu beside the application by name, which nothing can redirect, and two in a process crash it.</summary>
    private static void RefuseSecond(string libTorch, IReadOnlyList<string> folders)
    {
        const string file = "libtorch_cpu.so";
        if (Find(folders, file) is { } beside && Find([libTorch, Path.Combine(libTorch, "lib")], file) is { } named && Real(beside) != Real(named))
            throw new DllNotFoundException($"{LibTorchVariable}={libTorch} cannot be followed, since the application brings a libtorch of its own: {beside}. Unset it, or build the application without TorchSharp-cpu (the langevin command: dotnet build -p:LibTorch=none).");

        static string Real(string path) => new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
    }

    private static nint LoadOrExplain(string path) => TryLoad(path, out nint loaded) is { } error ? throw new DllNotFoundException(Explain(path, error)) : loaded;

    /// <summary>Null, or the loader's message.</summary>
    private static string? TryLoad(string path, out nint loaded)
    {
        loaded = 0;
        try
        {
            loaded = NativeLibrary.Load(path);
            return null;
        }
        catch (DllNotFoundException e)
        {
            return e.Message;
        }
    }

    /// <summary>The loader's message with what to install.</summary>
    internal static string Explain(string path, string error)
    {
        string remedy = error switch
        {
            _ when error.Contains("GLIBCXX_", StringComparison.Ordinal) || error.Contains("CXXABI_", StringComparison.Ordinal) =>
                "The system's libstdc++ is too old: install that of GCC 13 or newer (libstdc++6 of Debian 13 or Ubuntu 24.04, libstdcxx-ng 13 of conda-forge).",
            _ when error.Contains("GLIBC_", StringComparison.Ordinal) => "The system's C library is too old: glibc 2.34 or newer is needed (Debian 12, Ubuntu 22.04, RHEL 9 or later).",
            _ when error.Contains("libstdc++", StringComparison.Ordinal) => "Install the C++ runtime (Debian and Ubuntu: libstdc++6; Fedora and RHEL: libstdc++).",
            _ when error.Contains("libgomp", StringComparison.Ordinal) => "Install OpenMP's runtime (Debian and Ubuntu: libgomp1; Fedora and RHEL: libgomp).",
            _ when error.Contains("undefined symbol", StringComparison.Ordinal) => $"libtorch is of another version: TorchSharp 0.107 needs 2.10. Reference TorchSharp-cpu 0.107, or point {LibTorchVariable} at libtorch 2.10.",
            _ => $"Reference the package TorchSharp-cpu (or TorchSharp-cuda-linux) from the application, or set {LibTorchVariable} to a libtorch 2.10 folder.",
        };
        // .NET's advice comes first, then the loader's own words.
        string[] lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string reason = (lines.Length > 1 ? lines[1] : lines[0]).TrimEnd('.');
        return $"{Path.GetFileName(path)} cannot be loaded: {reason}. {remedy}";
    }

    private static string? Find(IEnumerable<string> folders, string file) => folders.Select(f => Path.Combine(f, file)).FirstOrDefault(File.Exists);

    private static string? FolderOf(IEnumerable<string> folders) =>
        folders.FirstOrDefault(f => LibTorchFiles.All(file => File.Exists(Path.Combine(f, file)))) is { } found ? Path.GetFullPath(found) : null;

    /// <summary>Where the runtime looks for native libraries, in its order.</summary>
    private static List<string> SearchFolders()
    {
        string listed = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        string[] folders = [
            .. listed.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
            AppContext.BaseDirectory,
            Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native"),
            Path.GetDirectoryName(typeof(torch).Assembly.Location) ?? ""];
        return [.. folders.Where(Directory.Exists).Select(f => Path.TrimEndingDirectorySeparator(Path.GetFullPath(f))).Distinct()];
    }

    /// <summary>The user's cache folder by the XDG rules, or null where there is no home.</summary>
    private static string? CacheFolder()
    {
        string? root = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg) ? xdg
            : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home ? Path.Combine(home, ".cache") : null;
        return root is null ? null : Path.Combine(root, "langevin", "native");
    }
}
