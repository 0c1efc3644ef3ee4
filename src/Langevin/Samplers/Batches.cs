using Langevin.Denoisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>What draws one batch of samples.</summary>
/// <param name="Denoiser">The denoiser, guided as it is to be.</param>
/// <param name="Sampler">The sampler.</param>
/// <param name="Condition">What it is told of the batch's samples.</param>
public sealed record Draft(IDenoiser Denoiser, Sampler Sampler, Condition Condition);

/// <summary>Draws samples batch by batch; on the processor the batches go side by side, each on one of its cores.</summary>
public static class Batches
{
    /// <summary>Draws samples from noise; sample i depends on the seed and on i alone, whatever the batches.</summary>
    /// <param name="draft">Given the first sample of a batch and its length: what draws it. Called in the batch's own dispose scope.</param>
    /// <param name="count">Number of samples.</param>
    /// <param name="batchSize">The most in a batch.</param>
    /// <param name="itemShape">Shape of one sample.</param>
    /// <param name="grid">The times.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="device">Where to draw.</param>
    /// <param name="progress">Told after each step: the share done.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <returns>The samples on the host, [count, ...], the caller's; and the evaluations that each took, of an adaptive solver the most that any batch took.</returns>
    public static (Tensor Samples, int Evaluations) Draw(Func<int, int, Draft> draft, int count, int batchSize, IReadOnlyList<long> itemShape, TimeGrid grid, long seed,
        Device? device = null, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        device ??= CPU;
        using var cores = device.type == DeviceType.CPU ? new Cores() : null;
        using var heap = cores is null ? null : new QuietHeap();
        using var gate = new ReaderWriterLockSlim(); // steps side by side, or a collection
        int workers = Math.Min(cores?.Workers ?? 1, count), size = Math.Min(batchSize, (count + workers - 1) / workers);
        var parts = new Tensor?[(count + size - 1) / size];
        int taken = -1, evaluations = 0;
        var done = new double[parts.Length];
        try
        {
            Cores.Run(Math.Min(workers, parts.Length), _ =>
            {
                for (int i; (i = Interlocked.Increment(ref taken)) < parts.Length;) parts[i] = Part(i);
            });
            using (NewDisposeScope()) return (cat([.. parts.Select(p => p!)], 0).DetachFromDisposeScope(), evaluations);
        }
        finally
        {
            foreach (var part in parts) part?.Dispose();
        }

        Tensor Part(int index)
        {
            using var scope = NewDisposeScope();
            int first = index * size, length = Math.Min(size, count - first);
            var (denoiser, sampler, condition) = draft(first, length);
            var noise = new SeededNoise(seed, first);
            var x = Sampler.Prior(denoiser.Process, [length, .. itemShape], noise, device, grid[0]);
            SamplingStep? last = null;
            using var steps = sampler.Steps(denoiser, x, grid, condition, noise, cancellation).GetEnumerator();
            while (Next(steps))
            {
                var step = last = steps.Current;
                lock (done)
                {
                    done[index] = length * (step.Index + 1.0) / step.Count;
                    progress?.Invoke(done.Sum() / count);
                }
            }
            lock (done) evaluations = Math.Max(evaluations, last!.Evaluations); // the same for every batch but for adaptive solvers
            var part = last!.X.cpu().DetachFromDisposeScope();
            if (!ReferenceEquals(part, last.X)) last.X.Dispose();
            return part;
        }

        bool Next(IEnumerator<SamplingStep> steps)
        {
            if (heap is { IsDue: true })
            {
                gate.EnterWriteLock();
                try { heap.BetweenSteps(); }
                finally { gate.ExitWriteLock(); }
            }
            gate.EnterReadLock();
            try { return steps.MoveNext(); }
            finally { gate.ExitReadLock(); }
        }
    }
}
