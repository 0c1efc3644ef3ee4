using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Langevin.Data;
using Langevin.Formulations;
using Langevin.Hub;
using Langevin.Networks;
using Langevin.Samplers;
using Langevin.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Systems;

public sealed partial class Trial
{
    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromSeconds(30);

    /// <summary>The trained model of a plan and this seed: read where it has been trained before, continued where that was stopped. The caller's.</summary>
    public DiffusionModel Model(ModelPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        string folder;
        using (var model = Build(plan))
        {
            folder = FolderOf(plan.Name, JsonSerializer.Serialize(plan.Formulation) + NetworkConfig.ToJson(model.Network)
                + FormattableString.Invariant($"{plan.Data.Name}|{plan.Data.Count}|{plan.Steps}|{plan.BatchSize}|{plan.LearningRate}|{plan.EmaDecay}|{plan.Labelled}"));
            if (!File.Exists(Path.Combine(folder, "langevin.json"))) Train(plan, model, folder);
        }
        return DiffusionModel.Load(folder);
    }

    /// <summary>Trains a module of any kind by a loss of its own; read where it has been trained before, continued where that was stopped.</summary>
    /// <param name="name">A name for its folder; with the key, which tells one such module from another.</param>
    /// <param name="key">Everything that decides what is learnt, besides the module's own shape and the plan.</param>
    /// <param name="module">As initialised; trained on return.</param>
    /// <param name="plan">How.</param>
    /// <param name="loss">The loss of a step, a scalar. Everything random in it follows from the seed and the step, as long as libtorch draws it.</param>
    /// <returns>The module, in evaluation mode.</returns>
    public T Fit<T>(string name, string key, T module, FitPlan plan, Func<T, long, Tensor> loss) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(loss);
        string shape = string.Join(';', module.state_dict().Select(p => $"{p.Key}{string.Join('x', p.Value.shape)}"));
        string folder = FolderOf(name, key + plan + shape), weights = Path.Combine(folder, "model.safetensors");
        using (NewDisposeScope())
        {
            if (File.Exists(weights)) StateDict.Load(module, SafeTensors.Load(weights), $"'{weights}'");
            else Learn(name, module, plan, loss, folder, weights);
        }
        module.eval();
        return module;
    }

    /// <summary>Initialises as this seed does: what a builder draws is the same for equal seeds.</summary>
    /// <param name="stream">Tells one module of a system from another.</param>
    /// <param name="build">Builds the module.</param>
    public T Seeded<T>(Func<T> build, long stream = 0)
    {
        ArgumentNullException.ThrowIfNull(build);
        random.manual_seed((long)SeededNoise.Mix(Seed, stream));
        return build();
    }

    private DiffusionModel Build(ModelPlan plan) => new(Seeded(plan.Network), Formulation.Create(plan.Formulation), new()
    {
        Formulation = plan.Formulation,
        Data = plan.Data.Name,
        ItemShape = plan.Data.ItemShape,
        ClassNames = plan.Labelled ? plan.Data.ClassNames : [],
        TrainedSteps = plan.Steps,
    });

    private void Train(ModelPlan plan, DiffusionModel model, string folder)
    {
        string checkpoint = Path.Combine(folder, "checkpoint.safetensors");
        using var gradients = enable_grad();
        using var cores = new Cores();
        var copies = new List<DiffusionModel>();
        try
        {
            for (int i = 1; i < cores.Workers; i++) copies.Add(Build(plan));
            using var trainer = new Trainer(model.Denoiser, model.Formulation.Objective, model.Formulation.Times, new()
            {
                LearningRate = plan.LearningRate,
                Schedule = Schedule(plan.Steps),
                Ema = new WarmUpEma(plan.EmaDecay),
                ConditionDropout = plan.Labelled ? 0.1 : 0,
                Seed = Seed,
            }, [.. copies.Select(c => c.Denoiser)]);
            if (File.Exists(checkpoint)) using (NewDisposeScope()) trainer.Load(SafeTensors.Load(checkpoint), $"The checkpoint '{checkpoint}'");
            var loader = new DataLoader(plan.Data, plan.BatchSize, Seed);
            var keeper = new Keeper(checkpoint);
            foreach (var step in trainer.Steps(Of(loader, trainer.Step), CancellationToken.None))
            {
                bool last = step.Step >= plan.Steps;
                if (!last && keeper.IsDue(Cancellation)) keeper.Keep(trainer.State());
                Report((double)step.Step / plan.Steps, $"training {plan.Name}");
                if (last) break;
            }
            using (trainer.Average.Swap(model.Network)) model.Save(folder);
            File.Delete(checkpoint);
        }
        finally
        {
            foreach (var copy in copies) copy.Dispose();
        }

        IEnumerable<TrainingBatch> Of(DataLoader loader, long start)
        {
            foreach (var batch in loader.Batches(start, Cancellation))
                using (batch)
                    yield return new(batch.Samples, plan.Labelled ? Condition.OfLabel(batch.Labels!) : Condition.None);
        }
    }

    private void Learn<T>(string name, T module, FitPlan plan, Func<T, long, Tensor> loss, string folder, string weights) where T : nn.Module
    {
        string checkpoint = Path.Combine(folder, "checkpoint.safetensors");
        using var gradients = enable_grad(); // the caller may have turned them off for what comes after
        var parameters = module.named_parameters().ToArray();
        using var optimizer = new AdamW(parameters, new() { LearningRate = plan.LearningRate, WeightDecay = plan.WeightDecay, Beta1 = plan.Beta1 });
        using var average = plan.EmaDecay > 0 ? new Ema(module, new WarmUpEma(plan.EmaDecay)) : null;
        var schedule = Schedule(plan.Steps);
        long step = 0;
        if (File.Exists(checkpoint)) Resume();
        var keeper = new Keeper(checkpoint);
        module.train();
        for (; step < plan.Steps;)
        {
            using var scope = NewDisposeScope();
            random.manual_seed((long)SeededNoise.Mix(Seed, step));
            optimizer.ZeroGrad();
            optimizer.LearningRate = plan.LearningRate * schedule.Factor(step);
            loss(module, step).backward();
            AdamW.ClipGradients(parameters.Select(p => p.parameter), plan.ClipNorm);
            optimizer.Step();
            step++;
            average?.Update(step);
            if (step < plan.Steps && keeper.IsDue(Cancellation)) keeper.Keep(State());
            Report((double)step / plan.Steps, $"training {name}");
        }
        using (average?.Swap(module)) SafeTensors.Save(weights, module.state_dict());
        if (average is not null) StateDict.Load(module, average.Weights);
        File.Delete(checkpoint);

        IEnumerable<KeyValuePair<string, Tensor>> State() =>
        [
            new("step", tensor(step)),
            .. module.state_dict().Select(p => KeyValuePair.Create("module/" + p.Key, p.Value)),
            .. optimizer.State().Select(p => KeyValuePair.Create("optimizer/" + p.Key, p.Value)),
            .. average?.State().Select(p => KeyValuePair.Create("ema/" + p.Key, p.Value)) ?? [],
        ];

        void Resume()
        {
            var state = SafeTensors.Load(checkpoint);
            Dictionary<string, Tensor> Part(string part) => state.Where(s => s.Key.StartsWith(part, StringComparison.Ordinal)).ToDictionary(s => s.Key[part.Length..], s => s.Value);
            StateDict.Load(module, Part("module/"), $"'{checkpoint}'");
            optimizer.Load(Part("optimizer/"));
            average?.Load(Part("ema/"));
            step = state["step"].item<long>();
        }
    }

    private static LearningRateSchedule Schedule(int steps) => new CosineSchedule(Math.Max(1, steps - 20), 0.02).WithWarmUp(20);

    private string FolderOf(string name, string key)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..8];
        return Path.Combine(models, $"{name}-{Scale.ToString().ToLowerInvariant()}-{Seed}-{hash}");
    }

    /// <summary>Writes a checkpoint now and then, and when the work is stopped.</summary>
    private sealed class Keeper(string path)
    {
        private DateTime due = DateTime.UtcNow + CheckpointEvery;

        public bool IsDue(CancellationToken cancellation) => cancellation.IsCancellationRequested || DateTime.UtcNow >= due;

        public void Keep(IEnumerable<KeyValuePair<string, Tensor>> state)
        {
            using var scope = NewDisposeScope();
            SafeTensors.Save(path, state);
            due = DateTime.UtcNow + CheckpointEvery;
        }
    }
}
