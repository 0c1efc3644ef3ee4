using Langevin.Denoisers;
using Langevin.Inverse;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Inverse;

/// <summary>Constraints between steps: RePaint, ILVR, SDEdit, CCDF; and blind deblurring.</summary>
public class EditingTests
{
    private const ScalarType Double = ScalarType.Float64;

    private static readonly VariancePreserving Process = VariancePreserving.Linear();

    private static Tensor Noise(long count, ulong seed)
    {
        using var scope = NewDisposeScope();
        return (OperatorTests.Random(seed, count, 1, 4, 4) * Process.Sigma(Lab.Grid(Process, 10)[0])).MoveToOuterDisposeScope();
    }

    [Fact]
    public void RePaint_walks_its_schedule_and_ends_at_the_picture()
    {
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(Process);
        using var mask = new Inpainting(Lab.Mask());
        var y = mask.Forward(Lab.Draw(prior, 5, 1));
        // 20 levels above data, t = 19..0; with jumps of 5 a return is made at t = 0, 5 and 10: 2 · 5 more steps each for 3 resamplings.
        foreach (var (resamplings, evaluations) in new[] { (1, 20), (3, 20 + 3 * 2 * 5) })
        {
            var last = new RePaint(new(mask, y), 5, resamplings).Steps(prior, Noise(5, 2), Lab.Grid(Process, 20), noise: new BatchNoise(3)).Last();
            Assert.Equal(evaluations, last.Evaluations);
            Assert.True(OperatorTests.Near(mask.Forward(last.X), y, 1e-12));
        }
        using var blur = new Blur(Blur.Uniform(3), 4, 4);
        Assert.Throws<NotSupportedException>(() => new RePaint(new(blur, y)).Run(prior, Noise(5, 2), Lab.Grid(Process, 5)));
    }

    [Fact]
    public void Resampling_brings_RePaint_nearer_to_the_posterior()
    {
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(Process);
        using var mask = new Inpainting(Lab.Mask());
        var truth = Lab.Draw(prior, 400, 4);
        double Error(int resamplings)
        {
            var got = new RePaint(new(mask, mask.Forward(truth)), 5, resamplings).Run(prior, Noise(400, 5), Lab.Grid(Process, 30), noise: new BatchNoise(6));
            return (got - truth).square().mean().item<double>();
        }
        // A draw of the posterior is off by twice its variance.
        double exact = 0;
        foreach (int i in new[] { 0, 1, 2, 3, 4, 5, 6, 7 })
        {
            using var posterior = prior.Posterior(new(mask, mask.Forward(truth.narrow(0, i, 1))));
            exact += 2 * posterior.Covariance().trace().item<double>() / 16 / 8;
        }
        double plain = Error(1), resampled = Error(6);
        Assert.True(resampled < 0.8 * plain && resampled < 1.5 * exact, $"{plain:g3} to {resampled:g3}; exact {exact:g3}");
    }

    [Fact]
    public void ILVR_keeps_the_coarse_look()
    {
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(Process);
        using var low = Separable.Average(4, 4, 2);
        var reference = Lab.Draw(prior, 1, 1);
        var got = new Ilvr(reference, low).Run(prior, Noise(20, 2), Lab.Grid(Process, 40), noise: new BatchNoise(3));
        Assert.True(OperatorTests.Near(low.Forward(got), low.Forward(reference).expand(20, 1, 2, 2), 1e-10));
        Assert.True(got.std(0).mean().item<double>() > 0.05, "the rest is free");
        var free = new Ilvr(reference, low, Until: 0).Run(prior, Noise(20, 2), Lab.Grid(Process, 40), noise: new BatchNoise(3));
        var plain = new DdpmAncestral().Run(prior, Noise(20, 2), Lab.Grid(Process, 40), noise: new BatchNoise(3));
        Assert.True(OperatorTests.Near(free, plain, 1e-12), "held for no step, it is the sampler inside");
    }

