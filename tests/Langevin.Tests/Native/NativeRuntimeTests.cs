using System.Diagnostics;
using System.Text;
using Langevin.Native;

namespace Langevin.Tests.Native;

public class NativeRuntimeTests
{
    private const string CppRuntime = "libstdc++.so.6";

    [Fact]
    public void Patches_just_where_the_systems_libstdcxx_is_old()
    {
        NativeRuntime.EnsureLoaded();
        if (!OperatingSystem.IsLinux()) Assert.Skip("Linux only");
        string[] maps = File.ReadAllLines("/proc/self/maps");
        string system = maps.First(m => m.EndsWith(CppRuntime, StringComparison.Ordinal) || m.Contains(CppRuntime + ".", StringComparison.Ordinal));
        bool old = File.ReadAllBytes(system[system.IndexOf('/')..]).AsSpan().IndexOf("GLIBCXX_3.4.32\0"u8) < 0;
        var status = NativeRuntime.Status;
        Assert.Equal(old, status.State == NativeState.Patched);
        if (old) Assert.Contains(maps, m => m.EndsWith(status.Loaded!, StringComparison.Ordinal));
        Assert.Single(maps.Where(m => m.Contains("libLibTorchSharp", StringComparison.Ordinal)).Select(m => m[m.IndexOf('/')..]).Distinct());
        Assert.False(Directory.Exists(Path.Combine(AppContext.BaseDirectory, "cpu")), "TorchSharp fell back to copying libraries");
    }

    [Fact]
    public void Several_processes_with_an_empty_cache_all_load_and_print_nothing()
    {
        using var cache = new TempFolder();
        var children = Enumerable.Range(0, 3).Select(_ => new Child(("XDG_CACHE_HOME", cache.Path))).ToArray();
        foreach (var child in children) child.AssertPasses();
        string[] files = Directory.GetFiles(cache.Path, "*", SearchOption.AllDirectories);
        if (NativeRuntime.Status.State == NativeState.Patched) Assert.Equal("libLibTorchSharp.so", Path.GetFileName(Assert.Single(files)));
        else Assert.Empty(files);
    }

    [Fact]
    public void A_cache_that_cannot_be_written_does_not_stop_it()
    {
        using var folder = new TempFolder();
        new Child(("XDG_CACHE_HOME", folder.Write("file", "no folder")), ("TMPDIR", Path.GetDirectoryName(folder["tmp/x"])!)).AssertPasses();
        Assert.Empty(Directory.GetDirectories(folder["tmp"], "langevin-*"));
    }

    [Fact]
    public void A_cut_off_copy_in_the_cache_is_replaced()
    {
        if (NativeRuntime.Status is not { State: NativeState.Patched, Loaded: { } loaded } || !File.Exists(loaded)) { Assert.Skip("nothing is cached on this system"); return; }
        using var cache = new TempFolder();
        string copy = cache.Write(Path.Combine("langevin", "native", Path.GetFileName(Path.GetDirectoryName(loaded))!, "libLibTorchSharp.so"), File.ReadAllBytes(loaded)[..100_000]);
        new Child(("XDG_CACHE_HOME", cache.Path)).AssertPasses();
        Assert.Equal(File.ReadAllBytes(loaded), File.ReadAllBytes(copy));
    }

