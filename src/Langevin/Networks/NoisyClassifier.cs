using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A classifier of noisy samples for classifier guidance: half a U-Net (for vectors a residual perceptron) that reads the noise level, and
/// the mean over its pixels into logits.
/// </summary>
/// <remarks><c>forward(x [N, ...], noise [N], condition)</c> gives logits [N, class_count]; the condition is not read.</remarks>
public sealed class NoisyClassifier : Network
{
    private readonly NoiseClassEmbedding embedding;
    private readonly Linear? proj_in;
    private readonly Conv2d? conv_in;
    private readonly ModuleList<MlpBlock> mlps = new();
    private readonly ModuleList<ResnetBlock2D> resnets = new();
    private readonly ModulatedNorm norm_out;
    private readonly Linear proj_out;

    /// <summary>A network with PyTorch's default initialisation, and logits of zero.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="ArgumentException">A value of the configuration is out of range.</exception>
    public NoisyClassifier(NoisyClassifierConfig config) : base(nameof(NoisyClassifier))
    {
        config.Validate();
        Config = config;
        int width = config.Width, embedded = config.Width;
        embedding = new(embedded, embedded, 0, nameof(NoisyClassifier));
        if (config.ItemShape.Count == 1)
        {
            proj_in = new(config.ItemShape[0], width);
            for (int i = 0; i < config.Blocks; i++) mlps.Add(new(width));
        }
        else
        {
            conv_in = new(config.ItemShape[0], width, 3, padding: 1);
            var options = new BlockOptions(embedded, null, 1e-5, ScaleShift: true, Dropout: 0, Layers.Activation.SiLU);
            for (int i = 0; i < config.Blocks; i++)
            {
                int to = i == 0 ? width : Math.Min(2 * width, 4 * config.Width);
                resnets.Add(new(width, to, options, down: i == 0 ? Resampling.None : Resampling.Box));
                width = to;
            }
        }
        norm_out = new(width, embedded);
        proj_out = new(width, config.ClassCount);
        proj_out.Zero();
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public NoisyClassifierConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        if (!x.shape[1..].SequenceEqual(Config.ItemShape.Select(n => (long)n)))
            throw new ArgumentException($"NoisyClassifier: the input is [{string.Join(", ", x.shape)}], expected [N, {string.Join(", ", Config.ItemShape)}].", nameof(x));
        using var scope = NewDisposeScope();
        var e = embedding.call(x, noise, Condition.None);
        var h = proj_in is null ? conv_in!.call(x) : proj_in.call(x);
        foreach (var block in mlps) h = block.call(h, e);
        foreach (var block in resnets) h = block.call(h, e);
        if (h.dim() > 2) h = h.flatten(2).mean([2]);
        return proj_out.call(Layers.Activation.SiLU.Consume(norm_out.call(h, e))).MoveToOuterDisposeScope();
    }
}
