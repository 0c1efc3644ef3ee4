using System.Runtime;

namespace Langevin;

/// <summary>
/// Collects garbage between steps only. TorchSharp frees a number that an operation is given, as the 2 of <c>x / 2</c>, from the
/// collector's own thread, and may do so while libtorch still reads it when another thread causes a collection just then, or one goes on
/// beside the program: the operation fails with "Unknown scalar type" or the like, about once in hours of work.
/// </summary>
/// <remarks>
/// The collector is the process's: within another's life, or where the program holds it still by itself, this does nothing. A program
/// with loops of its own does well to turn concurrent collection off (<c>ConcurrentGarbageCollection</c> in its project), as the command does.
/// </remarks>
public sealed class QuietHeap : IDisposable
{
    private const long Room = 128 << 20;
    private static int taken;
    private readonly bool owner = Interlocked.Exchange(ref taken, 1) == 0;
    private bool done, refused;
    private long began;

    /// <summary>Begins.</summary>
    public QuietHeap() => BetweenSteps();

    /// <summary>Whether it is time to collect.</summary>
    internal bool IsDue => owner && !refused && !(IsQuiet && GC.GetTotalAllocatedBytes() - began < Room / 4 * 3);

    /// <summary>Says that no operation is in progress on any thread of the loop: garbage is collected now if it is time.</summary>
    public void BetweenSteps()
    {
        if (!IsDue) return;
        End();
        try
        {
            refused = !GC.TryStartNoGCRegion(Room);
            began = GC.GetTotalAllocatedBytes();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentOutOfRangeException)
        {
            refused = true; // the program's own region, or a heap that is limited to less
        }
    }

    /// <summary>Gives the collector back.</summary>
    public void Dispose()
    {
        if (!owner || done) return;
        done = true;
        End();
        taken = 0;
    }

    private static bool IsQuiet => GCSettings.LatencyMode == GCLatencyMode.NoGCRegion;

    private static void End()
    {
        if (!IsQuiet) return;
        try
        {
            GC.EndNoGCRegion();
        }
        catch (InvalidOperationException)
        {
            // More was allocated than there was room for, and the region has ended by itself.
        }
    }
}
