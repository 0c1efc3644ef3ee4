using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>Named weights in and out of a module, strictly.</summary>
public static class StateDict
{
    /// <summary>
    /// Copies named weights into a module. Every name of the module must be given with exactly its shape and no other name may
    /// be given; values are converted to the module's dtype and device. Nothing is copied unless all fits.
    /// </summary>
    /// <remarks>Of names that share one tensor (tied weights) one is enough.</remarks>
    /// <param name="module">Receives the weights.</param>
    /// <param name="weights">One tensor a name; they are only read.</param>
    /// <param name="source">What to call the weights in an error, for example the file.</param>
    /// <exception cref="InvalidDataException">Names are missing, unexpected or wrongly shaped: one message lists them all.</exception>
    public static void Load(nn.Module module, IReadOnlyDictionary<string, Tensor> weights, string source = "weights")
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var own = module.state_dict();
        var given = own.Keys.Where(weights.ContainsKey).Select(k => own[k].Handle).ToHashSet();
        var missing = own.Where(o => !weights.ContainsKey(o.Key) && !given.Contains(o.Value.Handle)).Select(o => $"{o.Key} [{Shape(o.Value)}]").ToList();
        var unexpected = weights.Keys.Where(k => !own.ContainsKey(k)).ToList();
        var shaped = own.Where(o => weights.TryGetValue(o.Key, out var w) && !w.shape.SequenceEqual(o.Value.shape))
            .Select(o => $"{o.Key} is [{Shape(weights[o.Key])}], expected [{Shape(o.Value)}]").ToList();
        if (missing.Count + unexpected.Count + shaped.Count > 0)
            throw new InvalidDataException($"{source} do not fit {module.GetName()}: the configuration is of another network. "
                + string.Join("; ", new[] { Part("missing", missing), Part("unexpected", unexpected), Part("wrongly shaped", shaped) }.Where(p => p.Length > 0)) + ".");
        foreach (var (key, target) in own)
            if (weights.TryGetValue(key, out var value)) target.copy_(value);
    }

    private static string Part(string what, List<string> keys) => keys.Count == 0 ? "" : $"{what} ({keys.Count}): {string.Join(", ", keys)}";

    private static string Shape(Tensor tensor) => string.Join(", ", tensor.shape);
}
