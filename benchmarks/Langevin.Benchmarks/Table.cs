using System.Text;

namespace Langevin.Benchmarks;

/// <summary>A Markdown table with a note below it.</summary>
internal sealed class Table(params string[] columns)
{
    private readonly List<string[]> rows = [];

    /// <summary>What the columns mean.</summary>
    public string Note { get; init; } = "";

    public void Add(params string[] cells)
    {
        if (cells.Length != columns.Length) throw new ArgumentException($"{cells.Length} cells for {columns.Length} columns.", nameof(cells));
        rows.Add(cells);
    }

    public override string ToString()
    {
        int[] widths = [.. columns.Select((c, i) => rows.Select(r => r[i].Length).Append(c.Length).Max())];
        var text = new StringBuilder();
        Line(columns);
        // Text to the left, figures to the right.
        text.Append('|').AppendJoin('|', widths.Select((w, i) => i == 0 ? new string('-', w + 2) : new string('-', w + 1) + ":")).Append("|\n");
        foreach (string[] row in rows) Line(row);
        return text.Append(Note.Length > 0 ? $"\n{Note}\n" : "").ToString();

        void Line(string[] cells) =>
            text.Append("| ").AppendJoin(" | ", cells.Select((c, i) => i == 0 ? c.PadRight(widths[i]) : c.PadLeft(widths[i]))).Append(" |\n");
    }
}
