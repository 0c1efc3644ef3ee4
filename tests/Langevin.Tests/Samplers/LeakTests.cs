using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

/// <summary>Tests that count the live tensors of the whole process.</summary>
public class LeakTests
{
    private static readonly VariancePreserving Process = VariancePreserving.Linear();

    public static TheoryData<string> Names() => [.. RunTests.Samplers.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Nothing_leaks_in_a_thousand_steps(string name)
    {
        using var mixture = Kit.Mixture(Process);
        using var x = Kit.Draw(mixture, 1, 2, 1);
        var grid = Kit.Ladder(Process, 1000, 8, 0.1);
        AssertNoneLeft(() =>
        {
            using var result = RunTests.Samplers[name].Run(new StaticThresholding(mixture, 5), x, grid, noise: new BatchNoise(1));
        });
    }

    [Fact]
    public void The_adaptive_solver_and_the_likelihood_leak_nothing_either()
    {
        using var mixture = Kit.Mixture(Process);
        using var x = Kit.Draw(mixture, 1, 2, 1);
        AssertNoneLeft(() =>
        {
            using var result = new DormandPrince().Run(mixture, x, TimeGrid.Uniform(Process, 20));
            foreach (var step in new DpmAdaptive(Eta: 0.5).Steps(mixture, x, TimeGrid.Uniform(Process, 3, toData: true)))
                if (step.Time == Process.DataTime) step.X.Dispose();
            foreach (var step in new AdaptiveHeun(Eta: 0.5).Steps(mixture, x, TimeGrid.Uniform(Process, 3, toData: true)))
                if (step.Time == Process.DataTime) step.X.Dispose();
            using var brownian = new BrownianNoise(1);
            using var fast = new DpmFast(20, 0.5).Run(mixture, x, new DpmFast(20).Grid(Process, toData: true), noise: brownian);
            using var likelihood = new Likelihood(1e-3, 1e-3, Probes: 3).Evaluate(mixture, x);
        });
    }

    [Fact]
    public void A_cancelled_run_leaves_nothing()
    {
        using var mixture = Kit.Mixture(Process);
        using var x = Kit.Draw(mixture, 1, 2, 1);
        AssertNoneLeft(() =>
        {
            using var source = new CancellationTokenSource();
            Assert.Throws<OperationCanceledException>(() =>
            {
                foreach (var step in new Ddim().Steps(mixture, x, TimeGrid.Uniform(Process, 50), cancellation: source.Token))
                    if (step.Index == 3) source.Cancel();
            });
        });
    }

    private static void AssertNoneLeft(Action action)
    {
        // What earlier tests left to the finaliser goes first.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = Tensor.TotalCount;
        action();
        Assert.Equal(before, Tensor.TotalCount);
    }
}
