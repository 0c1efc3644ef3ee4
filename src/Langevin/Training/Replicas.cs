using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Training;

/// <summary>
/// One network and its copies, each of which learns from a slice of the batch on a thread of its own; the gradients are added
/// up, always in the same order, in the network itself.
/// </summary>
/// <remarks>
/// Small networks use two cores better by halving the batch than by halving every operation: a convolution of a few
/// milliseconds spends much of them waiting for the other core.
/// </remarks>
internal sealed class Replicas
{
    private readonly NetworkDenoiser[] denoisers;
    private readonly Tensor[][] parameters;

    public Replicas(NetworkDenoiser network, IReadOnlyList<NetworkDenoiser> copies)
    {
        denoisers = [network, .. copies];
        parameters = [.. denoisers.Select(d => d.Network.parameters().Cast<Tensor>().ToArray())];
        foreach (var copy in parameters)
            if (copy.Length != parameters[0].Length || !copy.Zip(parameters[0], (a, b) => a.shape.SequenceEqual(b.shape)).All(same => same))
                throw new ArgumentException("A copy of the network has other parameters than the network.", nameof(copies));
    }

    /// <summary>Adds the gradient of the batch's mean weighted loss, and returns the loss of each sample, [N], without gradient.</summary>
    public Tensor Learn(Objective objective, Tensor x0, Condition condition, Times times, Tensor noise, Tensor weights)
    {
        long count = x0.shape[0];
        int slices = (int)Math.Min(denoisers.Length, count);
        var losses = new Tensor?[slices];
        try
        {
            if (slices > 1) Synchronise();
            Cores.Run(slices, i => losses[i] = Slice(i, i * count / slices, (i + 1) * count / slices));
            for (int i = 1; i < slices; i++) Gather(i);
            return cat([.. losses.Select(l => l!)], 0);
        }
        finally
        {
            foreach (var loss in losses) loss?.Dispose();
        }

        // Runs on any thread: what it returns belongs to no scope.
        Tensor Slice(int replica, long from, long to)
        {
            using var scope = NewDisposeScope();
            bool whole = to - from == count;
            Tensor Part(Tensor t) => whole ? t : t.narrow(0, from, to - from);
            var part = objective.Loss(denoisers[replica], Part(x0), whole ? condition : condition.Map((_, value) => Part(value)),
                whole || times.IsUniform ? times : Times.Each([.. Enumerable.Range((int)from, (int)(to - from)).Select(i => times[i])]), Part(noise));
            ((part * Part(weights)).sum() / count).backward();
            return part.detach().DetachFromDisposeScope();
        }
    }

    // The copies' weights are the network's.
    private void Synchronise()
    {
        using var none = no_grad();
        for (int i = 1; i < denoisers.Length; i++)
        {
            Ops.Copy(parameters[i], parameters[0]);
            if (denoisers[i].Network.training != denoisers[0].Network.training) denoisers[i].Network.train(denoisers[0].Network.training);
        }
    }

    private void Gather(int replica)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (target, source) in parameters[0].Zip(parameters[replica]))
        {
            if (source.grad is not { } gradient) continue;
            if (target.grad is { } sum) sum.add_(gradient);
            else target.grad = gradient.clone();
            source.grad = null;
        }
    }
}
