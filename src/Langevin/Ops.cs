using TorchSharp;
using static TorchSharp.torch;

namespace Langevin;

/// <summary>
/// Operations on whole lists of tensors and other kernels that libtorch has but TorchSharp does not bind. They run as
/// TorchScript compiled once; each has a managed fallback with the same result.
/// </summary>
/// <remarks>
/// A script that does not compile ends the process, so these texts are constants that tests run. Should another libtorch
/// lack one of their operators, setting LANGEVIN_SCRIPTS=off selects the fallbacks. Callers hold a no-grad guard.
/// </remarks>
internal static class Ops
{
    // Raw data pointers go to the fused kernel: gradients and moments must share the parameter's strides.
    private const string Source = """
        def fused_adamw(p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], step: Tensor,
                        lr: float, beta1: float, beta2: float, weight_decay: float, eps: float):
            step.add_(1)
            steps: List[Tensor] = []
            none: List[Tensor] = []
            for i in range(len(p)):
                steps.append(step)
                if g[i].stride() != p[i].stride():
                    g[i] = torch.empty_like(p[i]).copy_(g[i])
            torch._fused_adamw_(p, g, m, v, none, steps, lr=lr, beta1=beta1, beta2=beta2,
                                weight_decay=weight_decay, eps=eps, amsgrad=False, maximize=False)
            return step

        def foreach_lerp(a: List[Tensor], b: List[Tensor], weight: float):
            torch._foreach_lerp_(a, b, weight)
            return a[0]

        def foreach_copy(a: List[Tensor], b: List[Tensor]):
            torch._foreach_copy_(a, b)
            return a[0]

        def foreach_scale(a: List[Tensor], factor: Tensor):
            torch._foreach_mul_(a, factor)
            return a[0]

        def foreach_norm(a: List[Tensor]):
            return torch.stack(torch._foreach_norm(a, 2)).norm()

        def channels_last(x: Tensor):
            return x.contiguous(memory_format=2)

        """; // the parser wants the last line ended

    private static readonly Lazy<torch.jit.CompilationUnit> Unit = new(() => jit.compile(Source));

    /// <summary>Whether scripts run; the fallbacks do otherwise.</summary>
    public static bool Scripts { get; set; } =
        Environment.GetEnvironmentVariable("LANGEVIN_SCRIPTS") is not ("off" or "0" or "false");

    /// <summary>One AdamW step (Loshchilov and Hutter 2019, algorithm 2) over all parameters, in place; adds one to <paramref name="step"/>.</summary>
    /// <param name="parameters">Parameters θ.</param>
    /// <param name="gradients">Their gradients, same shapes and type.</param>
    /// <param name="first">First moments m.</param>
    /// <param name="second">Second moments v.</param>
    /// <param name="step">Number of steps made, a float32 scalar.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="beta1">Decay of m.</param>
    /// <param name="beta2">Decay of v.</param>
    /// <param name="weightDecay">Decoupled weight decay, multiplied by the rate.</param>
    /// <param name="epsilon">Added to √v̂.</param>
    public static void AdamW(Tensor[] parameters, Tensor[] gradients, Tensor[] first, Tensor[] second, Tensor step,
        double rate, double beta1, double beta2, double weightDecay, double epsilon)
    {
        if (parameters.Length == 0) return;
        using var scope = NewDisposeScope();
        if (Scripts)
        {
            Call("fused_adamw", parameters, gradients, first, second, step, rate, beta1, beta2, weightDecay, epsilon);
            return;
        }
        step.add_(1);
        double t = step.item<float>();
        double correction1 = 1 - Math.Pow(beta1, t), correction2 = Math.Sqrt(1 - Math.Pow(beta2, t));
        for (int i = 0; i < parameters.Length; i++)
        {
            using var inner = NewDisposeScope();
            var (p, g, m, v) = (parameters[i], gradients[i], first[i], second[i]);
            p.mul_(1 - rate * weightDecay);
            m.lerp_(g, 1 - beta1);
            v.mul_(beta2).addcmul_(g, g, 1 - beta2);
            p.addcdiv_(m, v.sqrt().div_(correction2).add_(epsilon), -rate / correction1);
        }
    }

    /// <summary>aᵢ ← aᵢ + w·(bᵢ − aᵢ) in place.</summary>
    public static void Lerp(Tensor[] a, Tensor[] b, double weight)
    {
        if (a.Length == 0) return;
        using var scope = NewDisposeScope();
        if (Scripts) Call("foreach_lerp", a, b, weight);
        else
            for (int i = 0; i < a.Length; i++) a[i].lerp_(b[i], weight);
    }

    /// <summary>aᵢ ← bᵢ in place; types and devices may differ, shapes may not.</summary>
    public static void Copy(Tensor[] a, Tensor[] b)
    {
        if (a.Length == 0) return;
        using var scope = NewDisposeScope();
        if (Scripts) Call("foreach_copy", a, b);
        else
            for (int i = 0; i < a.Length; i++) a[i].copy_(b[i]);
    }

    /// <summary>aᵢ ← f·aᵢ in place, for a scalar tensor f, so that nothing waits for its value.</summary>
    public static void Scale(Tensor[] a, Tensor factor)
    {
        if (a.Length == 0) return;
        using var scope = NewDisposeScope();
        if (Scripts) Call("foreach_scale", a, factor);
        else
            for (int i = 0; i < a.Length; i++) a[i].mul_(factor);
    }

    /// <summary>√Σᵢ‖aᵢ‖², a scalar tensor.</summary>
    public static Tensor Norm(Tensor[] a)
    {
        if (a.Length == 0) return zeros([]);
        using var scope = NewDisposeScope();
        // A lone array would be taken for the argument list itself.
        var norm = Scripts ? (Tensor)Call("foreach_norm", (object)a) : stack([.. a.Select(t => t.norm())]).norm();
        return norm.MoveToOuterDisposeScope();
    }

    /// <summary>The same [N, C, H, W] values with the channel running fastest in memory; differentiable.</summary>
    public static Tensor ChannelsLast(Tensor x)
    {
        if (x.dim() != 4) throw new ArgumentException($"Channels-last needs [N, C, H, W], got {x.dim()} dimensions.", nameof(x));
        using var scope = NewDisposeScope();
        var result = Scripts ? (Tensor)Call("channels_last", x) : x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        return result.MoveToOuterDisposeScope();
    }

    // TorchSharp makes native scalars of numbers and lets go of them before the call: a collection in between would free them. These
    // are held until it has returned.
    private static object Call(string name, params object[] arguments)
    {
        object[] held = [.. arguments.Select(a => a is double number ? number.ToScalar() : a)];
        object result = Unit.Value.invoke(name, held);
        foreach (var scalar in held.OfType<Scalar>()) scalar.Dispose();
        GC.KeepAlive(held); // and so are the tensors
        return result;
    }
}
