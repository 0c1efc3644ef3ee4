using Langevin.Inverse;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Inverse;

/// <summary>What solvers and operators make, they dispose.</summary>
public class InverseLeakTests
{
    public static TheoryData<string> Names() => [.. Lab.Solvers.Keys, "repaint", "ilvr", "sdedit", "blind"];

    [Theory, MemberData(nameof(Names))]
    public void Nothing_leaks_in_a_run(string name)
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var prior = Lab.Mixture(process);
        using var blur = Lab.Operators["blur"]();
        using var mask = new Inpainting(Lab.Mask());
        var y = OperatorTests.Random(1, 2, 1, 4, 4);
        var grid = Lab.Grid(process, 12);
        using var x = OperatorTests.Random(2, 2, 1, 4, 4);
        void Run()
        {
            // As a caller without a scope of its own would.
            var (denoiser, sampler) = name switch
            {
                "repaint" => (prior, new RePaint(new(mask, y), 3, 2)),
                "ilvr" => (prior, new Ilvr(y, blur)),
                "sdedit" => (prior, new SdEdit(y)),
                "blind" => (prior, new BlindDeblurring(y, 3, 0.1)),
                _ => Lab.Solvers[name](prior, new(blur, y, name == "mcg" ? 0 : 0.1)),
            };
            using var result = sampler.Run(denoiser, x, grid, noise: new BatchNoise(1));
        }
        Run(); // the operators' tables are made now, and stay
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = Tensor.TotalCount;
        Run();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Operators_dispose_their_tables()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = Tensor.TotalCount;
        foreach (var create in Lab.Operators.Values)
        {
            SpectralOperator made;
            using (NewDisposeScope()) made = create();
            using var a = made;
            using var x = OperatorTests.Random(2, 2, 1, 4, 4);
            using var y = a.Forward(x);
            using var back = a.PseudoInverse(y);
            using var transposed = a.Adjoint(y);
        }
        Assert.Equal(before, Tensor.TotalCount);
    }
}
