using Langevin.Data;
using Langevin.Formulations;
using Langevin.Guidance;
using Langevin.Hub;
using Langevin.Networks;
using Langevin.Training;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/getting-started.md and docs/formulations.md.</summary>
public class GettingStartedSnippets
{
    [Fact]
    public void A_model_is_trained_saved_loaded_and_drawn_from()
    {
        using var files = new TempFolder();
        string folder = files["model/here"], picture = files["picture.png"];
        const int steps = 2;

        var formulation = Formulation.Create(new FormulationOptions { Name = "flow" });
        using var network = new UNet2D(new UNet2DConfig
        {
            InChannels = 1,
            OutChannels = 1,
            BlockOutChannels = [16, 32],
            DownBlockTypes = ["DownBlock2D", "AttnDownBlock2D"],
            UpBlockTypes = ["AttnUpBlock2D", "UpBlock2D"],
            LayersPerBlock = 1,
            NormNumGroups = 8,
            NumClassEmbeds = 11, // ten digits and "none"
        });
        using var trainer = new Trainer(formulation.Denoiser(network), formulation.Objective, formulation.Times, new TrainingOptions { LearningRate = 1e-3 });
        foreach (var step in trainer.Steps(Batches(Datasets.Open("strokes"), batchSize: 16)))
            if (step.Step == steps) break;
        Assert.Equal(steps, trainer.Step);

        new DiffusionModel(network, formulation, new ModelDescription
        {
            Formulation = formulation.Options, Data = "strokes", ItemShape = [1, 28, 28], ClassNames = [.. Enumerable.Range(0, 10).Select(i => $"{i}")],
        }).Save(folder);
        Draw(folder, picture);
        Assert.True(new FileInfo(picture).Length > 100);
    }

    private static void Draw(string folder, string picture)
    {
        using var model = DiffusionModel.Load(folder);
        var (sampler, grid) = model.Formulation.Sampling();
        var labels = Condition.OfLabel(tensor(new long[] { 3, 1, 4 }));
        using var images = sampler.Sample(model.Denoiser.Guided(1.5), [3, 1, 28, 28], grid, labels, seed: 7);
        ImageGrid.Save(picture, images);
    }

    static IEnumerable<TrainingBatch> Batches(IDataset data, int batchSize)
    {
        foreach (var batch in new DataLoader(data, batchSize, seed: 0).Batches())
            using (batch)
                yield return new(batch.Samples, Condition.OfLabel(batch.Labels!));
    }

    [Fact]
    public void A_formulation_is_a_composition()
    {
        var formulation = Formulation.Create(new FormulationOptions { Name = "edm", SigmaData = 0.6 });
        double halfLogSnr = formulation.Process.Lambda(1.0);             // λ = log(α/σ) = 0 at σ = 1
        var (sampler, grid) = formulation.Sampling("heun", steps: 18);
        Assert.Equal(0, halfLogSnr);
        Assert.Equal(18, grid.Steps);
        Assert.NotNull(sampler);
    }
}
