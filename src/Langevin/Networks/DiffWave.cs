using Langevin.Networks.Layers;
using Langevin.Networks.Sequences;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// DiffWave (Kong et al. 2021, figure 2): gated dilated convolutions over a waveform, with a spectrogram to follow or without, with the
/// structure and state-dict keys of the public implementation by LMNT.
/// </summary>
/// <remarks>
/// <c>forward(x [N, 1, L], noise [N], condition)</c> gives [N, 1, L]; the noise level is a step from 0 on, which may lie between two whole
/// ones (section 3.2's fast sampling). Unless unconditional, the slot <c>spectrogram</c> holds [N, n_mels, L / 256].
/// </remarks>
public sealed class DiffWave : Network
{
    /// <summary>Slot of the spectrogram.</summary>
    public const string SpectrogramSlot = "spectrogram";

    private readonly Conv1d input_projection, skip_projection, output_projection;
    private readonly WaveStep diffusion_embedding;
    private readonly SpectrogramUpsampler? spectrogram_upsampler;
    private readonly ModuleList<WaveLayer> residual_layers = new();

    /// <summary>A network with PyTorch's default initialisation, whose output is zero.</summary>
    /// <exception cref="ArgumentException">A value of the configuration is out of range.</exception>
    public DiffWave(DiffWaveConfig config) : base(nameof(DiffWave))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        input_projection = new(1, config.ResidualChannels, 1);
        diffusion_embedding = new(config.MaxSteps);
        if (!config.Unconditional) spectrogram_upsampler = new();
        for (int i = 0; i < config.ResidualLayers; i++) residual_layers.Add(new(config.ResidualChannels, 1 << i % config.DilationCycleLength, config.Unconditional ? null : config.NMels));
        skip_projection = new(config.ResidualChannels, config.ResidualChannels, 1);
        output_projection = new(config.ResidualChannels, 1, 1);
        output_projection.Zero();
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public DiffWaveConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or the spectrogram is missing.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        if (x.dim() != 3 || x.size(1) != 1) throw new ArgumentException($"DiffWave: the input is [{string.Join(", ", x.shape)}], expected [N, 1, L].", nameof(x));
        Check.Noise(noise, x, nameof(DiffWave));
        using var scope = NewDisposeScope();
        var frames = spectrogram_upsampler?.call(Spectrogram(condition, x));
        var step = diffusion_embedding.Run(noise, x.dtype);
        var h = input_projection.call(x).relu();
        Tensor? sum = null;
        foreach (var layer in residual_layers)
        {
            (h, var skip) = layer.Run(h, step, frames);
            sum = sum is null ? skip : sum + skip;
        }
        h = skip_projection.call(sum! / Math.Sqrt(residual_layers.Count)).relu();
        return output_projection.call(h).MoveToOuterDisposeScope();
    }

    private Tensor Spectrogram(Condition condition, Tensor x)
    {
        var spectrogram = condition[SpectrogramSlot] ?? throw new ArgumentException($"DiffWave: the condition has no slot '{SpectrogramSlot}': give [N, {Config.NMels}, L / {SpectrogramUpsampler.Factor}].", nameof(condition));
        long[] expected = [x.size(0), Config.NMels, x.size(2) / SpectrogramUpsampler.Factor];
        if (x.size(2) % SpectrogramUpsampler.Factor != 0 || !spectrogram.shape.SequenceEqual(expected))
            throw new ArgumentException($"DiffWave: the spectrogram is [{string.Join(", ", spectrogram.shape)}], expected [{string.Join(", ", expected)}] for {x.size(2)} samples, a multiple of {SpectrogramUpsampler.Factor}.", nameof(condition));
        return spectrogram.to(x.dtype);
    }
}
