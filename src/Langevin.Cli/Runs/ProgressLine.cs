using System.Diagnostics;

namespace Langevin.Cli.Runs;

/// <summary>Says how far long work is: in place for a person, a line now and then otherwise.</summary>
internal sealed class ProgressLine(Terminal terminal, string what) : IDisposable
{
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly TimeSpan interval = terminal.IsInteractive ? TimeSpan.FromSeconds(0.25) : TimeSpan.FromSeconds(15);
    private TimeSpan next;
    private bool written;

    /// <summary>Reports a share of the work, in [0, 1], and whatever else is worth knowing.</summary>
    public void Report(double share, Func<string>? detail = null)
    {
        if (clock.Elapsed < next) return;
        next = clock.Elapsed + interval;
        var left = share > 0 ? clock.Elapsed * ((1 - share) / share) : TimeSpan.Zero;
        string line = $"{what} {share,4:p0}  {detail?.Invoke()}  {Format(left)} left";
        if (terminal.IsInteractive) Console.Error.Write($"\r\u001b[K{line}");
        else terminal.Note(line);
        written = true;
    }

    public void Dispose()
    {
        if (written && terminal.IsInteractive) Console.Error.Write("\r\u001b[K");
    }

    public static string Format(TimeSpan time) => time.TotalHours >= 1 ? $"{(int)time.TotalHours} h {time.Minutes:d2} min" : time.TotalMinutes >= 1 ? $"{(int)time.TotalMinutes} min {time.Seconds:d2} s" : $"{time.TotalSeconds:f0} s";
}
