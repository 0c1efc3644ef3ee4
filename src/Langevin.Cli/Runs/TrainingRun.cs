using System.Diagnostics;
using System.Text.Json.Nodes;
using Langevin.Data;
using Langevin.Formulations;
using Langevin.Hub;
using Langevin.Networks;
using Langevin.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Runs;

/// <summary>A training run from a recipe: trains, logs, draws grids, writes checkpoints and at the end the model folder.</summary>
internal sealed class TrainingRun(Terminal terminal, Recipe recipe, IDataset data, Standardised? units, RunFolder folder, Device device, ScalarType? compute)
{
    private const int GridSide = 10;

    /// <summary>Trains to the end or until cancelled; either way the state is on disk.</summary>
    /// <returns>The model with its averaged weights, and the seconds spent training.</returns>
    public (DiffusionModel Model, double Seconds) Train(bool resume, CancellationToken cancellation)
    {
        var model = Build();
        var copies = new List<DiffusionModel>();
        // A network that draws random numbers (dropout) would draw them in the order in which its copies happen to run.
        using var cores = device.type == DeviceType.CPU && recipe.Network!["dropout"]?.GetValue<double>() is null or 0 ? new Cores() : null;
        try
        {
            for (int i = 1; i < cores?.Workers; i++) copies.Add(Build());
            using var trainer = Trainer(model, copies);
            double seconds = resume ? Resume(trainer) : 0;
            AtomicFile.WriteAllText(folder.Recipe, recipe.ToJson());
            seconds = Loop(model, trainer, seconds, cancellation);
            using (trainer.Average.Swap(model.Network)) model.Save(folder.Model);
            StateDict.Load(model.Network, trainer.Average.Weights);
            model.Network.eval();
            return (model, seconds);
        }
        catch
        {
            model.Dispose();
            throw;
        }
        finally
        {
            foreach (var copy in copies) copy.Dispose();
        }
    }

    private double Loop(DiffusionModel model, Trainer trainer, double before, CancellationToken cancellation)
    {
        var loader = new DataLoader(data, recipe.BatchSize, recipe.Seed);
        var clock = Stopwatch.StartNew();
        long first = trainer.Step;
        double total = 0, drawing = 0;
        int averaged = 0;
        using var progress = new ProgressLine(terminal, "training");
        try
        {
            foreach (var step in trainer.Steps(Batches(loader, first * recipe.Accumulation, cancellation), cancellation))
            {
                total += step.Loss.item<float>();
                averaged++;
                double rate = (step.Step - first) / (clock.Elapsed.TotalSeconds - drawing);
                double loss = total / averaged;
                if (!double.IsFinite(loss))
                    throw new InvalidDataException($"The loss is {loss} at step {step.Step}: lower learning_rate ({recipe.LearningRate}) or check the data with 'langevin data info'.");
                progress.Report((double)step.Step / recipe.Steps, () => $"step {step.Step}/{recipe.Steps}  loss {loss:f4}  {rate:f2} steps/s");
                bool last = step.Step == recipe.Steps;
                if (step.Step % 25 == 0 || last)
                {
                    folder.Log(new JsonObject
                    {
                        ["step"] = step.Step, ["loss"] = loss, ["learning_rate"] = step.LearningRate, ["gradient_norm"] = step.GradientNorm.item<float>(),
                        ["steps_per_second"] = rate, ["seconds"] = before + clock.Elapsed.TotalSeconds,
                    });
                    (total, averaged) = (0, 0);
                }
                if (step.Step % recipe.CheckpointEvery == 0 || last) Checkpoint(trainer, before + clock.Elapsed.TotalSeconds);
                if (recipe.SampleEvery > 0 && step.Step % recipe.SampleEvery == 0 && !last)
                {
                    var started = clock.Elapsed;
                    Preview(model, trainer, step.Step, cancellation);
                    drawing += (clock.Elapsed - started).TotalSeconds;
                }
                if (last) break;
            }
        }
        catch (OperationCanceledException)
        {
            Checkpoint(trainer, before + clock.Elapsed.TotalSeconds);
            terminal.Note($"stopped at step {trainer.Step} of {recipe.Steps}; continue with: langevin train --resume {folder.Path}");
            throw;
        }
        return before + clock.Elapsed.TotalSeconds;
    }

