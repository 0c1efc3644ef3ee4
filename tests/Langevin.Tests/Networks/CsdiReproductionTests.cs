using System.Diagnostics;
using System.Globalization;
using Langevin.Data.Formats;
using Langevin.Denoisers;
using Langevin.Hub;
using Langevin.Inverse;
using Langevin.Metrics.Series;
using Langevin.Networks;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>
/// The authors' weights on the stays that they were not trained on (PhysioNet 2012, fold 0, 10 % held back): the paper's tables 2 and 3 give CRPS 0.238 and
/// MAE 0.217. LANGEVIN_CSDI_MINUTES (10) says how long, LANGEVIN_CSDI_DRAWS (100) how many draws a stay; all 799 stays take hours on a processor.
/// </summary>
public class CsdiReproductionTests(ITestOutputHelper output)
{
    private static double Setting(string name, double otherwise) =>
        double.TryParse(Environment.GetEnvironmentVariable("LANGEVIN_CSDI_" + name), CultureInfo.InvariantCulture, out double value) ? value : otherwise;

    [Fact(Explicit = true), Trait("Category", "Slow")]
    public void The_published_error_is_reached()
    {
        using var outer = NewDisposeScope();
        using var network = new Csdi(new());
        StateDict.Load(network, TorchFile.Load(Shared.Data("weights/csdi/model.pth")));
        network.eval();
        using var all = PhysioNet2012.Open(Shared.Data("physionet2012/set-a.tar.xz"));
        using var test = all.Take(PhysioNet2012.Fold(all.Count, 0).Test);
        var process = DiscreteProcess.FromBetas(Betas.ScaledLinear(50, 1e-4, 0.5));
        var denoiser = new NetworkDenoiser(network, process, new PlainPreconditioning());
        var grid = TimeGrid.Uniform(process, 50, toData: true);
        int draws = (int)Setting("DRAWS", 100);
        var clock = Stopwatch.StartNew();
        double absolute = 0, square = 0, places = 0, loss = 0, size = 0;
        for (int i = 0; i < test.Count && clock.Elapsed.TotalMinutes < Setting("MINUTES", 10); i++)
        {
            using var scope = NewDisposeScope();
            Tensor Stay(Tensor t) => t.narrow(0, i, 1);
            var (values, judged) = (Stay(test.Values), Stay(test.Judged));
            double count = judged.sum().item<float>();
            if (count == 0) continue;
            var drawn = Imputation.Draw((v, m) => new(denoiser, new DdpmAncestral(), Csdi.Given(v, m)), grid, values, Stay(test.Given), draws, seed: i, batchSize: 10);
            var (mae, rmse) = ForecastError.Pooled(Imputation.Median(drawn), values, judged);
            double scale = (values * judged).abs().sum().item<float>();
            (absolute, square, places) = (absolute + mae * count, square + rmse * rmse * count, places + count);
            (loss, size) = (loss + Crps.Normalised(drawn, values, judged) * scale, size + scale);
            string line = string.Create(CultureInfo.InvariantCulture, $"{i + 1} stays, {places} values, {draws} draws, {clock.Elapsed.TotalMinutes:f1} min: MAE {absolute / places:f4}, RMSE {Math.Sqrt(square / places):f4}, CRPS {loss / size:f4}");
            output.WriteLine(line);
            if (Environment.GetEnvironmentVariable("LANGEVIN_CSDI_LOG") is { } log) File.AppendAllText(log, line + "\n");
        }
        // Over a few hundred values the standard error of the mean absolute error is about 0.02.
        Assert.InRange(absolute / places, 0.12, 0.32);
        Assert.InRange(loss / size, 0.15, 0.35);
    }
}
