using static TorchSharp.torch;

namespace Langevin.Training;

/// <summary>Strict copying between sets of named tensors.</summary>
internal static class NamedTensors
{
    /// <summary>Copies every value into the tensor of its name, after all names, shapes and types have been checked.</summary>
    /// <exception cref="InvalidDataException">A name is missing or unknown, or a shape or type differs; nothing was copied.</exception>
    public static void Load(IReadOnlyDictionary<string, Tensor> into, IReadOnlyDictionary<string, Tensor> values, string what)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (into.Keys.FirstOrDefault(k => !values.ContainsKey(k)) is { } missing)
            throw new InvalidDataException($"The {what} lacks '{missing}'. It belongs to another model or was saved by another version.");
        if (values.Keys.FirstOrDefault(k => !into.ContainsKey(k)) is { } unknown)
            throw new InvalidDataException($"The {what} has '{unknown}', which this model does not. It belongs to another model.");
        foreach (var (name, target) in into)
        {
            var value = values[name];
            if (!value.shape.AsSpan().SequenceEqual(target.shape) || value.dtype != target.dtype)
                throw new InvalidDataException($"The {what} has '{name}' as {value.dtype} [{string.Join(", ", value.shape)}]; "
                    + $"this model needs {target.dtype} [{string.Join(", ", target.shape)}].");
        }
        using var scope = NewDisposeScope();
        using var none = no_grad();
        Ops.Copy([.. into.Values], [.. into.Keys.Select(k => values[k])]);
    }
}
