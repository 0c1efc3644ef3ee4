using System.CommandLine;
using System.Text.Json;
using Langevin.Cli.Commands;

namespace Langevin.Cli;

/// <summary>The command line as a function of its arguments and two writers, so that tests can call it.</summary>
internal static class App
{
    /// <summary>Exit codes: done, our error, the user's error, cancelled.</summary>
    public const int Ok = 0, Failure = 1, Usage = 2, Cancelled = 130;

    public static async Task<int> Run(string[] args, TextWriter output, TextWriter error)
    {
        var context = new Terminal(output, error);
        var parsed = Commands(context).Parse(args);
        if (parsed.Errors.Count > 0)
        {
            context.Error($"{parsed.Errors[0].Message.TrimEnd('.')}. See 'langevin {Path(parsed)}--help'.");
            return Usage;
        }
        try
        {
            // A generous time to write a checkpoint after Ctrl+C.
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = TimeSpan.FromMinutes(5),
            });
        }
        catch (OperationCanceledException)
        {
            context.Error("cancelled");
            return Cancelled;
        }
        catch (Exception e) when (IsUsers(e))
        {
            context.Error(OneLine(e.Message));
            return Usage;
        }
        catch (Exception e)
        {
            context.Error($"internal error: {OneLine(e.Message)} (set LANGEVIN_TRACE=1 for the stack trace)");
            if (Environment.GetEnvironmentVariable("LANGEVIN_TRACE") == "1") error.WriteLine(e);
            return Failure;
        }
    }

    /// <summary>The commands there are.</summary>
    public static RootCommand Commands(Terminal terminal) => new("Langevin: train, sample and judge diffusion models, with no Python.")
    {
        TrainCommand.Create(terminal),
        SampleCommand.Create(terminal),
        GenerateCommand.Create(terminal),
        ConvertCommand.Create(terminal),
        RestoreCommand.Create(terminal),
        EditCommand.Create(terminal),
        EvaluateCommand.Create(terminal),
        LikelihoodCommand.Create(terminal),
        CompareCommand.Create(terminal),
        DataCommand.Create(terminal),
        ModelsCommand.Create(terminal),
        SystemsCommand.Create(terminal),
        SamplersCommand.Create(terminal),
        DoctorCommand.Create(terminal),
    };

    // What a wrong file, folder, option or configuration throws; everything else is ours.
    private static bool IsUsers(Exception e) =>
        e is ArgumentException or InvalidDataException or IOException or HttpRequestException or UnauthorizedAccessException or JsonException or NotSupportedException;

    private static string OneLine(string message) => string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static string Path(ParseResult parsed)
    {
        string path = "";
        for (var command = parsed.CommandResult; command.Parent is System.CommandLine.Parsing.CommandResult parent; command = parent)
            path = $"{command.Command.Name} {path}";
        return path;
    }
}
