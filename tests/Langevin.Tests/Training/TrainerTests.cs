using Langevin.Data;
using Langevin.Formulations;
using Langevin.Hub;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Training;
using static TorchSharp.torch;

namespace Langevin.Tests.Training;

public class TrainerTests
{
    private static readonly ResidualMlpConfig Shape = new() { Dimensions = 2, Hidden = 16, Blocks = 1, ClassCount = 2 };

    private static IEnumerable<TrainingBatch> Batches(long start)
    {
        foreach (var batch in new DataLoader(Datasets.Open("moons"), 32, seed: 1).Batches(start))
            using (batch)
                yield return new(batch.Samples, Condition.OfLabel(batch.Labels!));
    }

    private static (ResidualMlp Network, Trainer Trainer) Begin(string formulation, TimeDistribution? times = null, int accumulation = 1)
    {
        random.manual_seed(0);
        var network = new ResidualMlp(Shape);
        var f = Formulation.Create(new FormulationOptions { Name = formulation, Steps = 20 });
        return (network, new Trainer(f.Denoiser(network), f.Objective, times ?? f.Times, new TrainingOptions
        {
            LearningRate = 1e-2, Schedule = new CosineSchedule(10), Accumulation = accumulation, ConditionDropout = 0.3, Seed = 4,
        }));
    }

    // The gradient of a mean is the mean of its parts' gradients: what differs is the order of additions in float32.
    [Theory]
    [InlineData(1)]
    [InlineData(3)] // 32 samples do not divide into four slices of one size
    public void Copies_share_the_batch_out_and_learn_the_same(int copies)
    {
        var (network, plain) = Begin("edm");
        using var one = network;
        using var alone = plain;
        Run(alone, 4);
        random.manual_seed(0);
        using var shared = new ResidualMlp(Shape);
        var f = Formulation.Create(new FormulationOptions { Name = "edm" });
        var others = Enumerable.Range(0, copies).Select(_ => new ResidualMlp(Shape)).ToArray();
        using var trainer = new Trainer(f.Denoiser(shared), f.Objective, f.Times, new TrainingOptions
        {
            LearningRate = 1e-2, Schedule = new CosineSchedule(10), ConditionDropout = 0.3, Seed = 4,
        }, [.. others.Select(f.Denoiser)]);
        Run(trainer, 4);
        Assert.All(one.named_parameters().Zip(shared.named_parameters()), p =>
            Assert.True(p.First.parameter.allclose(p.Second.parameter, 1e-4, 1e-5), p.First.name));
        foreach (var other in others) other.Dispose();
    }

    [Fact]
    public void A_copy_of_another_shape_is_refused()
    {
        using var network = new ResidualMlp(Shape);
        using var other = new ResidualMlp(Shape with { Hidden = 8 });
        var f = Formulation.Create(new FormulationOptions { Name = "edm" });
        Assert.Throws<ArgumentException>("copies", () => new Trainer(f.Denoiser(network), f.Objective, f.Times, new(), [f.Denoiser(other)]));
    }

    [Fact]
    public void A_worker_that_fails_is_heard_of_after_all_have_ended()
    {
        int ended = 0;
        Assert.Throws<InvalidDataException>(() => Cores.Run(3, i =>
        {
            if (i == 1) throw new InvalidDataException();
            Interlocked.Increment(ref ended);
        }));
        Assert.Equal(2, ended);
    }

    private static void Run(Trainer trainer, long until, int accumulation = 1)
    {
        foreach (var step in trainer.Steps(Batches(trainer.Step * accumulation)))
            if (step.Step == until) break;
    }

    public static TheoryData<string, bool, int> Cases() => new() { { "ddpm", false, 1 }, { "ddpm", true, 1 }, { "edm", false, 2 }, { "flow", false, 1 } };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_resumed_run_continues_to_the_same_bits(string formulation, bool importance, int accumulation)
    {
        TimeDistribution? times = importance ? new LossSecondMoment(History: 2) : null;
        using var files = new TempFolder();
        var (whole, straight) = Begin(formulation, times, accumulation);
        using (whole)
        using (straight)
        {
            Run(straight, 6, accumulation);
            var (half, first) = Begin(formulation, times, accumulation);
            using (half)
            using (first)
            {
                Run(first, 3, accumulation);
                SafeTensors.Save(files["state.safetensors"], first.State());
            }
            random.manual_seed(12345); // another process would have another state of the default generator
            var (rest, second) = Begin(formulation, times, accumulation);
            using (rest)
            using (second)
            {
                second.Load(SafeTensors.Load(files["state.safetensors"]));
                Assert.Equal(3, second.Step);
                Run(second, 6, accumulation);
                var (a, b) = (straight.State(), second.State());
                Assert.Equal(a.Keys.Order(), b.Keys.Order());
                Assert.All(a, entry => Assert.True(entry.Value.SameAs(b[entry.Key]), entry.Key));
            }
        }
    }

    [Fact]
    public void A_state_of_another_network_is_refused()
    {
        var (network, trainer) = Begin("flow");
        using (network)
        using (trainer)
        {
            var state = trainer.State().ToDictionary();
            state.Remove("network/" + network.named_parameters().First().name);
            Assert.Contains("missing", Assert.Throws<InvalidDataException>(() => trainer.Load(state)).Message);
            Assert.Contains("no step", Assert.Throws<InvalidDataException>(() => trainer.Load(new Dictionary<string, Tensor>())).Message);
        }
    }

    [Fact]
    public void Training_lowers_the_loss_and_leaks_nothing()
    {
        var (network, trainer) = Begin("flow");
        using (network)
        using (trainer)
        {
            var losses = new List<float>();
            long after = 0;
            foreach (var step in trainer.Steps(Batches(0)))
            {
                losses.Add(step.Loss.item<float>());
                if (step.Step == 20)
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                    after = Tensor.TotalCount;
                }
                if (step.Step == 120) break;
            }
            Assert.True(losses.Skip(100).Average() < losses.Take(10).Average(), "the loss did not fall");
            // The loader makes a few batches ahead, of two tensors each.
            Assert.InRange(Tensor.TotalCount, 0, after + 10);
        }
    }
}