    // The loader's batches as the trainer wants them, each freed when the next is asked for.
    private IEnumerable<TrainingBatch> Batches(DataLoader loader, long start, CancellationToken cancellation)
    {
        foreach (var batch in loader.Batches(start, cancellation))
        {
            using (batch)
            using (var samples = batch.Samples.to(device))
            using (var labels = batch.Labels?.to(device))
                yield return new(samples, recipe.ClassConditional && labels is not null ? Condition.OfLabel(labels) : Condition.None);
        }
    }

    private void Preview(DiffusionModel model, Trainer trainer, long step, CancellationToken cancellation)
    {
        if (data.ItemShape.Length != 3) return;
        const int count = 4 * GridSide;
        using var average = trainer.Average.Swap(model.Network);
        model.Network.eval();
        using var samples = Drawing.Draw(model, Drawing.InTurn(model, count), count, new() { Seed = recipe.Seed }, cancellation: cancellation);
        ImageGrid.Save(folder.Grid(step), samples, GridSide);
        model.Network.train();
    }

    private void Checkpoint(Trainer trainer, double seconds)
    {
        using var scope = NewDisposeScope();
        SafeTensors.Save(folder.Checkpoint, trainer.State(), new Dictionary<string, string> { ["seconds"] = seconds.ToString("R", System.Globalization.CultureInfo.InvariantCulture) });
    }

    private double Resume(Trainer trainer)
    {
        using var scope = NewDisposeScope();
        trainer.Load(SafeTensors.Load(folder.Checkpoint), $"The checkpoint '{folder.Checkpoint}'");
        folder.TrimLog(trainer.Step);
        terminal.Note($"resuming '{folder.Path}' at step {trainer.Step} of {recipe.Steps}");
        return double.TryParse(SafeTensors.LoadMetadata(folder.Checkpoint).GetValueOrDefault("seconds"), System.Globalization.CultureInfo.InvariantCulture, out double s) ? s : 0;
    }

    private DiffusionModel Build()
    {
        random.manual_seed(recipe.Seed);
        var formulation = Formulation.Create(recipe.Formulation);
        var network = NetworkConfig.Create(recipe.Network!.ToJsonString());
        network.to(device);
        network.ComputeType = compute;
        return new(network, formulation, new ModelDescription
        {
            Formulation = recipe.Formulation,
            Data = data.Name,
            ItemShape = data.ItemShape,
            ClassNames = recipe.ClassConditional ? data.ClassNames : [],
            ColumnNames = data.ColumnNames,
            Mean = units?.Mean,
            Std = units?.Std,
            TrainedSteps = recipe.Steps,
            Guidance = recipe.Guidance,
            SamplingSteps = recipe.SamplingSteps,
        });
    }

    private Trainer Trainer(DiffusionModel model, IEnumerable<DiffusionModel> copies) => new(model.Denoiser, model.Formulation.Objective, model.Formulation.Times, new TrainingOptions
    {
        LearningRate = recipe.LearningRate,
        Schedule = new CosineSchedule(Math.Max(1, recipe.Steps - recipe.WarmUp), recipe.Schedule == "cosine" ? 0.02 : 1).WithWarmUp(recipe.WarmUp),
        WeightDecay = recipe.WeightDecay,
        Beta2 = recipe.Beta2,
        ClipNorm = recipe.ClipNorm,
        Ema = new WarmUpEma(recipe.EmaDecay),
        Accumulation = recipe.Accumulation,
        ConditionDropout = recipe.ConditionDropout,
        Seed = recipe.Seed,
    }, [.. copies.Select(c => c.Denoiser)]);
}
