using Langevin.Metrics.Signals;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class SignalTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    /// <summary>Half a second of voice at 8 kHz over faint noise, and the same in loud noise, [1, 4000].</summary>
    private static (Tensor clean, Tensor noisy) Pair()
    {
        var clean = (TestSignals.Voice(4000, 8000) + 0.01 * TestSignals.Noise(4000, 4)).unsqueeze(0);
        return (clean, clean + 0.3 * TestSignals.Noise(4000, 9));
    }

    private static void Near(double[] expected, Tensor actual, double tolerance = 1e-12)
    {
        Assert.Equal(expected.Length, actual.numel());
        Assert.All(expected.Zip(actual.flatten().data<double>().ToArray()), p => Assert.Equal(p.First, p.Second, tolerance));
    }

    // NumPy 1.24.2 by the formulas of DeepFilter's utils/metrics.py (SSD, MAD, PRD); cosine_similarity of scikit-learn 1.2.1.
    [Fact]
    public void Differences_equal_those_of_the_papers_on_electrocardiograms()
    {
        var y = TestSignals.Noise(24, 2).view(2, 12) + 0.3;
        var e = y + 0.2 * TestSignals.Noise(24, 3).view(2, 12);
        Near([0.02092426637499465, 0.02678933447613695], SignalError.SumOfSquares(y, e));
        Near([0.07452783491462467, 0.09462318541482091], SignalError.MaximumAbsolute(y, e));
        Near([12.463801012358786, 14.600979274600412], SignalError.PercentageRootMeanSquare(y, e, DifferenceBase.Estimate));
        Near([7.495224502884169, 16.00003050313844], SignalError.PercentageRootMeanSquare(y, e));
        Near([14.846333558426144, 18.192141243903656], SignalError.PercentageRootMeanSquare(y, e, DifferenceBase.Centred));
        Near([0.997195083641649, 0.987157907570732], SignalError.CosineSimilarity(y, e));
        // Channels and steps are one vector.
        Near([0.02092426637499465, 0.02678933447613695], SignalError.SumOfSquares(y.view(2, 3, 4), e.view(2, 3, 4)));
    }

    // The documented examples of torchmetrics: SNR 16.1805, SI-SDR 18.4030, SI-SNR (means taken off) 15.0918.
    [Fact]
    public void Ratios_equal_the_documented_examples_of_torchmetrics()
    {
        Tensor y = tensor(new[,] { { 3.0, -0.5, 2.0, 7.0 } }), e = tensor(new[,] { { 2.5, 0.0, 2.0, 8.0 } });
        Near([16.1805], SignalError.SignalToNoise(y, e), 5e-5);
        Near([18.4030], SignalError.ScaleInvariantDistortion(y, e), 5e-5);
        Near([15.0918], SignalError.ScaleInvariantDistortion(y, e, centred: true), 5e-5);
        // An estimate's volume does not matter; orthogonal noise of a tenth of the amplitude is 20 dB down.
        Near([SignalError.ScaleInvariantDistortion(y, e).item<double>()], SignalError.ScaleInvariantDistortion(y, 7 * e), 1e-10);
        Tensor a = tensor(new[,] { { 1.0, 1, 1, 1 } }), b = tensor(new[,] { { 1.0, -1, 1, -1 } });
        Near([20], SignalError.SignalToNoise(a, a + 0.1 * b));
        Near([20], SignalError.ScaleInvariantDistortion(a, a + 0.1 * b));
        Near([double.PositiveInfinity], SignalError.SignalToNoise(y, y));
        Near([1, 0, -1], SignalError.CosineSimilarity(cat([a, a, a]), cat([3 * a, b, -a])));
        Near([0], SignalError.CosineSimilarity(a, a * 0));
        Assert.Contains("silent", Assert.Throws<ArgumentException>(() => SignalError.ScaleInvariantDistortion(a, b, centred: true)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => SignalError.SumOfSquares(a, b.narrow(1, 0, 2)));
        Assert.Throws<ArgumentException>(() => SignalError.SumOfSquares(a.flatten(), b.flatten()));
    }

    // SciPy 1.10.1: signal.stft of periodic Hann windows without padding, scaled back to sums of samples.
    [Fact]
    public void Log_spectral_distance_equals_that_of_SciPy_spectra()
    {
        var (x, y) = Pair();
        Near([25.683093136490783], LogSpectralDistance.Between(x, y), 1e-9);
        Near([23.029198164623946], LogSpectralDistance.Between(x, y, new() { Window = 200, Hop = 80, Transform = 512 }), 1e-9);
    }

    [Fact]
    public void Log_spectral_distance_of_a_change_of_volume_is_its_decibels()
    {
        var (x, y) = Pair();
        Near([20], LogSpectralDistance.Between(x, 10 * x, floor: 1e-30), 1e-9);
        Near([0], LogSpectralDistance.Between(x, x));
        Assert.True(LogSpectralDistance.Between(x, y).SameAs(LogSpectralDistance.Between(x.unsqueeze(1), y.unsqueeze(1))));
        Assert.Equal(LogSpectralDistance.Between(x, y).item<double>(), LogSpectralDistance.Between(y, x).item<double>(), 1e-12);
        Assert.Contains("window", Assert.Throws<ArgumentException>(() => LogSpectralDistance.Between(x.narrow(1, 0, 1000), y.narrow(1, 0, 1000))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => LogSpectralDistance.Between(x, y.narrow(1, 0, 3999)));
        Assert.Throws<ArgumentOutOfRangeException>(() => LogSpectralDistance.Between(x, y, new() { Window = 512, Transform = 256 }));
    }

    // SciPy 1.10.1: bands by numpy.interp over the corners, fft.dct of type 2 over K (c₀ over 2 K) of half the log powers.
    [Fact]
    public void Cepstra_and_their_distortion_equal_those_of_SciPy()
    {
        var (x, y) = Pair();
        var (c, d) = (MelCepstrum.Of(x, 8000), MelCepstrum.Of(y, 8000));
        Assert.Equal([1, 12, 14], c.shape);
        Near([1.6001971155292671, 1.682723674935474, -0.788665791259232, 0.5107006345442003], c[0, 3].narrow(0, 0, 4), 1e-10);
        Near([-0.06957194534813176], c[0, 3, 13].view(1), 1e-10);
        Near([8.732173197574035], MelCepstralDistortion.Between(c, d), 1e-9);
        Near([0], MelCepstralDistortion.Between(c, c));
    }

    [Fact]
    public void Distortion_of_all_coefficients_is_the_difference_of_the_bands_in_decibels()
    {
        var (x, y) = Pair();
        var options = new MelOptions { Bands = 24 };
        Tensor Decibels(Tensor t) => MelSpectrum.Log(t, 8000, options) * (10 / Math.Log(10));
        var difference = Decibels(x) - Decibels(y);
        // c₀, the mean over bands, is left out.
        double expected = (difference - difference.mean([2], keepdim: true)).square().mean([2]).sqrt().mean().item<double>();
        Assert.Equal(expected, MelCepstralDistortion.Between(MelCepstrum.Of(x, 8000, 23, options), MelCepstrum.Of(y, 8000, 23, options)).item<double>(), 1e-10);
        // So volume does not matter.
        Near([0], MelCepstralDistortion.Between(MelCepstrum.Of(x, 8000), MelCepstrum.Of(3 * x, 8000)), 1e-9);
    }

    [Fact]
    public void Alignment_undoes_a_change_of_pace()
    {
        var (x, y) = Pair();
        var (c, d) = (MelCepstrum.Of(x, 8000)[0], MelCepstrum.Of(y, 8000)[0]);
        Assert.Equal(0, MelCepstralDistortion.Aligned(c, c.repeat_interleave(3, 0)), 1e-12);
        Assert.True(MelCepstralDistortion.Aligned(c, d) <= MelCepstralDistortion.Between(c.unsqueeze(0), d.unsqueeze(0)).item<double>());
        Assert.Throws<ArgumentException>(() => MelCepstralDistortion.Aligned(c, d.narrow(1, 0, 5)));
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(4, 4)]
    [InlineData(5, 3)]
    public void Warping_finds_the_least_of_all_alignments(int rows, int columns)
    {
        for (int seed = 1; seed < 10; seed++)
        {
            var cost = TestSignals.Noise(rows * columns, seed).view(rows, columns) + 0.5;
            long[] path = TimeWarping.Path(cost).data<long>().ToArray();
            double sum = 0;
            for (int i = 0; i < path.Length; i += 2)
            {
                sum += cost[path[i], path[i + 1]].item<double>();
                if (i > 0) Assert.Contains((path[i] - path[i - 2], path[i + 1] - path[i - 1]), new[] { (1L, 1L), (1L, 0L), (0L, 1L) });
            }
            Assert.Equal((0, 0, rows - 1, columns - 1), (path[0], path[1], path[^2], path[^1]));
            Assert.Equal(Least(0, 0), sum, 1e-12);
            double Least(int i, int j) => cost[i, j].item<double>() + (i == rows - 1 && j == columns - 1 ? 0
                : new[] { (i + 1, j), (i, j + 1), (i + 1, j + 1) }.Where(s => s.Item1 < rows && s.Item2 < columns).Min(s => Least(s.Item1, s.Item2)));
        }
        Assert.Throws<ArgumentException>(() => TimeWarping.Path(zeros(3)));
    }

    [Fact]
    public void Mel_bands_overlap_to_one_and_centre_on_the_published_scale()
    {
        var options = new MelOptions { Bands = 12, Highest = 6000 };
        var filters = MelSpectrum.Filters(16000, 4097, options);
        double Centre(int band) => filters[band].argmax().item<long>() * 8000.0 / 4096;
        double mels = 2595 * Math.Log10(1 + 6000 / 700.0);
        Assert.Equal(700 * (Math.Pow(10, mels / 13 / 2595) - 1), Centre(0), 1.0);
        // From the lowest centre to the highest, neighbouring triangles add up to 1.
        int from = (int)(Centre(0) / 8000 * 4096) + 1, to = (int)(Centre(11) / 8000 * 4096) - 1;
        Assert.True(filters.sum([0]).narrow(0, from, to - from).allclose(ones(1, float64), 0, 1e-12));
        // 1,000 Hz is 1,000 mel (O'Shaughnessy 1987), to 0.02: half way up to 2,000 mel with one band between.
        double twice = 700 * (Math.Pow(10, 2000 / 2595.0) - 1);
        var wide = MelSpectrum.Filters(16000, 8001, new() { Bands = 3, Highest = twice });
        Assert.Equal(1000, wide[1].argmax().item<long>(), 1.0);
    }

    // NumPy 1.24.2: means and standard deviations over 48 frames of 200 samples at 8 kHz, 64 bands, of the spectra above.
    [Fact]
    public void Log_mel_statistics_equal_those_of_NumPy()
    {
        var (x, y) = Pair();
        var features = LogMelStatistics.Of(cat([x, y]).to(float32), 8000);
        Assert.Equal([2, 128], features.shape);
        Assert.Equal(float64, features.dtype);
        var exact = LogMelStatistics.Of(x, 8000)[0];
        int[] at = [0, 10, 63, 64, 74, 127];
        Near([-2.6175202238151662, 1.2190138861970987, -5.4514310840782905, 3.964383390746695, 5.980442268513083, 0.5937052706342109],
            stack([.. at.Select(i => exact[i])]), 1e-9);
        Assert.Equal(-68.88410877610963, exact.narrow(0, 0, 64).sum().item<double>(), 1e-8);
        Assert.Equal(260.3588223428074, exact.narrow(0, 64, 64).sum().item<double>(), 1e-8);
        Assert.True(features[0].allclose(exact, 0, 0.02));
    }

    [Fact]
    public void Log_mel_statistics_of_many_clips_are_those_of_each()
    {
        // 16 kHz and 64 bands where not said; over a block's worth of clips.
        var clips = TestSignals.Noise(40 * 16000, 7).view(40, 1, 16000);
        var all = LogMelStatistics.Of(clips);
        Assert.Equal([40, 128], all.shape);
        Assert.True(all[33].allclose(LogMelStatistics.Of(clips[33])[0], 1e-12, 1e-12));
        // A volume shifts the means by twice its logarithm and leaves the deviations.
        var louder = LogMelStatistics.Of(clips[0] * 2) - all[0];
        Assert.True(louder[0].narrow(0, 0, 64).allclose(tensor(2 * Math.Log(2), float64), 0, 1e-9));
        Assert.Equal(0, louder[0].narrow(0, 64, 64).abs().max().item<double>(), 1e-9);
        // Whatever the rate, every band holds a frequency.
        foreach (double rate in (double[])[4000, 8000, 11025, 22050, 44100, 48000])
            Assert.True(LogMelStatistics.Of(clips[0], rate).isfinite().all().item<bool>());
        // Digital silence is the floor.
        Near([Math.Log(1e-10)], LogMelStatistics.Of(zeros(1, 8000)).narrow(1, 0, 64).mean());
        Assert.Contains("window", Assert.Throws<ArgumentException>(() => LogMelStatistics.Of(zeros(1, 300))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => LogMelStatistics.Of(zeros(2, 2, 8000)));
        Assert.Contains("too many", Assert.Throws<ArgumentException>(
            () => LogMelStatistics.Of(zeros(1, 8000), options: new() { Bands = 500 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => MelSpectrum.Log(zeros(1, 8000), 8000, new() { Highest = 5000 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => MelCepstrum.Of(zeros(1, 8000), 8000, 40));
    }

    // SciPy 1.10.1: resample_poly of Noise(200, 5) with the window of pystoi 0.4.1's resample_oct.
    [Theory]
    [InlineData(16000, 10000, 125, -0.040484640616523265, 0.2375308631603712, 0.0033552442134809624, 6.82615183687222)]
    [InlineData(8000, 10000, 250, 0.06932851413860595, 0.32067621553525044, -0.3531191315146737, 20.635269207932122)]
    [InlineData(7, 3, 86, -0.07180954229941919, -0.014055284006129792, -0.12655389813623946, 2.8394362784743006)]
    public void Resampling_equals_that_of_SciPy(int from, int to, int length, double first, double eighth, double last, double energy)
    {
        var y = Resampling.Convert(TestSignals.Noise(200, 5).unsqueeze(0), from, to)[0];
        Assert.Equal([length], y.shape);
        Near([first, eighth, last, energy], stack([y[0], y[7], y[length - 1], y.square().sum()]));
    }

    [Fact]
    public void Resampling_keeps_a_tone_in_the_band_and_removes_one_above_it()
    {
        Tensor Tone(double hertz, int rate) => (arange(rate, float64) * (2 * Math.PI * hertz / rate)).sin().unsqueeze(0);
        Tensor Inside(Tensor t) => t.narrow(1, 1000, t.size(1) - 2000);
        var kept = Resampling.Convert(Tone(440, 16000), 16000, 10000);
        // The filter passes within 60 dB: a thousandth.
        Assert.True(Inside(kept - Tone(440, 10000)).abs().max().item<double>() < 2e-3);
        Assert.True(Inside(Resampling.Convert(Tone(6000, 16000), 16000, 10000)).abs().max().item<double>() < 2e-3);
        Assert.True(Resampling.Convert(kept, 10000, 10000).SameAs(kept));
        Assert.Throws<ArgumentOutOfRangeException>(() => Resampling.Convert(kept, 0, 10000));
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        var (x, y) = Pair();
        Leak.None(() =>
        {
            SignalError.PercentageRootMeanSquare(x, y).Dispose();
            SignalError.ScaleInvariantDistortion(x, y, centred: true).Dispose();
            LogSpectralDistance.Between(x, y).Dispose();
            LogMelStatistics.Of(x, 8000).Dispose();
            Resampling.Convert(x, 8000, 10000).Dispose();
            using var c = MelCepstrum.Of(x, 8000);
            MelCepstralDistortion.Between(c, c).Dispose();
            using var frame = c.squeeze(0);
            MelCepstralDistortion.Aligned(frame, frame);
        });
    }
}
