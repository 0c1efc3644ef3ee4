using Langevin.Inverse;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Sampling;

/// <summary>ILVR: new pictures with the coarse look of a given one.</summary>
public sealed class IlvrSystem : DiffusionSystem
{
    private const int Factor = 4, Each = 4;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "ilvr",
        Reference = "[45]",
        Title = "iterative latent variable refinement",
        Paper = "Choi et al. 2021, equation 8 and algorithm 1",
        Domain = "sampling",
        Mechanism = "After each step x_s ← x_s + φ_N(y_s) − φ_N(x_s), y_s the reference noised to s and φ_N the low pass of going down and up by N: "
            + "coarse content comes from the reference, the rest from the model.",
        Faithful = "refinement at every step, bicubic low pass",
        StandIn = "a small model of digits, N = 4",
        Data = "written digits; references are held out, four pictures for each",
        Metric = new("low-pass MSE", Direction.Lower),
        Time = TimeClass.S,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("N = 4", trial => Run(trial, Factor)),
        Arm.Baseline("unguided", trial => Run(trial, null)),
        Arm.Ablation("until half-way", trial => Run(trial, Factor, until: 0.5)),
        Arm.Ablation("N = 7: coarser", trial => Run(trial, 7)),
    ];

    private static Outcome Run(Trial trial, int? factor, double until = 1)
    {
        using var digits = PictureSet.Digits(trial);
        using var model = trial.Model(RestoredPictures.Plan(digits));
        var references = PictureSet.First(digits.HeldOut, trial.Pick(2, 24, 32)).Pictures;
        var many = references.repeat_interleave(Each, 0);
        var grid = TimeGrid.Uniform(model.Denoiser.Process, trial.Pick(3, 50, 50), toData: true);
        Sampler sampler = factor is { } n ? new Ilvr(many, Separable.Bicubic(28, 28, n), until) : new DdpmAncestral();
        var made = RestoredPictures.Solve(trial, model.Denoiser, sampler, grid, many);
        using var coarse = Separable.Bicubic(28, 28, Factor);
        var error = (coarse.Forward(made) - coarse.Forward(many)).square().mean([1L, 2, 3]);
        // Pictures of one reference, over the judge's features: how much is left free.
        var features = digits.Judge.Extractor.Features(made).view(-1, Each, digits.Judge.Extractor.Width);
        var spread = features.std(1).mean();
        trial.Show(Figure.Images("a reference and the pictures made from it, row by row", cat([references.unsqueeze(1), made.view([references.size(0), Each, .. digits.Shape])], 1).flatten(0, 1), Each + 1));
        return new Outcome(Score.Of(error)).With("diversity-t", spread.to(ScalarType.Float64).item<double>());
    }
}
