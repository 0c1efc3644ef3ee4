using System.Text;

namespace Langevin.Benchmarks.Oracle;

/// <summary>A Markdown file of sections, any of which can be written anew while the others stay as they are.</summary>
internal sealed class Report
{
    private readonly string path, head;
    private readonly string[] titles;
    private readonly Dictionary<string, string> bodies = [];

    /// <summary>A report with the sections of these titles, in their order; what the file already says of them is kept.</summary>
    public Report(string path, string head, IEnumerable<string> titles)
    {
        (this.path, this.head, this.titles) = (path, head, [.. titles]);
        if (!File.Exists(path)) return;
        foreach (string section in ("\n" + File.ReadAllText(path)).Split("\n## ").Skip(1))
        {
            int end = section.IndexOf('\n', StringComparison.Ordinal);
            if (end > 0) bodies[section[..end]] = section[end..].Trim('\n');
        }
    }

    /// <summary>Puts a section in its place and writes the file.</summary>
    public void Put(string title, string body)
    {
        bodies[title] = body.ReplaceLineEndings("\n").Trim('\n');
        var text = new StringBuilder(head).Append('\n');
        foreach (string known in titles)
            if (bodies.TryGetValue(known, out string? said)) text.Append($"\n## {known}\n\n{said}\n");
        AtomicFile.WriteAllText(path, text.ToString());
    }
}
