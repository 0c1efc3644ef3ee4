using System.CommandLine;
using System.Text.RegularExpressions;
using Langevin.Cli;

namespace Langevin.Tests.Docs;

/// <summary>The pages tell the truth: C# is compiled and run here, command lines parse, links lead somewhere.</summary>
public partial class DocsTests
{
    public static TheoryData<string> Pages() =>
        [.. Directory.EnumerateFiles(Shared.Root, "*.md").Concat(Directory.EnumerateFiles(Path.Combine(Shared.Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Select(f => Path.GetRelativePath(Shared.Root, f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Code_on_a_page_is_code_that_the_tests_run(string page)
    {
        string tests = Lines(string.Join('\n', Directory.EnumerateFiles(Shared.Own("Docs"), "*.cs").Select(File.ReadAllText)));
        Assert.All(Blocks(page, "csharp"), block => Assert.Contains(Lines(block), tests, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Commands_on_a_page_parse(string page)
    {
        var root = App.Commands(new Terminal(TextWriter.Null, TextWriter.Null));
        Assert.All(
            from block in Blocks(page, "sh")
            from line in block.Split('\n')
            where line.StartsWith("./langevin ", StringComparison.Ordinal)
            select line.Split('#')[0]["./langevin ".Length..].Trim(),
            line => Assert.Empty(root.Parse(line).Errors));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_on_a_page_lead_somewhere(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Shared.Root, page))!;
        Assert.All(
            Link().Matches(File.ReadAllText(Path.Combine(Shared.Root, page))).Select(m => m.Groups[1].Value).Where(l => !l.Contains("://", StringComparison.Ordinal)),
            link => Assert.True(Path.Exists(Path.Combine(folder, link)), $"{page}: '{link}' does not exist"));
    }

    // Without indentation and blank lines, so that a block may stand inside a method.
    private static string Lines(string code) => string.Join('\n', code.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0));

    private static IEnumerable<string> Blocks(string page, string language) =>
        Block().Matches(File.ReadAllText(Path.Combine(Shared.Root, page))).Where(m => m.Groups[1].Value == language).Select(m => m.Groups[2].Value);

    [GeneratedRegex(@"^```(\w+)\r?\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\]\(([^)#\s]+)[^)]*\)")]
    private static partial Regex Link();
}
