using Langevin.Data;
using Langevin.Data.Procedural;
using Langevin.Systems;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Tests.Systems;

public class DescodEcgTests
{
    [Fact]
    public void Noise_is_as_high_as_its_level_says()
    {
        using var scope = NewDisposeScope();
        var cases = EcgCases.Drawn(40, 128, 90);
        Tensor Height(Tensor x) => (EcgCases.Middle(x).amax([2]) - EcgCases.Middle(x).amin([2])).squeeze(1);
        Assert.Equal([40L, 1, 384], cases.Noisy.shape);
        Assert.Equal(0, (Height(cases.Noisy - cases.Clean) / Height(cases.Clean) - cases.Level).abs().max().item<float>(), 1e-4f);
        Assert.InRange(cases.Level.min().item<float>(), 0.2f, 0.5f);
        Assert.InRange(cases.Level.max().item<float>(), 1.7f, 2f);
        // Training never sees them.
        using var training = Electrocardiogram.Create(40, 384, 90);
        Assert.False(training.Items.equal(cases.Clean).flatten(1).all(1).any().item<bool>());
    }

    // Its network is trained two steps here: what is tested is the way of a file through windows, rates, channels and gaps.
    [Theory]
    [InlineData("in.hea", "out.hea", 250.0, 2000)]
    [InlineData("in.csv", "out.csv", 90.0, 40)]
    [InlineData("in.csv", "out.hea", 360.0, 1001)]
    public void Serves_a_recording_of_any_length_rate_and_number_of_channels(string from, string to, double rate, int length)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var beats = Electrocardiogram.Create(3, length, rate);
        var samples = beats.Items.squeeze(1) + 5;
        samples[1, 7] = float.NaN;
        using var record = new SignalRecord("in", samples, rate, [new("I"), new("II"), new("V5", "uV")]) { Comments = ["a patient"] };
        SignalFile.Save(folder[from], record);
        var system = SystemRegistry.Find("descod-ecg");
        var trial = new Bench(folder["bench"]).Trial(new() { Scale = Scale.Smallest }, 0, (_, _) => { }, TestContext.Current.CancellationToken);
        system.Apply(trial, folder[from], folder[to]);
        using var answer = SignalFile.Load(folder[to]);
        Assert.Equal((rate, "uV", "a patient"), (answer.Rate, answer.Channels[2].Unit, answer.Comments[0]));
        Assert.Equal(samples.shape, answer.Samples.shape);
        Assert.True(answer.Samples.isnan().equal(samples.isnan()).all().item<bool>());
        Assert.True(answer.Samples.nan_to_num(0).std().item<float>() > 0);
        Assert.Contains("WFDB", system.Application);
    }
}