    [Fact]
    public void SDEdit_is_the_freer_the_stronger()
    {
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(Process);
        var reference = full([1, 1, 4, 4], 0.9, Double); // far from every cluster
        double Change(double strength, int evaluations)
        {
            var last = new SdEdit(reference, strength).Steps(prior, Noise(50, 2), Lab.Grid(Process, 40), noise: new BatchNoise(3)).Last();
            Assert.Equal(evaluations, last.Evaluations);
            return (last.X - reference).square().mean().item<double>();
        }
        double little = Change(0.1, 4), middling = Change(0.5, 20), much = Change(1, 40);
        Assert.True(little < 0.2 * middling && middling < much, $"{little:g3}, {middling:g3}, {much:g3}");
        // Stronger edits are likelier pictures.
        var kept = new SdEdit(reference, 0.5, Keep: Lab.Mask()).Run(prior, Noise(50, 2), Lab.Grid(Process, 40), noise: new BatchNoise(3));
        Assert.True(OperatorTests.Near(kept * Lab.Mask(), (reference * Lab.Mask()).expand(50, 1, 4, 4), 1e-12));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SdEdit(reference, 0).Run(prior, Noise(1, 2), Lab.Grid(Process, 4)));
    }

    [Fact]
    public void Coming_closer_first_saves_steps()
    {
        // CCDF: from the pseudo-inverse, a third of the steps do as well as all of them from noise.
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(Process);
        using var a = Separable.Average(4, 4, 2);
        var truth = Lab.Draw(prior, 300, 4);
        var measurement = new Measurement(a, a.Forward(truth));
        var first = a.PseudoInverse(measurement.Y);
        double Error(Tensor x) => (x - truth).square().mean().item<double>();
        var grid = Lab.Grid(Process, 60);
        double all = Error(new Ddnm(measurement).Run(prior, Noise(300, 5), grid, noise: new BatchNoise(6))), before = Error(first);
        double closer = Error(new SdEdit(first, 1 / 3.0, new Ddnm(measurement)).Run(prior, Noise(300, 5), grid, noise: new BatchNoise(6)));
        Assert.True(closer < 1.1 * all && closer < before, $"{closer:g3} in 20 steps, {all:g3} in 60, {before:g3} before");
    }

    [Fact]
    public void The_contraction_bound_holds()
    {
        // With the denoiser of a single point, which the theorem's rates are of, ancestral steps from a wrong estimate.
        using var scope = NewDisposeScope();
        using var point = new GaussianMixture(Process, ones(1, Double), zeros([1, 1, 4, 4], Double), full(1, 1e-6, Double));
        // Even steps, so that the largest rate is near the others.
        var grid = new TimeGrid(Enumerable.Range(0, 21).Select(i => 1 - i * 0.045));
        var wrong = 0.8 * OperatorTests.Random(1, 2000, 1, 4, 4);
        double before = wrong.flatten(1).square().sum(1).mean().item<double>();
        foreach (int steps in new[] { 2, 8, 20 })
        {
            var walked = new TimeGrid(grid.Times.Skip(20 - steps));
            var x = Process.Corrupt(wrong, walked[0], OperatorTests.Random(2, wrong.shape));
            // Against a second chain from the truth, as the theorem compares them.
            var y = Process.Corrupt(zeros_like(wrong), walked[0], OperatorTests.Random(3, wrong.shape));
            Tensor Back(Tensor from, ulong seed) => new DdpmAncestral().Run(point, from, walked, noise: new BatchNoise(seed));
            double error = (Back(x, 4) - Back(y, 5)).flatten(1).square().sum(1).mean().item<double>(), bound = Contraction.Bound(Process, grid, steps, before, 16);
            Assert.True(error < bound * 1.05, $"{steps}: {error:g3} against {bound:g3}");
        }
        Assert.True(Contraction.Bound(Process, grid, 20, before, 16) < Contraction.Bound(Process, grid, 20, 10 * before, 16));
        double share = Contraction.Strength(Process, grid, 1e4, 16);
        Assert.True(share is > 0 and < 1 && Contraction.Strength(Process, grid, 1e4, 16, 0.1) >= share);
        Assert.Equal(1, Contraction.Strength(Process, grid, 1e-6, 16)); // nothing to gain
    }

    [Fact]
    public void The_kernel_is_found_with_the_picture()
    {
        using var scope = NewDisposeScope();
        // Pictures of independent pixels in two clusters, sharp enough to tell the kernel by.
        var means = OperatorTests.Random(1, 2, 1, 16, 16).sign();
        using var prior = new GaussianMixture(Process, ones(2, Double), means, full(2, 0.1, Double));
        var kernel = Blur.Motion(5, 30);
        using var blur = new Blur(kernel, 16, 16);
        var truth = Lab.Draw(prior, 4, 2);
        var y = blur.Measure(truth, 0.02);
        Tensor? found = null;
        var solver = new BlindDeblurring(y, 7, 0.02) { Kernels = k => { found?.Dispose(); found = k.clone().DetachFromDisposeScope(); } };
        var grid = Lab.Grid(Process, 40);
        var got = solver.Run(prior, OperatorTests.Random(3, 4, 1, 16, 16) * Process.Sigma(grid[0]), grid, noise: new BatchNoise(4));
        double kernelError = OperatorTests.Norm(found! - kernel) / OperatorTests.Norm(kernel.expand(4, 1, 7, 7)), error = (got - truth).square().mean().item<double>(), before = (y - truth).square().mean().item<double>();
        found!.Dispose();
        Assert.True(kernelError < 0.2 && error < 0.05 * before, $"kernel off by {kernelError:g3}, picture by {error:g3} from {before:g3}");
    }
}
