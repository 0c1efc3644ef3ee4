using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Training;

/// <summary>Settings of <see cref="AdamW"/>.</summary>
public sealed record AdamWOptions
{
    /// <summary>Learning rate at the start, at least 0; a schedule sets <see cref="AdamW.LearningRate"/> later. Default 1e-3.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decay of the first moment, in [0, 1). Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment, in [0, 1). Default 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment, above 0. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay λ: each step first multiplies the parameters by 1 − rate·λ. Default 0.01.</summary>
    public double WeightDecay { get; init; } = 0.01;

    internal void Validate()
    {
        Check(LearningRate >= 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "finite and at least 0");
        Check(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "in [0, 1)");
        Check(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "in [0, 1)");
        Check(Epsilon > 0 && double.IsFinite(Epsilon), nameof(Epsilon), Epsilon, "finite and above 0");
        Check(WeightDecay >= 0 && double.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "finite and at least 0");
    }

    private static void Check(bool holds, string name, double value, string range)
    {
        if (!holds) throw new ArgumentOutOfRangeException(name, value, $"AdamW's {name} must be {range}.");
    }
}

/// <summary>
/// AdamW (Loshchilov and Hutter 2019, algorithm 2) as one fused kernel over all parameters. Its state has names, so that it
/// can be saved beside the weights and a resumed run continues to the same bits.
/// </summary>
/// <remarks>
/// With m and v the decaying means of g and g²: θ ← (1 − ηλ)θ − η·m̂ / (√v̂ + ε), where m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ).
/// A parameter without a gradient is left as it is in that step, and a step without any gradient does not count; t is the
/// same for all parameters. Build it after the module has its final device and type,
/// since moving a module makes new parameters.
/// </remarks>
public sealed class AdamW : IDisposable
{
    private readonly string[] names;
    private readonly Parameter[] parameters;
    private readonly Tensor[] first, second;
    private readonly Tensor step;
    private readonly AdamWOptions options;
    private double learningRate;

