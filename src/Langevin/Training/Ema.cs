using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Training;

/// <summary>
/// A running average of a module's parameters; buffers are copied. The average of weights, not the last weights, is what samples well.
/// </summary>
/// <remarks>Build it after the module has its final device and type. Averages have the parameters' types and memory layout.</remarks>
public sealed class Ema : IDisposable
{
    private readonly Tensor[] parameters, averages, buffers, copies;
    private readonly Dictionary<string, Tensor> weights = [];

    /// <summary>An average that starts at the present weights.</summary>
    /// <param name="parameters">Named parameters to average.</param>
    /// <param name="buffers">Named buffers to copy; may be empty.</param>
    /// <param name="decay">How fast old weights are forgotten.</param>
    /// <exception cref="ArgumentException">No parameters, or a repeated name.</exception>
    public Ema(IEnumerable<(string Name, Parameter Parameter)> parameters, IEnumerable<(string Name, Tensor Buffer)> buffers, EmaDecay decay)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(buffers);
        ArgumentNullException.ThrowIfNull(decay);
        Decay = decay;
        using var none = no_grad();
        (this.parameters, averages) = Track(parameters.Select(p => (p.Name, (Tensor)p.Parameter)));
        (this.buffers, copies) = Track(buffers);
        if (averages.Length == 0) throw new ArgumentException("There are no parameters to average.", nameof(parameters));
    }

    /// <summary>An average of all of a module's parameters, with its persistent buffers.</summary>
    public Ema(nn.Module module, EmaDecay decay)
        : this((module ?? throw new ArgumentNullException(nameof(module))).named_parameters(), module.named_buffers(), decay) { }

    /// <summary>How fast old weights are forgotten.</summary>
    public EmaDecay Decay { get; }

    /// <summary>The averaged parameters and copied buffers by name: live tensors, which the next <see cref="Update"/> changes.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights => weights;

    /// <summary>ema ← β·ema + (1 − β)·θ with β = Decay.At(step); in one call for all parameters.</summary>
    /// <param name="step">Number of optimiser steps made, at least 1.</param>
    public void Update(long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        using var none = no_grad();
        double decay = Decay.At(step);
        if (decay <= 0) Ops.Copy(averages, parameters);
        else Ops.Lerp(averages, parameters, 1 - decay);
        Ops.Copy(copies, buffers);
    }

    /// <summary>The state to save: the same as <see cref="Weights"/>.</summary>
    public IReadOnlyDictionary<string, Tensor> State() => weights;

    /// <summary>Takes over a saved state, all of it or (when an exception is thrown) nothing.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing, is one too many, or has another shape or type.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> state) => NamedTensors.Load(weights, state, "average of weights");

    /// <summary>Puts the averages into a module until the result is disposed, which brings its own weights back bit for bit.</summary>
    /// <param name="module">The averaged module, or another with the same names and shapes.</param>
    /// <exception cref="InvalidDataException">Names, shapes or types differ; the module is unchanged.</exception>
    public IDisposable Swap(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        var targets = new Dictionary<string, Tensor>();
        foreach (var (name, parameter) in module.named_parameters())
            if (weights.ContainsKey(name)) targets[name] = parameter;
        foreach (var (name, buffer) in module.named_buffers())
            if (weights.ContainsKey(name)) targets[name] = buffer;
        using var none = no_grad();
        var own = new Swapped([.. targets.Values], [.. targets.Values.Select(t => t.clone().DetachFromDisposeScope())]);
        try
        {
            NamedTensors.Load(targets, weights, "average of weights");
            return own;
        }
        catch
        {
            own.Dispose();
            throw;
        }
    }

    /// <summary>Frees the averages; the module stays.</summary>
    public void Dispose()
    {
        foreach (var tensor in averages.Concat(copies)) tensor.Dispose();
    }

    private (Tensor[] Sources, Tensor[] Targets) Track(IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        List<Tensor> sources = [], targets = [];
        foreach (var (name, tensor) in tensors)
        {
            var copy = tensor.detach().clone().DetachFromDisposeScope();
            if (!weights.TryAdd(name, copy)) throw new ArgumentException($"The name '{name}' occurs twice among parameters and buffers.");
            sources.Add(tensor);
            targets.Add(copy);
        }
        return ([.. sources], [.. targets]);
    }

    private sealed class Swapped(Tensor[] targets, Tensor[] saved) : IDisposable
    {
        private bool restored;

        public void Dispose()
        {
            if (restored) return;
            restored = true;
            using var none = no_grad();
            Ops.Copy(targets, saved);
            foreach (var tensor in saved) tensor.Dispose();
        }
    }
}
