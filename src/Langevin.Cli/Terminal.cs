using Spectre.Console;

namespace Langevin.Cli;

/// <summary>Where a command's words go: results to standard output, progress and errors to standard error.</summary>
internal sealed class Terminal
{
    private readonly TextWriter output, error;

    public Terminal(TextWriter output, TextWriter error)
    {
        (this.output, this.error) = (output, error);
        IsInteractive = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
        Progress = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
    }

    /// <summary>Whether a person watches standard error.</summary>
    public bool IsInteractive { get; }

    /// <summary>The console for progress bars, on standard error.</summary>
    public IAnsiConsole Progress { get; }

    /// <summary>One line of result.</summary>
    public void Line(string text = "") => output.WriteLine(text);

    /// <summary>One line about the work, on standard error.</summary>
    public void Note(string text) => error.WriteLine(text);

    /// <summary>The one line that says what was wrong.</summary>
    public void Error(string text) => error.WriteLine($"error: {text}");

    /// <summary>A table: boxed for a person, tab-separated for a program.</summary>
    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        if (!ReferenceEquals(output, Console.Out) || Console.IsOutputRedirected)
        {
            output.WriteLine(string.Join('\t', columns));
            foreach (var row in rows) output.WriteLine(string.Join('\t', row));
            return;
        }
        var table = new Table { Border = TableBorder.Rounded };
        foreach (string column in columns) table.AddColumn(new TableColumn(Markup.Escape(column)));
        foreach (var row in rows) table.AddRow([.. row.Select(Markup.Escape)]);
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }).Write(table);
    }
}
