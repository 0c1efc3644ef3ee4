using Langevin.Denoisers;
using Langevin.Inverse;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>RePaint, in the form that diffusers gives it. The picture and its mask come with the request.</summary>
internal static class RePaintFamily
{
    public static SchedulerPlan RePaint(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, zeroSnr: false, others: ["sigmoid"]);
        double eta = options.Number("eta", 0);
        var decoration = Decorations.Clipping(options, keepEpsilon: true, thresholds: false);
        return new(table.Process, PredictionKind.Epsilon, Grid, Sampler) { Decoration = _ => decoration };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            n = Math.Min(n, table.Steps);
            double[] times = [.. Enumerable.Range(0, n).Reverse().Select(i => (double)(i * (table.Steps / n)))];
            return new([.. times, table.Process.DataTime], times);
        }

        Sampler Sampler(SchedulerRequest request, SchedulerTimes all) => new RePaint(
            request.Measurement ?? throw new ArgumentException("RePaint needs the picture and what is seen of it: give SchedulerRequest.Measurement, of an Inpainting."),
            request.Jump, request.Resamplings, new Ddim(eta)) { Stride = table.Steps / all.Told.Length };
    }
}
