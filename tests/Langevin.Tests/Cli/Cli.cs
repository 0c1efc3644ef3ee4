using Langevin.Cli;

namespace Langevin.Tests.Cli;

/// <summary>Runs the command line in process.</summary>
internal static class Command
{
    public static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        int code = await App.Run(args, output, error);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>Asserts that the user's mistake gives exit code 2 and one line that holds the given words.</summary>
    public static async Task Refuses(string[] args, params string[] words)
    {
        var (code, _, error) = await Run(args);
        string[] lines = [.. error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l.StartsWith("error: ", StringComparison.Ordinal))];
        Assert.True(code == App.Usage, $"exit code {code}: {error}");
        Assert.Single(lines);
        foreach (string word in words) Assert.Contains(word, lines[0], StringComparison.OrdinalIgnoreCase);
    }
}
