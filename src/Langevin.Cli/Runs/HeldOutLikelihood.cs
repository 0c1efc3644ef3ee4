using System.Text.Json.Nodes;
using Langevin.Data;
using Langevin.Denoisers;
using Langevin.Hub;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Runs;

/// <summary>The negative log-likelihood of items a model was not trained on.</summary>
/// <param name="Method">vlb, the variational bound, or flow, the probability flow.</param>
/// <param name="Unit">bits/dim for images, else nats.</param>
/// <param name="Values">That of each item.</param>
internal sealed record HeldOutLikelihood(string Method, string Unit, IReadOnlyList<double> Values)
{
    private const int BatchSize = 32;

    /// <summary>The mean over the items.</summary>
    public double Mean { get; } = Values.Average();

    /// <summary>Standard error of the mean; NaN for one item.</summary>
    public double StandardError => Values.Count > 1 ? Math.Sqrt(Values.Sum(v => (v - Mean) * (v - Mean)) / (Values.Count - 1) / Values.Count) : double.NaN;

    public JsonObject ToJson() => new()
    {
        ["method"] = Method, ["unit"] = Unit, ["negative_log_likelihood"] = Mean, ["standard_error"] = double.IsNaN(StandardError) ? null : StandardError, ["items"] = Values.Count,
    };

    /// <summary>Bits per dimension of each image, or nats of each vector.</summary>
    /// <param name="terminal">Shows the progress.</param>
    /// <param name="model">The model.</param>
    /// <param name="held">The items.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="method">vlb: the variational bound of a table; flow: the probability flow; auto.</param>
    /// <param name="terms">vlb: terms drawn for each item.</param>
    /// <param name="tolerance">flow: of the adaptive solver.</param>
    /// <param name="seed">Decides everything random.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="ArgumentException">The bound is asked for where there is none.</exception>
    public static HeldOutLikelihood Evaluate(Terminal terminal, DiffusionModel model, IDataset held, int count, string method, int terms, double tolerance, long seed,
        CancellationToken cancellation)
    {
        bool isTable = model.Denoiser.Process is DiscreteProcess && model.Formulation.Options.Name == "ddpm";
        if (method == "auto") method = isTable ? "vlb" : "flow";
        if (method == "vlb" && !isTable) throw new ArgumentException($"--method vlb: the bound needs a DDPM model; this one is {model.Formulation.Options.Name}. Use --method flow.");
        bool images = model.Description.ItemShape.Count == 3;
        var device = model.Network.parameters().First().device;
        var values = new List<double>();
        using var progress = new ProgressLine(terminal, "likelihood");
        for (int first = 0; first < count; first += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            int size = Math.Min(BatchSize, count - first);
            using var scope = NewDisposeScope();
            using var batch = held.Get([.. Enumerable.Range(first, size).Select(i => (long)i)], 0);
            var x = batch.Samples.to(device);
            var condition = model.Description.ClassNames.Count > 0 && batch.Labels is { } labels ? Condition.OfLabel(labels.to(device)) : Condition.None;
            Tensor result;
            if (method == "vlb")
            {
                var variance = model.Formulation.Options.LearnedVariance ? ReverseVariance.Learned : ReverseVariance.Small;
                int steps = model.Denoiser.Process.StepCount!.Value, asked = Math.Clamp(terms, 2, steps);
                result = new VariationalBound(variance).Evaluate(model.Denoiser, x, condition, terms: asked == steps ? null : asked, seed: seed + first).Total;
            }
            else
            {
                var noise = new SeededNoise(seed, first);
                // 8-bit images become a density by uniform noise of one level's width.
                if (images) x = Dequantised(x, noise);
                using var likelihood = new Likelihood(tolerance, tolerance).Evaluate(model.Denoiser, x, condition, noise, cancellation: cancellation);
                // A density in the data's units: their deviations are the Jacobian.
                result = images ? likelihood.BitsPerDimension() : -likelihood.LogLikelihood + (model.Description.Std?.Sum(Math.Log) ?? 0);
            }
            values.AddRange(result.to(ScalarType.Float64).cpu().data<double>().ToArray());
            progress.Report((first + size) / (double)count);
        }
        return new(method, images ? "bits/dim" : "nats", values);
    }

    private static Tensor Dequantised(Tensor x, INoise noise)
    {
        // Φ of a normal draw is uniform: the noise of a sample depends on its own seed alone.
        var uniform = 0.5 * (1 + special.erf(noise.Next(x) / Math.Sqrt(2)));
        var level = ((x + 1) * 127.5).round();
        return (level + uniform) / 128 - 1;
    }
}
