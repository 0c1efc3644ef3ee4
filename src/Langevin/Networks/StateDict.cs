using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>Named weights in and out of a module, strictly.</summary>
public static class StateDict
{
    /// <summary>
    /// Copies named weights into a module. Every name of the module must be given with exactly its shape and no other name may
    /// be given; values are converted to the module's dtype and device. Nothing is copied unless all fits.
    /// </summary>
    /// <remarks>diffusers' Gaussian frequencies go by two names, <c>time_proj.weight</c> and <c>time_proj.W</c>: one is enough.</remarks>
    /// <param name="module">Receives the weights.</param>
    /// <param name="weights">One tensor a name; they are only read.</param>
    /// <param name="source">What to call the weights in an error, for example the file.</param>
    /// <exception cref="InvalidDataException">Names are missing, unexpected or wrongly shaped: one message lists them all.</exception>
    public static void Load(nn.Module module, IReadOnlyDictionary<string, Tensor> weights, string source = "weights")
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        Check(module, weights, source);
        foreach (var (key, target) in module.state_dict()) target.copy_(Given(weights, key)!);
    }

    /// <summary>Checks names and shapes alone, as <see cref="Load"/> does before it copies: the given tensors may hold nothing, as those of the meta device.</summary>
    /// <exception cref="InvalidDataException">Names are missing, unexpected or wrongly shaped: one message lists them all.</exception>
    public static void Check(nn.Module module, IReadOnlyDictionary<string, Tensor> weights, string source = "weights")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(weights);
        using var scope = NewDisposeScope();
        var own = module.state_dict();
        var missing = own.Where(o => Given(weights, o.Key) is null).Select(o => $"{o.Key} [{Shape(o.Value)}]").ToList();
        var unexpected = weights.Keys.Where(k => !own.ContainsKey(k)).ToList();
        var shaped = own.Where(o => Given(weights, o.Key) is { } w && !w.shape.SequenceEqual(o.Value.shape))
            .Select(o => $"{o.Key} is [{Shape(Given(weights, o.Key)!)}], expected [{Shape(o.Value)}]").ToList();
        if (missing.Count + unexpected.Count + shaped.Count > 0)
            throw new InvalidDataException($"{source} do not fit {module.GetName()}: the configuration is of another network. "
                + string.Join("; ", new[] { Part("missing", missing), Part("unexpected", unexpected), Part("wrongly shaped", shaped) }.Where(p => p.Length > 0)) + ".");
    }

    private static Tensor? Given(IReadOnlyDictionary<string, Tensor> weights, string key) => weights.GetValueOrDefault(key) ?? weights.GetValueOrDefault(Twin(key));

    private static string Twin(string key) =>
        key.EndsWith("time_proj.W", StringComparison.Ordinal) ? key[..^1] + "weight"
        : key.EndsWith("time_proj.weight", StringComparison.Ordinal) ? key[..^6] + "W" : key;

    private static string Part(string what, List<string> keys) => keys.Count == 0 ? "" : $"{what} ({keys.Count}): {string.Join(", ", keys)}";

    private static string Shape(Tensor tensor) => string.Join(", ", tensor.shape);
}