    /// <summary>An optimiser over named parameters; its moments start at zero, in each parameter's type and memory layout.</summary>
    /// <param name="parameters">Parameters of one device, for example <c>module.named_parameters()</c>; names and tensors distinct.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="ArgumentException">No parameters, a repeated name, or a parameter with gaps or overlaps in memory.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public AdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, AdamWOptions options)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var list = parameters.Where(p => p.Parameter.requires_grad).ToArray();
        if (list.Length == 0) throw new ArgumentException("AdamW needs at least one parameter that requires a gradient.", nameof(parameters));
        if (list.GroupBy(p => p.Name).FirstOrDefault(g => g.Count() > 1) is { } repeated)
            throw new ArgumentException($"The parameter name '{repeated.Key}' occurs twice.", nameof(parameters));
        foreach (var (name, parameter) in list)
            if (!IsDense(parameter.shape, parameter.stride()))
                throw new ArgumentException($"The parameter '{name}' has gaps or overlaps in memory; give it storage of its own (clone).", nameof(parameters));
        this.options = options;
        learningRate = options.LearningRate;
        names = [.. list.Select(p => p.Name)];
        this.parameters = [.. list.Select(p => p.Parameter)];
        using var none = no_grad();
        first = [.. this.parameters.Select(p => zeros_like(p).DetachFromDisposeScope())];
        second = [.. this.parameters.Select(p => zeros_like(p).DetachFromDisposeScope())];
        // On the parameters' device: the fused kernel reads it there, without a wait.
        step = zeros([], ScalarType.Float32, this.parameters[0].device).DetachFromDisposeScope();
    }

    /// <summary>Learning rate of the next step, at least 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative or not finite.</exception>
    public double LearningRate
    {
        get => learningRate;
        set => learningRate = value >= 0 && double.IsFinite(value) ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "The learning rate must be finite and at least 0.");
    }

    /// <summary>Number of steps made. Reading it waits for the device.</summary>
    public long StepCount => (long)step.item<float>();

    /// <summary>Applies the gradients that the parameters hold.</summary>
    public void Step()
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        var gradients = new Tensor?[parameters.Length];
        int present = 0;
        for (int i = 0; i < parameters.Length; i++)
            if ((gradients[i] = parameters[i].grad) is not null) present++;
        if (present == parameters.Length)
            Apply(parameters, gradients!, first, second);
        else
        {
            int[] with = [.. Enumerable.Range(0, parameters.Length).Where(i => gradients[i] is not null)];
            Apply(Pick(parameters), Pick(gradients!), Pick(first), Pick(second));
            Tensor[] Pick(Tensor[] all) => [.. with.Select(i => all[i])];
        }
    }

    /// <summary>Drops all gradients, so that the next backward pass starts afresh without an addition.</summary>
    public void ZeroGrad()
    {
        foreach (var parameter in parameters) parameter.grad = null;
    }

    /// <summary>
    /// Scales all gradients by min(1, maxNorm / (‖g‖ + 1e-6)), with ‖g‖ the Euclidean norm over all of them together. Nothing
    /// waits for the value; a norm that is not finite leaves gradients that are not either, so look at the result before a step.
    /// </summary>
    /// <param name="parameters">Parameters; those without a gradient count as zero.</param>
    /// <param name="maxNorm">Largest norm, above 0; infinity only measures.</param>
    /// <returns>The norm before scaling, a 0-d tensor on the parameters' device.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxNorm"/> is not above 0.</exception>
    public static Tensor ClipGradients(IEnumerable<Parameter> parameters, double maxNorm)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        if (!(maxNorm > 0)) throw new ArgumentOutOfRangeException(nameof(maxNorm), maxNorm, "The largest gradient norm must be above 0.");
        using var scope = NewDisposeScope();
        using var none = no_grad();
        Tensor[] gradients = [.. parameters.Select(p => p.grad).OfType<Tensor>()];
        var norm = Ops.Norm(gradients);
        if (double.IsFinite(maxNorm)) Ops.Scale(gradients, (norm + 1e-6).reciprocal_().mul_(maxNorm).clamp_(max: 1));
        return norm.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The live state by name: "step" (float32 scalar), and for each parameter "exp_avg.NAME" and "exp_avg_sq.NAME". The next
    /// <see cref="Step"/> changes these very tensors.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> State()
    {
        var state = new Dictionary<string, Tensor> { ["step"] = step };
        for (int i = 0; i < names.Length; i++)
        {
            state[$"exp_avg.{names[i]}"] = first[i];
            state[$"exp_avg_sq.{names[i]}"] = second[i];
        }
        return state;
    }

    /// <summary>Takes over a saved state, all of it or (when an exception is thrown) nothing.</summary>
    /// <param name="state">What <see cref="State"/> gave for the same parameters.</param>
    /// <exception cref="InvalidDataException">A tensor is missing, is one too many, or has another shape or type.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> state) => NamedTensors.Load(State(), state, "optimizer state");

    /// <summary>Frees the moments; the parameters stay.</summary>
    public void Dispose()
    {
        step.Dispose();
        foreach (var tensor in first.Concat(second)) tensor.Dispose();
    }

    private void Apply(Tensor[] theta, Tensor[] g, Tensor[] m, Tensor[] v) =>
        Ops.AdamW(theta, g, m, v, step, learningRate, options.Beta1, options.Beta2, options.WeightDecay, options.Epsilon);

    // Whether some order of the dimensions packs the elements without gaps.
    private static bool IsDense(long[] shape, long[] stride)
    {
        long expected = 1;
        foreach (var (size, step) in shape.Zip(stride).Where(d => d.First != 1).OrderBy(d => d.Second))
        {
            if (step != expected) return shape.Contains(0);
            expected *= size;
        }
        return true;
    }
}
