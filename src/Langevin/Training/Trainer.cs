using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Training;

/// <summary>
/// Trains a denoiser by streaming its steps: <c>foreach (var step in trainer.Steps(batches)) ...</c>. Everything random in step k
/// follows from the seed and k, and the whole state can be exported, so a resumed run continues to the same bits.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly NetworkDenoiser denoiser;
    private readonly Objective objective;
    private readonly TimeSource times;
    private readonly TrainingOptions options;
    private readonly (string Name, TorchSharp.Modules.Parameter Parameter)[] parameters;
    private readonly AdamW optimizer;
    private readonly Replicas replicas;

    /// <summary>Prepares training; the network is already on its device.</summary>
    /// <param name="denoiser">The denoiser whose network learns.</param>
    /// <param name="objective">What it minimises.</param>
    /// <param name="times">How times are drawn.</param>
    /// <param name="options">How to train.</param>
    /// <param name="copies">
    /// Networks of the same architecture, the caller's to dispose: each batch is shared out among the network and them, on a thread
    /// each. Worth it on a CPU with <c>set_num_threads(1)</c>. A network that draws random numbers of its own (dropout) takes none.
    /// </param>
    public Trainer(NetworkDenoiser denoiser, Objective objective, TimeDistribution times, TrainingOptions options, IReadOnlyList<NetworkDenoiser>? copies = null)
    {
        if (options.Accumulation < 1) throw new ArgumentOutOfRangeException(nameof(options), options.Accumulation, "Accumulation must be at least 1.");
        if (options.ConditionDropout is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(options), options.ConditionDropout, "ConditionDropout must lie in [0, 1].");
        (this.denoiser, this.objective, this.times, this.options) = (denoiser, objective, times.Begin(denoiser.Process, options.Seed), options);
        parameters = [.. denoiser.Network.named_parameters()];
        replicas = new(denoiser, copies ?? []);
        optimizer = new(parameters, new AdamWOptions { LearningRate = options.LearningRate, Beta2 = options.Beta2, WeightDecay = options.WeightDecay });
        Average = new(denoiser.Network, options.Ema);
    }

    /// <summary>Steps made so far.</summary>
    public long Step { get; private set; }

    /// <summary>The averaged weights, which samples should be drawn with.</summary>
    public Ema Average { get; }

    /// <summary>Trains on batches until they end or the loop is left.</summary>
    /// <param name="batches">Batch k must be that of step k: after a resume, start the stream at <see cref="Step"/> × accumulation.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public IEnumerable<TrainingStep> Steps(IEnumerable<TrainingBatch> batches, CancellationToken cancellation = default)
    {
        denoiser.Network.train();
        using var stream = batches.GetEnumerator();
        using var heap = new QuietHeap();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            heap.BetweenSteps();
            using var step = Learn(stream);
            if (step is null) yield break;
            yield return step;
        }
    }

    // One step of the optimiser, or null when the batches have ended.
    private TrainingStep? Learn(IEnumerator<TrainingBatch> stream)
    {
        using var scope = NewDisposeScope();
        double rate = options.LearningRate * options.Schedule.Factor(Step);
        optimizer.ZeroGrad();
        var total = zeros(1, device: parameters[0].Parameter.device);
        for (int i = 0; i < options.Accumulation; i++)
        {
            if (!stream.MoveNext()) return null;
            using var inner = NewDisposeScope();
            total.add_(Learn(stream.Current, Step * options.Accumulation + i));
        }
        var norm = AdamW.ClipGradients(parameters.Select(p => p.Parameter), options.ClipNorm > 0 ? options.ClipNorm : double.PositiveInfinity);
        optimizer.LearningRate = rate;
        optimizer.Step();
        Average.Update(++Step);
        return new(Step, rate, total.MoveToOuterDisposeScope(), norm.MoveToOuterDisposeScope());
    }

    // Adds the gradient of a batch, and returns its share of the loss.
    // The seed and the number of the batch decide the times, the noise, the dropped conditions and the network's own dropout.
    private Tensor Learn(TrainingBatch batch, long number)
    {
        random.manual_seed((long)SeededNoise.Mix(options.Seed, number));
        var x0 = batch.Samples;
        var draw = times.Draw((int)x0.shape[0], number);
        var condition = batch.Condition;
        if (options.ConditionDropout > 0 && !condition.IsEmpty)
            condition = condition.Drop(rand(x0.shape[0], device: x0.device) < options.ConditionDropout);
        var weights = tensor(draw.Weights, x0.dtype, x0.device) / options.Accumulation;
        var losses = replicas.Learn(objective, x0, condition, draw.Times, randn_like(x0), weights);
        if (times.Listens) times.Observe(draw.Times, losses.to(ScalarType.Float64).cpu().data<double>().ToArray());
        return (losses * weights).mean();
    }

    /// <summary>Everything a resumed run needs besides the options: weights, averages, optimiser, time distribution and step.</summary>
    /// <remarks>The tensors are views of the live ones: write them before the next step.</remarks>
    public IReadOnlyDictionary<string, Tensor> State()
    {
        var state = new Dictionary<string, Tensor> { ["step"] = tensor(Step) };
        void Add(string part, IEnumerable<KeyValuePair<string, Tensor>> tensors)
        {
            foreach (var (name, value) in tensors) state[$"{part}/{name}"] = value;
        }
        Add("network", denoiser.Network.state_dict());
        Add("ema", Average.State());
        Add("optimizer", optimizer.State());
        state["times"] = tensor(times.State, ScalarType.Float64);
        return state;
    }

    /// <summary>Takes up a state that <see cref="State"/> gave.</summary>
    /// <exception cref="InvalidDataException">It belongs to another network or objective.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> state, string source = "The checkpoint")
    {
        if (!state.TryGetValue("step", out var step)) throw new InvalidDataException($"{source} is no training state: it has no step.");
        Dictionary<string, Tensor> Part(string part) =>
            state.Where(s => s.Key.StartsWith(part + "/", StringComparison.Ordinal)).ToDictionary(s => s.Key[(part.Length + 1)..], s => s.Value);
        Networks.StateDict.Load(denoiser.Network, Part("network"), source);
        Average.Load(Part("ema"));
        optimizer.Load(Part("optimizer"));
        if (state.TryGetValue("times", out var learned)) times.State = learned.data<double>().ToArray();
        Step = step.item<long>();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        optimizer.Dispose();
        Average.Dispose();
    }
}
