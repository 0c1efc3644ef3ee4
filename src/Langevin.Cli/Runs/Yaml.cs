using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Langevin.Cli.Runs;

/// <summary>Recipes may be YAML: the same tree as JSON, its plain scalars typed by YAML's core schema.</summary>
internal static class Yaml
{
    private const int MostNodes = 100_000;

    /// <summary>Whether a file's name says that it is YAML.</summary>
    public static bool Is(string path) => Path.GetExtension(path).ToLowerInvariant() is ".yaml" or ".yml";

    /// <summary>The document of a text; null where it is empty.</summary>
    /// <exception cref="InvalidDataException">It is not YAML, or more than one document.</exception>
    public static JsonNode? Parse(string text, string source)
    {
        var stream = new YamlStream();
        try { stream.Load(new StringReader(text)); }
        catch (YamlException e) { throw new InvalidDataException($"'{source}' is not YAML: line {e.Start.Line}, column {e.Start.Column}: {e.Message}", e); }
        if (stream.Documents.Count > 1) throw new InvalidDataException($"'{source}' holds {stream.Documents.Count} YAML documents; a recipe is one.");
        int left = MostNodes; // aliases could repeat one another without end
        return stream.Documents.Count == 0 ? null : Node(stream.Documents[0].RootNode);

        JsonNode? Node(YamlNode node)
        {
            if (--left < 0) throw new InvalidDataException($"'{source}' holds more than {MostNodes} values.");
            return node switch
            {
                YamlMappingNode map => new JsonObject(map.Children.Select(p => KeyValuePair.Create(Key(p.Key), Node(p.Value)))),
                YamlSequenceNode list => new JsonArray([.. list.Children.Select(Node)]),
                YamlScalarNode scalar => scalar.Style == ScalarStyle.Plain ? Plain(scalar.Value ?? "") : scalar.Value,
                _ => throw new InvalidDataException($"'{source}', line {node.Start.Line}: expected a value, a list or a mapping."),
            };
        }

        string Key(YamlNode node) => (node as YamlScalarNode)?.Value ?? throw new InvalidDataException($"'{source}', line {node.Start.Line}: a key must be a word.");
    }

    private static JsonNode? Plain(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) => whole,
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) => number,
        _ => text,
    };
}
