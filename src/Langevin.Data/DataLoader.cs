using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>An endless stream of shuffled batches of constant size, made ahead of their use.</summary>
/// <remarks>
/// Batch k is a pure function of the set, the seed and k, so a run that resumes at step k sees what it would have seen.
/// The stream runs through one permutation of the set after another and is cut into batches; no item is dropped, and a
/// set smaller than a batch is simply met several times in it.
/// </remarks>
public sealed class DataLoader
{
    private readonly IDataset set;
    private readonly int batchSize, prefetch;
    private readonly long seed;
    private readonly bool shuffle;
    private readonly Lock gate = new();
    private readonly Dictionary<long, int[]> permutations = [];

    /// <summary>Makes a loader; nothing is read yet.</summary>
    /// <param name="set">The items.</param>
    /// <param name="batchSize">Items of a batch, at least 1.</param>
    /// <param name="seed">Decides the order and the augmentation.</param>
    /// <param name="shuffle">False walks the set in its own order, over and over.</param>
    /// <param name="prefetch">Batches made ahead, in parallel, on the thread pool; 0 makes each when it is asked for.</param>
    public DataLoader(IDataset set, int batchSize, long seed, bool shuffle = true, int prefetch = 4)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(prefetch);
        (this.set, this.batchSize, this.seed, this.shuffle, this.prefetch) = (set, batchSize, seed, shuffle, prefetch);
    }

    /// <summary>The set.</summary>
    public IDataset Dataset => set;

    /// <summary>Items of a batch.</summary>
    public int BatchSize => batchSize;

    /// <summary>Steps that show every item once, on average.</summary>
    public double StepsPerEpoch => (double)set.Count / batchSize;

    /// <summary>The items of batch <paramref name="step"/>, in order.</summary>
    public long[] Indices(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var indices = new long[batchSize];
        for (int i = 0; i < batchSize; i++)
        {
            var (epoch, item) = Math.DivRem(checked(step * batchSize + i), set.Count);
            indices[i] = shuffle ? Permutation(epoch)[item] : item;
        }
        return indices;
    }

    /// <summary>Batch <paramref name="step"/>, made now on this thread; the caller disposes it. It belongs to no dispose scope.</summary>
    public Batch At(long step)
    {
        using var scope = NewDisposeScope();
        return set.Get(Indices(step), (long)SeededRandom.Mix((ulong)seed ^ SeededRandom.Mix((ulong)step))).Detach();
    }

    /// <summary>Batches <paramref name="startStep"/>, startStep + 1, ... without end; the caller disposes each, and ends the stream by leaving the loop.</summary>
    /// <remarks>The batches belong to no dispose scope. Those made ahead and not handed out are disposed when the loop ends.</remarks>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was triggered.</exception>
    public IEnumerable<Batch> Batches(long startStep = 0, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(startStep);
        return Stream(startStep, cancellation);
    }

    // A queue of running tasks, first in first out, gives order, parallelism and a bound at once.
    private IEnumerable<Batch> Stream(long next, CancellationToken cancellation)
    {
        var ahead = new Queue<Task<Batch>>();
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                while (ahead.Count < prefetch)
                {
                    long step = next++;
                    ahead.Enqueue(Task.Run(() => At(step), CancellationToken.None));
                }
                if (prefetch == 0)
                {
                    yield return At(next++);
                    continue;
                }
                Task.WaitAny([ahead.Peek()], cancellation);
                yield return ahead.Dequeue().GetAwaiter().GetResult();
            }
        }
        finally
        {
            foreach (var task in ahead)
                try
                {
                    task.GetAwaiter().GetResult().Dispose();
                }
                catch
                {
                    // It failed on a batch that nobody will ask for.
                }
        }
    }

    private int[] Permutation(long epoch)
    {
        lock (gate)
        {
            if (permutations.TryGetValue(epoch, out var known)) return known;
            // Prefetch straddles few epochs at a time; a set much smaller than a batch a few more.
            if (permutations.Count >= 16) permutations.Clear();
            return permutations[epoch] = new SeededRandom(seed, epoch).Permutation(set.Count);
        }
    }
}
