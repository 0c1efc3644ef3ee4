using System.CommandLine;
using System.Text.Json.Nodes;
using Langevin.Samplers;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin samplers</c>: what <c>--sampler</c> and <c>--grid</c> take.</summary>
internal static class SamplersCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = Options.Json();
        var command = new Command("samplers", "Lists the samplers and the time grids by name.\n\nExample: langevin samplers --json") { json };
        command.SetAction((ParseResult parsed) =>
        {
            if (parsed.GetValue(json)) terminal.Line(Json().ToJsonString());
            else
            {
                terminal.Table(["sampler", "solves", "order", "evaluations a step", "what it is"], SamplerRegistry.All.Select(e =>
                    (string[])[e.Name, Kind(e), e.Order > 0 ? $"{e.Order}" : "", e.Evaluations is { } n ? $"{n}" : "adaptive", e.Description]));
                terminal.Line();
                terminal.Table(["grid", "what it is"], GridRegistry.All.Select(e => (string[])[e.Name, e.Description]));
            }
            return App.Ok;
        });
        return command;
    }

    private static JsonObject Json() => new()
    {
        ["samplers"] = new JsonArray([.. SamplerRegistry.All.Select(e => new JsonObject
        {
            ["name"] = e.Name, ["solves"] = Kind(e), ["order"] = e.Order, ["evaluations"] = e.Evaluations, ["description"] = e.Description,
        })]),
        ["grids"] = new JsonArray([.. GridRegistry.All.Select(e => new JsonObject { ["name"] = e.Name, ["description"] = e.Description })]),
    };

    private static string Kind(SamplerEntry entry) => entry.Kind == SamplerKind.Ode ? "ODE" : "SDE";
}
