using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>
/// Short-time objective intelligibility (Taal et al. 2011, IEEE TASLP 19) and its extended form (Jensen and Taal 2016, IEEE
/// TASLP 24): how well the envelopes of a degraded speech signal in 15 third-octave bands follow the clean one's over 384 ms.
/// </summary>
/// <remarks>
/// At 10 kHz: frames of 256 samples, half overlapping, without those of the clean signal more than 40 dB below its loudest;
/// 512-point spectra; bands from 150 Hz; segments of 30 frames. Follows the authors' code where it goes beyond the paper: the
/// last frame that would just fit is left out. Perceptual evaluation of speech quality (PESQ) is not here: the ITU's licence
/// does not allow it.
/// </remarks>
public static class Stoi
{
    private const int Rate = 10_000, Frame = 256, Hop = 128, Transform = 512, Bands = 15, Segment = 30;
    private const double Lowest = 150, Range = 40, Distortion = -15;

    // Keeps silent bands from dividing by 0; the value of the authors' code.
    private const double Tiny = 2.220446049250313e-16;

    /// <summary>Intelligibility of each pair, [N], float64: 1 for the clean signal at any volume, near 0 for unrelated ones.</summary>
    /// <param name="reference">Clean speech, [N, T] or [N, 1, T].</param>
    /// <param name="estimate">Degraded or processed speech, aligned with it, of the same shape.</param>
    /// <param name="sampleRate">In Hz; other rates than 10 kHz are resampled.</param>
    /// <param name="extended">The extended measure, for noise that fluctuates: correlates whole spectrograms instead of bands.</param>
    /// <exception cref="ArgumentException">Fewer than 30 frames (0.4 s) of a reference are louder than silence.</exception>
    public static Tensor Between(Tensor reference, Tensor estimate, int sampleRate, bool extended = false)
    {
        using var scope = NewDisposeScope();
        var (clean, degraded) = Waves.Pair(reference, estimate);
        var (x, y) = (Resampling.Convert(clean, sampleRate, Rate), Resampling.Convert(degraded, sampleRate, Rate));
        var bands = BandMatrix().to(x.device);
        var scores = new List<Tensor>();
        for (long n = 0; n < x.size(0); n++)
        {
            using var one = NewDisposeScope();
            var (speech, heard) = WithoutSilence(x[n], y[n], n);
            var (envelopes, others) = (Segments(speech, bands), Segments(heard, bands));
            scores.Add((extended ? Extended(envelopes, others) : Classical(envelopes, others)).MoveToOuterDisposeScope());
        }
        return stack(scores).MoveToOuterDisposeScope();
    }

    /// <summary>Which of the transform's frequencies belong to each band, [15, 257]: edges a sixth of an octave from the centre, moved to the nearest frequency.</summary>
    internal static Tensor BandMatrix()
    {
        var matrix = new double[Bands, Transform / 2 + 1];
        int Bin(double frequency) => (int)Math.Round(frequency * Transform / Rate);
        for (int band = 0; band < Bands; band++)
            for (int bin = Bin(Lowest * Math.Pow(2, (2 * band - 1) / 6.0)); bin < Bin(Lowest * Math.Pow(2, (2 * band + 1) / 6.0)); bin++)
                matrix[band, bin] = 1;
        return tensor(matrix, float64);
    }

    private static Tensor Window(Tensor like) => hann_window(Frame + 2, periodic: false, float64, like.device).narrow(0, 1, Frame);

    /// <summary>Windowed frames [F, 256] of a signal [T]; a last frame that just fits is left out, as in the authors' code.</summary>
    private static Tensor Frames(Tensor x)
    {
        long count = (x.size(0) - Frame + Hop - 1) / Hop;
        return x.narrow(0, 0, (count - 1) * Hop + Frame).unfold(0, Frame, Hop) * Window(x);
    }

    /// <summary>Both signals put together from the frames in which the clean one is not silent.</summary>
    private static (Tensor speech, Tensor degraded) WithoutSilence(Tensor x, Tensor y, long item)
    {
        if (x.size(0) <= Frame) throw TooShort(item, 0);
        var frames = Frames(x);
        var level = (frames.square().sum(1).sqrt() + Tiny).log10() * 20;
        var loud = level.gt(level.max() - Range).nonzero().flatten();
        // The joined signal gives one frame less than it was made of.
        if (loud.size(0) - 1 < Segment) throw TooShort(item, loud.size(0));
        return (Joined(frames.index_select(0, loud)), Joined(Frames(y).index_select(0, loud)));
    }

    /// <summary>Frames overlapped by half and added.</summary>
    private static Tensor Joined(Tensor frames)
    {
        var none = zeros(1, Hop, frames.dtype, frames.device);
        return (cat([frames.narrow(1, 0, Hop), none]) + cat([none, frames.narrow(1, Hop, Hop)])).flatten();
    }

    /// <summary>Band amplitudes of every 30 successive frames, [S, 15, 30].</summary>
    private static Tensor Segments(Tensor x, Tensor bands)
    {
        var spectrum = fft.rfft(Frames(x), Transform);
        var power = spectrum.real.square() + spectrum.imag.square();
        return nn.functional.linear(power, bands).sqrt().t().unfold(1, Segment, 1).transpose(0, 1);
    }

    /// <summary>Mean correlation of the bands, the degraded one scaled to the clean one's energy and cut off at −15 dB of distortion.</summary>
    private static Tensor Classical(Tensor clean, Tensor other)
    {
        var scaled = other * (Norm(clean, 2) / (Norm(other, 2) + Tiny));
        var cut = scaled.minimum(clean * (1 + Math.Pow(10, -Distortion / 20)));
        return (Normalised(clean, 2) * Normalised(cut, 2)).sum([2]).mean();
    }

    /// <summary>Mean inner product of segments whose bands, then frames, have mean 0 and norm 1.</summary>
    private static Tensor Extended(Tensor clean, Tensor other)
    {
        Tensor Both(Tensor t) => Normalised(Normalised(t, 2), 1);
        return (Both(clean) * Both(other)).sum([1, 2]).mean() / Segment;
    }

    private static Tensor Norm(Tensor x, long dimension) => x.square().sum([dimension], keepdim: true).sqrt();

    private static Tensor Normalised(Tensor x, long dimension)
    {
        var centred = x - x.mean([dimension], keepdim: true);
        return centred / (Norm(centred, dimension) + Tiny);
    }

    private static ArgumentException TooShort(long item, long frames) =>
        new($"signal {item} has {frames} frames that are not silent: at least {Segment + 1} (0.4 s of speech at {Rate} Hz) are needed", "reference");
}
