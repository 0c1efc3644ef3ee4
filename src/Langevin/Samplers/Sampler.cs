using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>One step of a sampler as it happened.</summary>
/// <param name="Index">The step of the grid it belongs to, from 0; an adaptive solver may make several within one.</param>
/// <param name="Count">Number of steps of the grid.</param>
/// <param name="Time">The time that <paramref name="X"/> has reached.</param>
/// <param name="X">The sample now; disposed when the next step is asked for, unless it is the last.</param>
/// <param name="Evaluations">Denoiser evaluations so far.</param>
public sealed record SamplingStep(int Index, int Count, double Time, Tensor X, int Evaluations);

/// <summary>What a step may use: the denoiser, the condition, the noise and the grid of this run.</summary>
public sealed class SamplingRun : IDisposable
{
    private readonly DenoisingRun memory;
    private readonly IDenoiser denoiser;
    private readonly TimeGrid grid;
    private readonly Condition condition;
    private readonly INoise noise;
    private readonly CancellationToken cancellation;

    /// <summary>Begins a run.</summary>
    /// <param name="denoiser">The model, which is begun with the run.</param>
    /// <param name="grid">The times.</param>
    /// <param name="condition">What is asked for.</param>
    /// <param name="noise">The noise of stochastic samplers.</param>
    /// <param name="cancellation">Stops a step that makes many evaluations.</param>
    public SamplingRun(IDenoiser denoiser, TimeGrid grid, Condition condition, INoise noise, CancellationToken cancellation = default)
    {
        memory = new(grid.Times);
        (this.denoiser, this.grid, this.condition, this.noise, this.cancellation) = (denoiser.Begin(memory), grid, condition, noise, cancellation);
    }

    /// <summary>The process of the denoiser.</summary>
    public GaussianProcess Process => denoiser.Process;

    /// <summary>The grid of this run.</summary>
    public TimeGrid Grid => grid;

    /// <summary>The index of the step that is being made.</summary>
    public int Index { get; internal set; }

    /// <summary>
    /// Where the step that is being made ends: the grid's next time, unless an adaptive solver stops short of it. Then the
    /// state there is streamed too, and the next step begins from it.
    /// </summary>
    public double Reached { get; set; }

    /// <summary>Whether this is the grid's last step, which stochastic samplers end at the mean.</summary>
    public bool IsLast => Index == grid.Steps - 1;

    /// <summary>Denoiser evaluations so far.</summary>
    public int Evaluations { get; private set; }

    /// <summary>Stops a step that makes many evaluations.</summary>
    public CancellationToken Cancellation => cancellation;

    /// <summary>Asks the denoiser about the whole batch, at one time or at one for each sample.</summary>
    public Prediction Denoise(Tensor x, Times t)
    {
        Evaluations++;
        return denoiser.Denoise(x, t, condition);
    }

    /// <summary>Fresh standard normal noise, shaped as x.</summary>
    public Tensor Noise(Tensor like) => noise.Next(like);

    /// <summary>
    /// The standard normal noise of the reverse process between two times, shaped as x: the increment of one Brownian path where
    /// the noise is one (<see cref="BrownianNoise"/>), else a fresh draw.
    /// </summary>
    /// <param name="like">x.</param>
    /// <param name="t">Where the step begins.</param>
    /// <param name="s">Where it ends, below t.</param>
    public Tensor Noise(Tensor like, double t, double s) => noise.Over(like, Process.Lambda(t), Process.Lambda(s));

    /// <summary>Keeps a tensor for later steps (a multistep sampler's memory); what is still kept goes when the run ends.</summary>
    /// <param name="value">The tensor.</param>
    /// <param name="instead">One that was kept and is not needed any more.</param>
    public Tensor Keep(Tensor value, Tensor? instead = null) => memory.Keep(value, instead);

    /// <summary>Ends the run.</summary>
    public void Dispose() => memory.Dispose();
}

/// <summary>
/// Moves a batch from time t to time s &lt; t, or as far as <see cref="SamplingRun.Reached"/> then says. Runs in a dispose scope of
/// its own; only the result outlives it.
/// </summary>
public delegate Tensor Step(Tensor x, double t, double s);

