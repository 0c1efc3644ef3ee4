using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Sampling;

/// <summary>Dynamic thresholding: strong guidance without saturation.</summary>
public sealed class DynamicThresholdingSystem : DiffusionSystem
{
    private const double Scale = 8;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "dynamic-thresholding",
        Reference = "§9.3",
        Title = "dynamic thresholding",
        Paper = "Saharia et al. 2022 (Imagen), section 2.3 and figure A.10b",
        Domain = "sampling",
        Mechanism = "At each step s is the p-quantile of |x̂_0| in a picture, at least 1; x̂_0 is cut off at ±s and divided by s. Strong classifier-free guidance drives x̂_0 out of "
            + "[−1, 1]; cutting it off there saturates the picture, dividing keeps its contrasts.",
        Faithful = "p = 0.995, guidance at scale 8",
        StandIn = "a small model of shapes in their classes",
        Data = "shapes of 16 × 16 in 32 classes, drawn on the spot",
        Metric = new("FID-t", Direction.Lower),
        Time = TimeClass.S,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("p = 0.995", trial => Run(trial, d => d.Thresholded(0.995))),
        Arm.Baseline("cut off at ±1", trial => Run(trial, d => d.Clamped())),
        Arm.Ablation("no limit", trial => Run(trial, d => d)),
        Arm.Ablation("p = 0.9", trial => Run(trial, d => d.Thresholded(0.9))),
    ];

    private static Outcome Run(Trial trial, Func<IDenoiser, IDenoiser> limited)
    {
        using var shapes = PictureSet.SmallShapes(trial);
        using var model = trial.Model(shapes.Plan("shapes-labelled", new() { Name = "ddpm", PredictionType = "v_prediction" }, labelled: true, baseWidth: 32));
        int count = trial.Count(200, 500);
        var labels = arange(count) % shapes.Training.ClassCount;
        using var samples = trial.Draw(limited(model.Denoiser.Guided(Scale)), new Ddim(), TimeGrid.Uniform(model.Denoiser.Process, trial.Pick(5, 20, 20), toData: true), count, shapes.Shape, Condition.OfLabel(labels));
        trial.Show(Figure.Images("guidance at scale 8", samples.narrow(0, 0, Math.Min(64, count)), 16));
        return shapes.Measure(samples.clamp(-1, 1), labels).With("share beyond 0.98", samples.abs().gt(0.98).to(ScalarType.Float64).mean().item<double>());
    }
}
