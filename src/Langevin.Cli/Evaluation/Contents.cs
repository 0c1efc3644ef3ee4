using Langevin.Data;

namespace Langevin.Cli.Evaluation;

/// <summary>A kind of content that folders are compared by.</summary>
/// <param name="Kind">Its name on the command line.</param>
/// <param name="Name">What it is.</param>
/// <param name="Holds">Whether a path holds it.</param>
/// <param name="Measures">The measures it knows, with what they are.</param>
/// <param name="Evaluate">Compares the two folders; the measures asked for are known ones.</param>
internal sealed record Content(
    string Kind, string Name, Func<string, bool> Holds, IReadOnlyDictionary<string, string> Measures,
    Func<FolderRequest, Terminal, CancellationToken, FolderReport> Evaluate);

/// <summary>The kinds of content, the more particular first. A new kind is one line here.</summary>
internal static class Contents
{
    public static IReadOnlyList<Content> All { get; } =
    [
        new("clouds", "point clouds", CloudContent.Holds, CloudContent.Measures, CloudContent.Evaluate),
        new("images", "images", ImageContent.Holds, ImageContent.Measures, ImageContent.Evaluate),
        new("rows", "rows of values", RowContent.Holds, RowContent.Measures, RowContent.Evaluate),
    ];

    /// <summary>Finds the kind of the real set, checks what was asked for and measures.</summary>
    public static FolderReport Evaluate(FolderRequest request, Terminal terminal, CancellationToken cancellation)
    {
        foreach (string path in new[] { request.Real, request.Fake })
            if (!Path.Exists(path) && !Datasets.Names.Contains(path, StringComparer.OrdinalIgnoreCase)) throw new FileNotFoundException($"No file or folder '{path}'.", path);
        var kind = All.FirstOrDefault(c => request.Kind is null ? c.Holds(request.Real) : c.Kind == request.Kind)
            ?? throw new InvalidDataException($"{request.Real}: holds nothing that can be compared: expected {string.Join(" or ", All.Select(c => c.Name))}.");
        if (!kind.Holds(request.Real)) throw new InvalidDataException($"{request.Real}: expected {kind.Name}.");
        if (!kind.Holds(request.Fake)) throw new InvalidDataException($"{request.Fake}: expected {kind.Name}, as in {request.Real}.");
        foreach (string name in request.Measures)
            if (!kind.Measures.ContainsKey(name))
                throw new ArgumentException($"No measure '{name}' for {kind.Name}. Did you mean '{Spelling.Nearest(name, [.. kind.Measures.Keys])}'? There are: {string.Join(", ", kind.Measures.Keys)}.");
        return kind.Evaluate(request, terminal, cancellation);
    }
}
