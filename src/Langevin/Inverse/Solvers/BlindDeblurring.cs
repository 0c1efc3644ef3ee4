using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// Deblurring with the kernel unknown: at every step the kernel of each picture is fitted to x̂_0 and y, then x̂_0 to y and the kernel, both in
/// closed form by the Fourier transform. The kernel is kept not negative, of sum 1 and within its support.
/// </summary>
/// <remarks>
/// Alternating minimisation within <see cref="DiffPir"/>'s step; a plain prior on the kernel stands where Chung et al. 2023 (BlindDPS) use a second model.
/// The measurement's operator is not asked; only y and σ_y.
/// </remarks>
/// <param name="Y">The blurred pictures, [N or 1, C, H, W].</param>
/// <param name="Support">Side of the kernel's square, odd.</param>
/// <param name="Sigma">σ_y &gt; 0, which keeps lost frequencies from being amplified.</param>
/// <param name="Inertia">How strongly the kernel stays where it is, as a share of the picture's power; larger is slower and steadier.</param>
/// <param name="Zeta">ζ in [0, 1]: the share of fresh noise, by variance.</param>
public sealed record BlindDeblurring(Tensor Y, long Support, double Sigma, double Inertia = 0.05, double Zeta = 0.3) : Sampler
{
    /// <summary>Told the kernels [N, 1, Support, Support] after each step; they are disposed after the call.</summary>
    public Action<Tensor>? Kernels { get; init; }

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Support < 1 || Support % 2 == 0) throw new ArgumentOutOfRangeException(nameof(Support), Support, "The kernel's support must be odd.");
        if (!(Sigma > 0)) throw new ArgumentOutOfRangeException(nameof(Sigma), Sigma, "Blind deblurring needs a positive noise level.");
        Tensor? kernel = null;
        return (x, t, s) =>
        {
            // To begin with, the middle and what surrounds it.
            kernel ??= run.Keep(Blur.Gaussian(Support / 6.0, Support).to(x.dtype).to(x.device).expand(x.shape[0], 1, Support, Support).contiguous());
            var said = run.Denoise(x, t);
            double ratio = run.Process.Sigma(t) / run.Process.Alpha(t), sigma = run.Process.Sigma(s);
            // A noisy picture says little of the kernel: its influence grows as the ratio falls.
            kernel = run.Keep(Fit(said.X0, kernel, Inertia + ratio * ratio), kernel);
            Kernels?.Invoke(kernel);
            var moved = said.WithX0(Deblur(said.X0, kernel, Math.Pow(Sigma / ratio, 2)));
            var next = run.Process.Alpha(s) * moved.X0 + sigma * Math.Sqrt(1 - Zeta) * moved.Epsilon;
            return sigma > 0 && Zeta > 0 ? next + sigma * Math.Sqrt(Zeta) * run.Noise(x) : next;
        };
    }

    // The minimum over k of ‖y − k ∗ x‖² + γ ‖k − k'‖², cut to what a kernel may be.
    private Tensor Fit(Tensor x, Tensor kernel, double inertia)
    {
        long h = x.shape[2], w = x.shape[3], half = Support / 2;
        Tensor picture = fft.fft2(x), measured = fft.fft2(Y), before = Blur.Transfer(kernel, h, w);
        var power = picture.abs().square().sum([1L], keepdim: true);
        var gamma = inertia * power.mean([2, 3], keepdim: true);
        var fitted = ((picture.conj() * measured).sum([1L], keepdim: true) + gamma * before) / (power + gamma);
        var k = real(fft.ifft2(fitted)).roll([half, half], [-2, -1]).narrow(2, 0, Support).narrow(3, 0, Support).clamp_min(0);
        return k / k.sum([2, 3], keepdim: true).clamp_min(1e-12);
    }

    // The minimum over z of ‖y − k ∗ z‖² + ρ ‖z − x‖².
    private Tensor Deblur(Tensor x, Tensor kernel, double ridge)
    {
        var transfer = Blur.Transfer(kernel, x.shape[2], x.shape[3]);
        var residual = fft.fft2(Y) - transfer * fft.fft2(x);
        return x + real(fft.ifft2(transfer.conj() * residual / (transfer.abs().square() + ridge)));
    }
}
