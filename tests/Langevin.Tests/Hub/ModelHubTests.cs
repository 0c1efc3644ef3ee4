using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Langevin.Hub;

namespace Langevin.Tests.Hub;

/// <summary>Downloads, from a server on this machine that speaks the hub's protocol.</summary>
public class ModelHubTests
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    /// <summary>A hub with one model.</summary>
    private sealed class Server : IDisposable
    {
        private readonly HttpListener listener = new();
        private readonly Dictionary<string, byte[]> files;

        public Server(Dictionary<string, byte[]> files)
        {
            this.files = files;
            for (int tries = 0; ; tries++)
            {
                Address = $"http://localhost:{Random.Shared.Next(20_000, 60_000)}/";
                listener.Prefixes.Clear();
                listener.Prefixes.Add(Address);
                try { listener.Start(); break; }
                catch (HttpListenerException) when (tries < 20) { }
            }
            new Thread(Serve) { IsBackground = true }.Start();
        }

        public string Address { get; }

        public List<string> Asked { get; } = [];

        public string? NeedsToken { get; set; }

        public int? BreaksAfter { get; set; }

        public bool Damages { get; set; }

        public static string Sha1(byte[] content) => Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));

        private void Serve()
        {
            while (listener.IsListening)
            {
                HttpListenerContext context;
                try { context = listener.GetContext(); }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException) { return; }
                try { Answer(context.Request, context.Response); }
                catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException) { }
                try { context.Response.Close(); }
                catch (Exception e) when (e is HttpListenerException or InvalidOperationException or IOException) { context.Response.Abort(); }
            }
        }

        private void Answer(HttpListenerRequest request, HttpListenerResponse response)
        {
            string path = request.Url!.AbsolutePath;
            lock (Asked) Asked.Add($"{request.HttpMethod} {path} {request.Headers["Range"]}".TrimEnd());
            if (NeedsToken is not null && request.Headers["Authorization"] != "Bearer " + NeedsToken) { response.StatusCode = 401; return; }
            if (path == "/api/models/some/model/revision/main")
            {
                response.OutputStream.Write(JsonSerializer.SerializeToUtf8Bytes(new { sha = Commit, siblings = files.Keys.Select(f => new { rfilename = f }) }));
                return;
            }
            bool stored = path.StartsWith("/store/", StringComparison.Ordinal);
            string prefix = stored ? "/store/" : $"/some/model/resolve/{Commit}/";
            if (!path.StartsWith(prefix, StringComparison.Ordinal) || !files.TryGetValue(path[prefix.Length..], out byte[]? content)) { response.StatusCode = 404; return; }
            bool large = path.EndsWith(".safetensors", StringComparison.Ordinal);
            if (large && !stored)
            {
                response.StatusCode = 302;
                response.Headers["Location"] = "/store/" + path[prefix.Length..];
                response.Headers["X-Linked-ETag"] = $"\"{Convert.ToHexStringLower(SHA256.HashData(content))}\"";
                response.Headers["X-Linked-Size"] = content.Length.ToString();
                return;
            }
            if (!large) response.Headers["ETag"] = $"\"{Sha1(content)}\"";
            int from = 0;
            if (request.Headers["Range"] is { } range)
            {
                from = int.Parse(range["bytes=".Length..].TrimEnd('-'));
                response.StatusCode = 206;
            }
            byte[] body = [.. content[from..]];
            if (Damages) body[^1] ^= 1;
            response.ContentLength64 = body.Length;
            if (request.HttpMethod == "HEAD") return;
            if (BreaksAfter is { } few && large && few < body.Length)
            {
                BreaksAfter = null;
                response.OutputStream.Write(body, 0, few);
                response.OutputStream.Flush();
                response.Abort();
                return;
            }
            response.OutputStream.Write(body);
        }

        public void Dispose() => listener.Close();
    }

    private static Dictionary<string, byte[]> Files()
    {
        var random = new Random(1);
        byte[] weights = new byte[300_000];
        random.NextBytes(weights);
        return new()
        {
            ["model_index.json"] = "{}"u8.ToArray(), ["unet/config.json"] = "{ \"a\": 1 }"u8.ToArray(), ["unet/diffusion_pytorch_model.safetensors"] = weights, ["unet/diffusion_pytorch_model.bin"] = [1, 2], ["README.md"] = [3],
            ["unet/diffusion_pytorch_model.fp16.safetensors"] = [4],
        };
    }

    [Fact]
    public async Task A_model_arrives_in_the_hubs_own_layout_and_is_asked_for_once()
    {
        using var folder = new TempFolder();
        var files = Files();
        using var server = new Server(files);
        var cache = new HubCache(folder.Path);
        using var hub = new ModelHub(cache, server.Address, offline: false);
        Assert.Null(cache.Find("some/model"));
        var last = new List<DownloadProgress>();
        string place = await hub.Get("some/model", progress: last.Add, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(Path.Combine(folder.Path, "models--some--model", "snapshots", Commit), place);
        Assert.Equal(place, cache.Find("some/model"));
        Assert.Equal(Commit, File.ReadAllText(Path.Combine(folder.Path, "models--some--model", "refs", "main")));
        // Weights once, in full precision and not as a pickle; no pages.
        Assert.Equal(["model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors"],
            Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(place, f).Replace('\\', '/')).Order(StringComparer.Ordinal));
        foreach (string name in (string[])["unet/config.json", "unet/diffusion_pytorch_model.safetensors"]) Assert.Equal(files[name], File.ReadAllBytes(Path.Combine(place, name)));
        Assert.Equal(Server.Sha1(files["unet/config.json"]), Path.GetFileName(new FileInfo(Path.Combine(place, "unet", "config.json")).LinkTarget));
        Assert.Contains(last, p => p.Bytes == 300_000 && p.Size == 300_000);
        int gets = server.Asked.Count(a => a.StartsWith("GET /store", StringComparison.Ordinal));
        await hub.Get("some/model", cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(gets, server.Asked.Count(a => a.StartsWith("GET /store", StringComparison.Ordinal)));
        // What is there is enough for one who may not ask.
        using var alone = new ModelHub(cache, "http://localhost:1", offline: true);
        Assert.Equal(place, await alone.Get("some/model", cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("nobody is asked", (await Assert.ThrowsAsync<HttpRequestException>(() => alone.Get("other/model", cancellation: TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_download_goes_on_where_it_broke_off()
    {
        using var folder = new TempFolder();
        var files = Files();
        using var server = new Server(files) { BreaksAfter = 131_072 };
        using var hub = new ModelHub(new HubCache(folder.Path), server.Address, offline: false);
        await Assert.ThrowsAnyAsync<Exception>(() => hub.Get("some/model", cancellation: TestContext.Current.CancellationToken));
        long here = new FileInfo(Assert.Single(Directory.EnumerateFiles(folder.Path, "*.incomplete", SearchOption.AllDirectories))).Length;
        Assert.InRange(here, 1, 131_072);
        string place = await hub.Get("some/model", cancellation: TestContext.Current.CancellationToken);
        Assert.Contains(server.Asked, a => a == $"GET /store/unet/diffusion_pytorch_model.safetensors bytes={here}-");
        Assert.Equal(files["unet/diffusion_pytorch_model.safetensors"], File.ReadAllBytes(Path.Combine(place, "unet", "diffusion_pytorch_model.safetensors")));
    }

    [Fact]
    public async Task What_is_damaged_on_the_way_is_not_kept()
    {
        using var folder = new TempFolder();
        using var server = new Server(Files()) { Damages = true };
        using var hub = new ModelHub(new HubCache(folder.Path), server.Address, offline: false);
        Assert.Contains("damaged", (await Assert.ThrowsAsync<InvalidDataException>(() => hub.Get("some/model", cancellation: TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
        server.Damages = false;
        Assert.True(Directory.Exists(await hub.Get("some/model", include: ["unet/*.json"], cancellation: TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task A_token_opens_what_is_not_open_to_all()
    {
        using var folder = new TempFolder();
        using var server = new Server(Files()) { NeedsToken = "secret" };
        using var without = new ModelHub(new HubCache(folder.Path), server.Address, token: "wrong", offline: false);
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => without.Get("some/model", cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("does not open it", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", refused.Message, StringComparison.Ordinal);
        using var with = new ModelHub(new HubCache(folder.Path), server.Address, token: "secret", offline: false);
        await with.Get("some/model", cancellation: TestContext.Current.CancellationToken);
        Assert.Contains("has no 'some/other'", (await Assert.ThrowsAsync<HttpRequestException>(() => with.Get("some/other", cancellation: TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("../../outside.json"), InlineData("a/../../b.json"), InlineData("/etc/x.json"), InlineData("C:\\x.json")]
    public async Task A_hub_cannot_write_outside_the_model(string name)
    {
        using var folder = new TempFolder();
        using var server = new Server(new() { [name] = [1] });
        using var hub = new ModelHub(new HubCache(Path.Combine(folder.Path, "cache")), server.Address, offline: false);
        Assert.Contains("no path within a model", (await Assert.ThrowsAsync<InvalidDataException>(() => hub.Get("some/model", cancellation: TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories));
    }

    [Theory, InlineData("model"), InlineData("../model"), InlineData("a/b/c"), InlineData("a/../b")]
    public async Task Names_are_checked(string name)
    {
        using var folder = new TempFolder();
        using var hub = new ModelHub(new HubCache(folder.Path), "http://localhost:1", offline: false);
        await Assert.ThrowsAsync<ArgumentException>(() => hub.Get(name, cancellation: TestContext.Current.CancellationToken));
    }
}