/// <summary>
/// A solver of the reverse process. A sampler is an immutable value that holds options only: what one run needs to remember
/// lives in the step it begins, so one sampler serves any number of threads.
/// </summary>
public abstract record Sampler
{
    /// <summary>Begins a run: the step function, closing over whatever it remembers between steps.</summary>
    public abstract Step Begin(SamplingRun run);

    /// <summary>Streams the steps from x at the grid's first time to its last.</summary>
    /// <param name="denoiser">The model.</param>
    /// <param name="x">The state at the first time, [N, ...]; stays the caller's.</param>
    /// <param name="grid">The times.</param>
    /// <param name="condition">What is asked for.</param>
    /// <param name="noise">The noise of stochastic samplers.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public IEnumerable<SamplingStep> Steps(IDenoiser denoiser, Tensor x, TimeGrid grid, Condition? condition = null, INoise? noise = null,
        CancellationToken cancellation = default)
    {
        using var run = new SamplingRun(denoiser, grid, condition ?? Condition.None, noise ?? new SeededNoise(0), cancellation);
        var step = Begin(run);
        Tensor? previous = null;
        for (int i = 0; i < grid.Steps; i++)
        {
            double t = grid[i];
            do
            {
                (run.Index, run.Reached) = (i, grid[i + 1]);
                Tensor next;
                try
                {
                    cancellation.ThrowIfCancellationRequested();
                    using (no_grad())
                    using (NewDisposeScope())
                    {
                        var result = step(previous ?? x, t, grid[i + 1]);
                        if (ReferenceEquals(result, previous ?? x)) result = result.alias();
                        next = result.MoveToOuterDisposeScope().DetachFromDisposeScope();
                    }
                }
                finally
                {
                    previous?.Dispose();
                }
                yield return new(i, grid.Steps, t = run.Reached, previous = next, run.Evaluations);
            }
            while (t != grid[i + 1]);
        }
    }

    /// <summary>Runs all steps and returns the last state, the caller's to dispose.</summary>
    public Tensor Run(IDenoiser denoiser, Tensor x, TimeGrid grid, Condition? condition = null, INoise? noise = null, CancellationToken cancellation = default) =>
        Steps(denoiser, x, grid, condition, noise, cancellation).Last().X;

    /// <summary>Draws samples from noise: the prior's draw, then all steps.</summary>
    /// <param name="denoiser">The model.</param>
    /// <param name="shape">[N, ...].</param>
    /// <param name="grid">The times.</param>
    /// <param name="condition">What is asked for, for each of the N samples.</param>
    /// <param name="seed">The seed; sample i depends on it and on <paramref name="first"/> + i alone.</param>
    /// <param name="first">The index of the first sample.</param>
    /// <param name="device">Where to run.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <param name="dtype">The type of the samples.</param>
    public Tensor Sample(IDenoiser denoiser, long[] shape, TimeGrid grid, Condition? condition = null, long seed = 0, long first = 0,
        Device? device = null, CancellationToken cancellation = default, ScalarType dtype = ScalarType.Float32)
    {
        var noise = new SeededNoise(seed, first);
        using var x = Prior(denoiser.Process, shape, noise, device, grid[0], dtype);
        return Run(denoiser, x, grid, condition, noise, cancellation);
    }

    /// <summary>A draw from the prior of a process, N(0, std² I).</summary>
    /// <param name="process">The process.</param>
    /// <param name="shape">[N, ...].</param>
    /// <param name="noise">The noise.</param>
    /// <param name="device">Where.</param>
    /// <param name="time">The time it stands for, where that is not the process's last: std is scaled as σ is.</param>
    /// <param name="dtype">The type of the draw.</param>
    public static Tensor Prior(GaussianProcess process, long[] shape, INoise noise, Device? device = null, double? time = null,
        ScalarType dtype = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        double std = process.PriorStd * (time is { } t ? process.Sigma(t) / process.Sigma(process.MaxTime) : 1);
        if (!double.IsFinite(std)) throw new ArgumentException("The process ends in infinite noise, which has no prior: use one of finite σ, as its UnitVariance() form.", nameof(process));
        return (noise.Next(empty(shape, dtype, device)) * std).MoveToOuterDisposeScope();
    }
}
