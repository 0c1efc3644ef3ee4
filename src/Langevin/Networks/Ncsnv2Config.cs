namespace Langevin.Networks;

/// <summary>Everything that determines the shape of an <see cref="Ncsnv2Net"/>; the keys of its JSON are those of the authors' configuration.</summary>
public sealed record Ncsnv2Config
{
    /// <summary>Channels of a picture.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>Height and width of a picture; 28 pads before the third halving.</summary>
    public int ImageSize { get; init; } = 32;

    /// <summary>Channels of the first level.</summary>
    public int Ngf { get; init; } = 128;

    /// <summary>"elu", "relu", "lrelu" (slope 0.2) or "swish".</summary>
    public string Nonlinearity { get; init; } = "elu";

    /// <summary>"InstanceNorm++" is known.</summary>
    public string Normalization { get; init; } = "InstanceNorm++";

    /// <summary>Number of noise levels.</summary>
    public int NumClasses { get; init; } = 232;

    /// <summary>The largest level, number 0.</summary>
    public double SigmaBegin { get; init; } = 50;

    /// <summary>The smallest.</summary>
    public double SigmaEnd { get; init; } = 0.01;

    /// <summary>Whether pictures come in [−1, 1]; else in [0, 1], and are brought there.</summary>
    public bool Rescaled { get; init; }

    /// <summary>Five levels instead of four (the authors' <c>NCSNv2Deeper</c>).</summary>
    public bool Deeper { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static Ncsnv2Config Parse(string json) => ConfigJson.Parse(json, new Ncsnv2Config(), ConfigJson.Types.Ncsnv2Config, nameof(Ncsnv2Net));

    /// <summary>The text of a <c>config.json</c>.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.Ncsnv2Config, nameof(Ncsnv2Net));

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        static void Require(bool condition, string message)
        {
            if (!condition) throw new ArgumentException("Ncsnv2Net: " + message);
        }
        Require(Channels > 0 && ImageSize > 0 && Ngf > 0 && NumClasses > 1, "channels, image_size and ngf must be at least 1, num_classes at least 2.");
        Require(SigmaBegin > 0 && SigmaEnd > 0, "sigma_begin and sigma_end must be above 0.");
        Require(Normalization == "InstanceNorm++", $"normalization is '{Normalization}': InstanceNorm++ is known.");
        Require(Nonlinearity is "elu" or "relu" or "lrelu" or "swish", $"nonlinearity is '{Nonlinearity}': elu, relu, lrelu and swish are known.");
    }
}
