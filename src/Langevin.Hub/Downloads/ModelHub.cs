using System.IO.Enumeration;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Langevin.Hub;

/// <summary>How far a download is.</summary>
/// <param name="File">The file.</param>
/// <param name="Index">Its number, from 0.</param>
/// <param name="Count">How many files there are.</param>
/// <param name="Bytes">Bytes of it that are here.</param>
/// <param name="Size">Its size; 0 where the hub does not say.</param>
public sealed record DownloadProgress(string File, int Index, int Count, long Bytes, long Size);

/// <summary>
/// Models from the public hub by its HTTP protocol, into the cache that its own tools use: downloads go on where they were stopped, and
/// what arrives is checked by its hash.
/// </summary>
public sealed class ModelHub : IDisposable
{
    private const long MostListed = 64 << 20;
    private readonly HttpClient client;
    private readonly HubCache cache;
    private readonly Uri endpoint;
    private readonly string? token;

    /// <summary>A client.</summary>
    /// <param name="cache">Where to keep models; the user's own cache when null.</param>
    /// <param name="endpoint">The hub's address: <c>HF_ENDPOINT</c>, else https://huggingface.co, when null.</param>
    /// <param name="token">Given for models that are not open to all: <c>HF_TOKEN</c>, else the file that the hub's tools keep it in, when null.</param>
    /// <param name="offline">Whether to use what is there and to ask nobody: by <c>HF_HUB_OFFLINE</c> when null.</param>
    public ModelHub(HubCache? cache = null, string? endpoint = null, string? token = null, bool? offline = null)
    {
        this.cache = cache ?? HubCache.Default;
        endpoint ??= Environment.GetEnvironmentVariable("HF_ENDPOINT") is { Length: > 0 } other ? other : "https://huggingface.co";
        this.endpoint = Uri.TryCreate(endpoint.TrimEnd('/') + "/", UriKind.Absolute, out var address) && address.Scheme is "http" or "https" ? address : throw new ArgumentException($"'{endpoint}' is no address of a hub.", nameof(endpoint));
        string kept = Path.Combine(HubCache.Home, "token");
        this.token = token ?? (Environment.GetEnvironmentVariable("HF_TOKEN") is { Length: > 0 } own ? own : File.Exists(kept) ? File.ReadAllText(kept).Trim() : null);
        IsOffline = offline ?? Environment.GetEnvironmentVariable("HF_HUB_OFFLINE") is "1" or "true" or "TRUE" or "yes" or "ON";
        // Redirections are followed here: the token is for the hub alone.
        client = new(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(30) }) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("langevin");
    }

    /// <summary>Whether nobody is asked.</summary>
    public bool IsOffline { get; }

    /// <summary>Downloads a model, or what is missing of it; the folder it lies in.</summary>
    /// <param name="model">"owner/name".</param>
    /// <param name="revision">A branch, tag or commit.</param>
    /// <param name="include">Patterns of the files that are wanted ("*.json", "unet/*"); without any: configurations, tokenizers and weights, safetensors where a folder has them, in full precision where it has that.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Stops; what has arrived stays, and is not asked for again.</param>
    /// <exception cref="InvalidDataException">What arrived is not what the hub says it is.</exception>
    /// <exception cref="HttpRequestException">The hub cannot be reached, has no such model, or does not give it to you.</exception>
    public async Task<string> Get(string model, string revision = "main", IReadOnlyList<string>? include = null, Action<DownloadProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (IsOffline) return cache.Find(model, revision) ?? throw new HttpRequestException($"'{model}' is not in '{cache.Folder}', and nobody is asked (offline).");
        cache.Model(model);
        string list = await Text(new Uri(endpoint, $"api/models/{model}/revision/{Uri.EscapeDataString(revision)}"), model, cancellation);
        string commit;
        string[] names;
        try
        {
            var root = JsonNode.Parse(list)!;
            commit = root["sha"]!.GetValue<string>();
            names = [.. root["siblings"]!.AsArray().Select(f => f!["rfilename"]!.GetValue<string>())];
        }
        catch (Exception e) when (e is JsonException or NullReferenceException or InvalidOperationException) { throw new InvalidDataException($"The hub's description of '{model}' is not what its protocol says: {e.Message}", e); }
        string[] wanted = include is { Count: > 0 } ? [.. names.Where(n => include.Any(p => FileSystemName.MatchesSimpleExpression(p, n)))] : [.. Usual(names)];
        if (wanted.Length == 0) throw new InvalidDataException($"'{model}' has no file that is wanted; it has {string.Join(", ", names.Take(10))}{(names.Length > 10 ? ", …" : "")}.");
        foreach (string name in wanted) HubCache.Inside(name);
        for (int i = 0; i < wanted.Length; i++)
        {
            int index = i;
            string hash = await Fetch(model, commit, wanted[i], (bytes, size) => progress?.Invoke(new(wanted[index], index, wanted.Length, bytes, size)), cancellation);
            cache.Link(model, commit, wanted[i], hash);
        }
        if (commit != revision) cache.Name(model, revision, commit);
        return cache.Find(model, commit)!;
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>The files of a model that are of use here.</summary>
    internal static IEnumerable<string> Usual(IReadOnlyList<string> names)
    {
        foreach (var folder in names.GroupBy(n => n[..(n.LastIndexOf('/') + 1)]))
        {
            foreach (string name in folder.Where(n => n.EndsWith(".json", StringComparison.Ordinal) || n.EndsWith(".txt", StringComparison.Ordinal) || n.EndsWith(".model", StringComparison.Ordinal))) yield return name;
            foreach (string ending in (string[])[".safetensors", ".bin"])
            {
                string[] all = [.. folder.Where(n => n.EndsWith(ending, StringComparison.Ordinal) && (folder.Key.Length > 0 || names.All(m => m != "model_index.json")))];
                string[] full = [.. all.Where(n => !n.Contains(".fp16", StringComparison.Ordinal) && !n.Contains(".non_ema", StringComparison.Ordinal) && !n.Contains(".bf16", StringComparison.Ordinal))];
                foreach (string name in full.Length > 0 ? full : all) yield return name;
                if (all.Length > 0) break;
            }
        }
    }

    // The blob of a file, named by its hash.
    private async Task<string> Fetch(string model, string commit, string file, Action<long, long> progress, CancellationToken cancellation)
    {
        var address = new Uri(endpoint, $"{model}/resolve/{commit}/{string.Join('/', file.Split('/').Select(Uri.EscapeDataString))}");
        string hash;
        long size;
        using (var head = await Send(HttpMethod.Head, address, 0, follow: false, cancellation))
        {
            Need(head, model, file);
            string? tag = (First(head, "X-Linked-ETag") ?? First(head, "ETag"))?.Replace("W/", "", StringComparison.Ordinal).Trim('"');
            hash = tag is { Length: 40 or 64 } && tag.All(char.IsAsciiHexDigit) ? tag : throw new InvalidDataException($"The hub does not say what '{file}' of '{model}' hashes to.");
            size = long.TryParse(First(head, "X-Linked-Size"), out long linked) ? linked : head.Content.Headers.ContentLength ?? 0;
        }
        string blob = cache.Blob(model, hash), partial = blob + ".incomplete";
        if (File.Exists(blob))
        {
            progress(size, size);
            return hash;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        await using (var target = new FileStream(partial, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            if (size > 0 && target.Length > size) target.SetLength(0);
            if (size == 0 || target.Length < size)
            {
                using var answer = await Send(HttpMethod.Get, address, target.Length, follow: true, cancellation);
                if (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable) target.SetLength(0);
                Need(answer, model, file);
                if (answer.StatusCode != HttpStatusCode.PartialContent) target.SetLength(0);
                target.Position = target.Length;
                await using var source = await answer.Content.ReadAsStreamAsync(cancellation);
                var buffer = new byte[1 << 16];
                for (int read; (read = await source.ReadAsync(buffer, cancellation)) > 0; progress(target.Position, size))
                {
                    if (size > 0 && target.Position + read > size) throw new InvalidDataException($"'{file}' of '{model}' is longer than the {size:n0} bytes that the hub says.");
                    await target.WriteAsync(buffer.AsMemory(0, read), cancellation);
                }
            }
            if (size > 0 && target.Length != size) throw new HttpRequestException($"'{file}' of '{model}' broke off after {target.Length:n0} of {size:n0} bytes: ask again, and it goes on from there.");
            target.Position = 0;
            string found = await Hash(target, hash.Length == 64, cancellation);
            if (!found.Equals(hash, StringComparison.OrdinalIgnoreCase))
            {
                target.SetLength(0);
                throw new InvalidDataException($"'{file}' of '{model}' hashes to {found}, and the hub says {hash}: it was damaged on the way; ask again.");
            }
        }
        File.Move(partial, blob, overwrite: true);
        return hash;
    }

    // Large files go by SHA-256, small ones by git's hash of a blob.
    private static async Task<string> Hash(FileStream file, bool large, CancellationToken cancellation)
    {
        if (large) return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
#pragma warning disable CA5350 // git's own
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        hash.AppendData(Encoding.ASCII.GetBytes($"blob {file.Length}\0"));
        var buffer = new byte[1 << 16];
        for (int read; (read = await file.ReadAsync(buffer, cancellation)) > 0;) hash.AppendData(buffer, 0, read);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private async Task<string> Text(Uri address, string model, CancellationToken cancellation)
    {
        using var answer = await Send(HttpMethod.Get, address, 0, follow: true, cancellation);
        Need(answer, model, null);
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellation);
        using var kept = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await stream.ReadAsync(buffer, cancellation)) > 0;)
        {
            if (kept.Length + read > MostListed) throw new InvalidDataException($"The hub's description of '{model}' is larger than {MostListed >> 20} MiB.");
            kept.Write(buffer, 0, read);
        }
        return Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length);
    }

    private async Task<HttpResponseMessage> Send(HttpMethod method, Uri address, long from, bool follow, CancellationToken cancellation)
    {
        for (int hops = 0; hops < 10; hops++)
        {
            using var request = new HttpRequestMessage(method, address);
            if (token is not null && address.Host == endpoint.Host && address.Scheme == endpoint.Scheme && address.Port == endpoint.Port) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            if (from > 0) request.Headers.Range = new RangeHeaderValue(from, null);
            HttpResponseMessage answer;
            try
            {
                answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            }
            catch (HttpRequestException e) { throw new HttpRequestException($"{address.Host} cannot be reached: {e.Message}", e); }
            if (answer.StatusCode is not (HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect) || answer.Headers.Location is not { } next) return answer;
            next = new Uri(address, next);
            // A file's own address elsewhere does not know its hash: the redirection itself does.
            if (!follow && next.Host != endpoint.Host) return answer;
            if (!follow && First(answer, "X-Linked-ETag") is not null) return answer;
            answer.Dispose();
            address = next;
        }
        throw new HttpRequestException($"{address.Host} sends us round in circles.");
    }

    private static string? First(HttpResponseMessage answer, string header) =>
        answer.Headers.TryGetValues(header, out var values) || answer.Content.Headers.TryGetValues(header, out values) ? values.FirstOrDefault() : null;

    private void Need(HttpResponseMessage answer, string model, string? file)
    {
        string what = file is null ? $"'{model}'" : $"'{file}' of '{model}'";
        if (answer.IsSuccessStatusCode || (int)answer.StatusCode is >= 300 and < 400) return;
        throw new HttpRequestException(answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => $"{endpoint.Host} does not give {what} to you: {(token is null ? "set HF_TOKEN" : "the token that is set does not open it")}; some models ask for their terms to be accepted on their page first.",
            HttpStatusCode.NotFound => $"{endpoint.Host} has no {what}.",
            _ => $"{endpoint.Host} answered {(int)answer.StatusCode} for {what}.",
        }, null, answer.StatusCode);
    }
}
