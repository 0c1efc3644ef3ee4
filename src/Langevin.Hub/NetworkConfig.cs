using System.Text.Json;
using Langevin.Networks;

namespace Langevin.Hub;

/// <summary>Networks by the <c>_class_name</c> of their <c>config.json</c>.</summary>
public static class NetworkConfig
{
    /// <summary>Builds the network, untrained, that a <c>config.json</c> describes.</summary>
    /// <exception cref="InvalidDataException">No JSON object, or a class that is not known here.</exception>
    public static Network Create(string json)
    {
        string? name;
        try
        {
            using var document = JsonDocument.Parse(json);
            name = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("_class_name", out var value) ? value.GetString() : null;
        }
        catch (JsonException e) { throw new InvalidDataException($"The network configuration is not JSON: {e.Message}", e); }
        return name switch
        {
            "UNet2DModel" => new UNet2D(UNet2DConfig.Parse(json)),
            "UNet2DConditionModel" => new UNet2DCondition(UNet2DConditionConfig.Parse(json)),
            "DiTTransformer2DModel" or "Transformer2DModel" or "PixArtTransformer2DModel" => new DiffusionTransformer(DiffusionTransformerConfig.Parse(json)),
            "UNet1D" => new UNet1D(UNet1DConfig.Parse(json)),
            "BridgedStreams" => new BridgedStreams(BridgedStreamsConfig.Parse(json)),
            "ResidualMlp" => new ResidualMlp(ResidualMlpConfig.Parse(json)),
            "SongUNet" => new SongUNet(SongUNetConfig.Parse(json)),
            "TokenTransformer" => new TokenTransformer(TokenTransformerConfig.Parse(json)),
            "DhariwalUNet" => new DhariwalUNet(DhariwalUNetConfig.Parse(json)),
            "Edm2UNet" => new Edm2UNet(Edm2UNetConfig.Parse(json)),
            "UNet1DModel" => UNet1DModelConfig.Parse(json) is var c && c.MidBlockType == "UNetMidBlock1D" ? new AudioUNet1D(c) : new PlanningUNet1D(c),
            "GuidedUNet" => new GuidedUNet(GuidedUNetConfig.Parse(json)),
            "Ncsnv2Net" => new Ncsnv2Net(Ncsnv2Config.Parse(json)),
            "DiffWave" => new DiffWave(DiffWaveConfig.Parse(json)),
            "Csdi" => new Csdi(CsdiConfig.Parse(json)),
            null => throw new InvalidDataException("The network configuration has no _class_name."),
            _ => throw new InvalidDataException($"The network class '{name}' is not known here; known: UNet2DModel, UNet2DConditionModel, DiTTransformer2DModel, Transformer2DModel, PixArtTransformer2DModel, UNet1D, BridgedStreams, ResidualMlp, SongUNet, TokenTransformer, DhariwalUNet, Edm2UNet, UNet1DModel, GuidedUNet, Ncsnv2Net, DiffWave, Csdi."),
        };
    }

    /// <summary>The <c>config.json</c> of a network.</summary>
    public static string ToJson(Network network) => network switch
    {
        UNet2D n => n.Config.ToJson(),
        UNet2DCondition n => n.Config.ToJson(),
        DiffusionTransformer n => n.Config.ToJson(),
        UNet1D n => n.Config.ToJson(),
        BridgedStreams n => n.Config.ToJson(),
        ResidualMlp n => n.Config.ToJson(),
        SongUNet n => n.Config.ToJson(),
        TokenTransformer n => n.Config.ToJson(),
        DhariwalUNet n => n.Config.ToJson(),
        Edm2UNet n => n.Config.ToJson(),
        AudioUNet1D n => n.Config.ToJson(),
        PlanningUNet1D n => n.Config.ToJson(),
        GuidedUNet n => n.Config.ToJson(),
        Ncsnv2Net n => n.Config.ToJson(),
        DiffWave n => n.Config.ToJson(),
        Csdi n => n.Config.ToJson(),
        _ => throw new ArgumentException($"{network.GetType().Name} has no configuration file form.", nameof(network)),
    };
}