    [Fact]
    public void A_libtorch_folder_of_the_users_is_used()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Linux only");
        using var folder = new TempFolder();
        foreach (string library in Directory.GetFiles(AppContext.BaseDirectory, "lib*.so*").Where(f => !f.Contains("LibTorchSharp", StringComparison.Ordinal)))
            File.CreateSymbolicLink(folder[Path.Combine("lib", Path.GetFileName(library))], library);
        new Child((NativeRuntime.LibTorchVariable, folder.Path), ("LD_DEBUG", "libs"), ("LD_DEBUG_OUTPUT", folder["log/ld"])).AssertPasses();
        var initialised = Directory.GetFiles(folder["log"]).SelectMany(File.ReadLines).Where(l => l.Contains("calling init: ", StringComparison.Ordinal)).ToArray();
        Assert.EndsWith(folder["lib/libtorch_cpu.so"], Assert.Single(initialised, l => l.EndsWith("/libtorch_cpu.so", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_second_libtorch_is_refused()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Linux only");
        using var folder = new TempFolder();
        foreach (string file in (string[])["libc10.so", "libtorch_cpu.so", "libtorch.so"]) folder.Write(file, "another");
        string said = new Child((NativeRuntime.LibTorchVariable, folder.Path)).AssertFails();
        Assert.Contains("brings a libtorch of its own", said);
        Assert.Contains("-p:LibTorch=none", said);
    }

    [Fact]
    public void A_libtorch_folder_that_holds_none_is_named()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Linux only");
        using var folder = new TempFolder();
        string said = new Child((NativeRuntime.LibTorchVariable, folder.Path)).AssertFails();
        Assert.Contains($"{NativeRuntime.LibTorchVariable}={folder.Path} holds no libtorch", said);
    }

    [Theory]
    [InlineData("/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.33' not found (required by /app/x.so)", "GCC 13")]
    [InlineData("/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /app/x.so)", "glibc 2.34")]
    [InlineData("libgomp.so.1: cannot open shared object file: No such file or directory", "libgomp1")]
    [InlineData("libstdc++.so.6: cannot open shared object file: No such file or directory", "libstdc++6")]
    [InlineData("/app/x.so: undefined symbol: _ZN3c105ErrorC1E", "2.10")]
    [InlineData("/app/x.so: invalid ELF header", "TorchSharp-cpu")]
    public void The_loaders_reason_comes_with_what_to_install(string reason, string remedy)
    {
        string said = NativeRuntime.Explain("/app/x.so", $"Unable to load shared library '/app/x.so' or one of its dependencies. Consider: \n{reason}\n");
        Assert.StartsWith($"x.so cannot be loaded: {reason}", said, StringComparison.Ordinal);
        Assert.Contains(remedy, said);
        Assert.DoesNotContain('\n', said);
    }

    [Fact]
    public void The_cache_takes_a_file_once_and_a_changed_file_again()
    {
        using var folder = new TempFolder();
        string path = NativeCache.Store(folder.Path, "a", [1, 2])!;
        var written = File.GetLastWriteTimeUtc(path);
        Assert.Equal(path, NativeCache.Store(folder.Path, "a", [1, 2]));
        Assert.Equal(written, File.GetLastWriteTimeUtc(path));
        NativeCache.Store(folder.Path, "a", [1, 3]);
        Assert.Equal([1, 3], File.ReadAllBytes(path));
    }

    /// <summary>This test program in a process of its own, running the smoke test.</summary>
    private sealed class Child
    {
        private readonly Process process;
        private readonly StringBuilder said = new();

        public Child(params (string Name, string Value)[] environment)
        {
            var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Langevin.Tests.dll"), "-class", typeof(SmokeTests).FullName!, "-noColor"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            // A test platform's own variables would turn the child into its server.
            foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("TESTINGPLATFORM", StringComparison.Ordinal)).ToArray()) start.Environment.Remove(name);
            foreach (var (name, value) in environment) start.Environment[name] = value;
            start.Environment["OMP_NUM_THREADS"] = "1";
            process = Process.Start(start)!;
            process.OutputDataReceived += (_, e) => { lock (said) said.AppendLine(e.Data); };
            process.ErrorDataReceived += (_, e) => { lock (said) said.AppendLine(e.Data); };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        public void AssertPasses()
        {
            string output = Wait();
            Assert.True(ExitCode == 0 && output.Contains("Total: 1, Errors: 0, Failed: 0, Skipped: 0", StringComparison.Ordinal), output);
            Assert.DoesNotContain("TorchSharp", output);
        }

        public string AssertFails()
        {
            string output = Wait();
            Assert.NotEqual(0, ExitCode);
            return output;
        }

        private string Wait()
        {
            using (process)
            {
                if (!process.WaitForExit(TimeSpan.FromMinutes(2))) { process.Kill(); Assert.Fail("the child process hangs"); }
                process.WaitForExit();
                string output;
                lock (said) output = said.ToString();
                ExitCode = process.ExitCode;
                return output;
            }
        }

        private int ExitCode { get; set; }
    }
}
