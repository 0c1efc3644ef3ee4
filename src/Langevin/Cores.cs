using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Langevin;

/// <summary>
/// Shares the processor out by work instead of by operation: while it lives, libtorch computes each operation on one thread, and
/// the work goes on <see cref="Workers"/> threads at once.
/// </summary>
/// <remarks>
/// A small network's operations take a millisecond or less, too little to split: on two cores, two batches side by side
/// finish sooner than one after the other on both.
/// </remarks>
public sealed class Cores : IDisposable
{
    private static Cores? outermost;

    /// <summary>Begins to share; within another's life it changes nothing.</summary>
    public Cores()
    {
        Workers = outermost?.Workers ?? get_num_threads();
        if (Interlocked.CompareExchange(ref outermost, this, null) is null) set_num_threads(1);
    }

    /// <summary>How many threads libtorch had, and so how many workers there are to be.</summary>
    public int Workers { get; }

    /// <summary>Runs a body on threads of its own, and waits for all of them; body 0 runs on the caller's.</summary>
    /// <param name="count">Number of bodies, at least 1.</param>
    /// <param name="body">Given its number. Dispose scopes do not reach from thread to thread: what it leaves must be detached.</param>
    /// <exception cref="Exception">The first that a body threw, once all have ended.</exception>
    public static void Run(int count, Action<int> body)
    {
        var errors = new ExceptionDispatchInfo?[count];
        var threads = Enumerable.Range(1, count - 1).Select(i => new Thread(() => Guarded(i))).ToArray();
        foreach (var thread in threads) thread.Start();
        Guarded(0);
        foreach (var thread in threads) thread.Join();
        errors.FirstOrDefault(e => e is not null)?.Throw();

        void Guarded(int i)
        {
            try { body(i); }
            catch (Exception e) { errors[i] = ExceptionDispatchInfo.Capture(e); }
        }
    }

    /// <summary>Gives libtorch its threads back.</summary>
    public void Dispose()
    {
        if (Interlocked.CompareExchange(ref outermost, null, this) == this) set_num_threads(Workers);
    }
}
