namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="DiffWave"/>; the keys of its JSON are the reference implementation's parameters.</summary>
public sealed record DiffWaveConfig
{
    /// <summary>Residual layers.</summary>
    public int ResidualLayers { get; init; } = 30;

    /// <summary>Channels of a layer.</summary>
    public int ResidualChannels { get; init; } = 64;

    /// <summary>Layers after which the dilation, twice that of the layer before, is 1 again.</summary>
    public int DilationCycleLength { get; init; } = 10;

    /// <summary>Bands of the spectrogram, a frame for every 256 samples.</summary>
    public int NMels { get; init; } = 80;

    /// <summary>Steps of the noise schedule.</summary>
    public int MaxSteps { get; init; } = 50;

    /// <summary>Whether there is no spectrogram to follow.</summary>
    public bool Unconditional { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static DiffWaveConfig Parse(string json) => ConfigJson.Parse(json, new DiffWaveConfig(), ConfigJson.Types.DiffWaveConfig, nameof(DiffWave));

    /// <summary>The text of a <c>config.json</c>.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.DiffWaveConfig, nameof(DiffWave));

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        if (ResidualLayers < 1 || ResidualChannels < 1 || DilationCycleLength is < 1 or > 20 || NMels < 1 || MaxSteps < 1)
            throw new ArgumentException("DiffWave: residual_layers, residual_channels, n_mels and max_steps must be at least 1, dilation_cycle_length 1 to 20.");
    }
}
