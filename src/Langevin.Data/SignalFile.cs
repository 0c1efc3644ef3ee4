using Langevin.Data.Formats;

namespace Langevin.Data;

/// <summary>One recording of signals: a WFDB record (PhysioNet: a header .hea and its .dat) or a CSV table with a row for each sample.</summary>
public static class SignalFile
{
    /// <summary>Reads a recording, gzipped or not.</summary>
    /// <param name="path">A .csv, .tsv or .txt table; else a WFDB record by its header, its signal file or its bare name.</param>
    /// <param name="maxBytes">Limit on the bytes of the samples in memory.</param>
    /// <exception cref="FileNotFoundException">There is no such file, or no header beside it.</exception>
    /// <exception cref="InvalidDataException">Damaged, of a kind that is not read here, or above the limit.</exception>
    public static SignalRecord Load(string path, long maxBytes = int.MaxValue)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return IsTable(path) ? SignalCsv.Read(path, maxBytes) : Wfdb.Read(path, maxBytes);
    }

    /// <summary>Writes a recording: a table where the name ends as one, else a WFDB record in format 16. Files appear only when whole.</summary>
    /// <param name="path">"clean.csv"; or "clean", "clean.hea" or "clean.dat" for the two files of a record.</param>
    /// <param name="record">The recording.</param>
    /// <exception cref="ArgumentException">A value does not fit 16 bits at its channel's gain, or the name is none that WFDB allows.</exception>
    public static void Save(string path, SignalRecord record)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(record);
        if (IsTable(path)) SignalCsv.Write(path, record);
        else Wfdb.Write(path, record);
    }

    private static bool IsTable(string path) => Path.GetExtension(Plain(path)).ToLowerInvariant() is ".csv" or ".tsv" or ".txt";

    internal static string Plain(string path) => path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
}
