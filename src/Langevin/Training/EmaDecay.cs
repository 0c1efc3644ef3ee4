namespace Langevin.Training;

/// <summary>How much of the average stays at each update: ema ← β·ema + (1 − β)·θ.</summary>
public abstract record EmaDecay
{
    /// <summary>β at the update after the <paramref name="step"/>-th optimiser step, in [0, 1].</summary>
    /// <param name="step">Number of optimiser steps made, at least 1 at the first update.</param>
    public abstract double At(long step);

    private protected static double Share(double value, string name) =>
        value is >= 0 and <= 1 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} of an average must lie in [0, 1].");
}

/// <summary>The same β at every step: an exponential average from the first weights on.</summary>
/// <param name="Decay">β in [0, 1].</param>
public sealed record ConstantEma(double Decay) : EmaDecay
{
    /// <inheritdoc cref="ConstantEma" path="/param[@name='Decay']"/>
    public double Decay { get; init; } = Share(Decay, nameof(Decay));

    /// <inheritdoc/>
    public override double At(long step) => Decay;
}

/// <summary>
/// A β that rises with time and stays below a limit, so that early weights are forgotten:
/// (1 + s)/(10 + s) unless <see cref="Power"/> is given, then 1 − (1 + s/InverseGamma)^−Power; s counts from <see cref="After"/>.
/// </summary>
/// <param name="Limit">Largest β, in [0, 1]. Default 0.9999.</param>
public sealed record WarmUpEma(double Limit = 0.9999) : EmaDecay
{
    /// <inheritdoc cref="WarmUpEma" path="/param[@name='Limit']"/>
    public double Limit { get; init; } = Share(Limit, nameof(Limit));

    /// <summary>Smallest β once averaging has begun, in [0, 1]. Default 0.</summary>
    public double Floor { get; init; }

    /// <summary>Updates before it copy the weights. Default 0.</summary>
    public long After { get; init; }

    /// <summary>Exponent of the power form (2/3 suits a million steps and more, 3/4 fewer); null for the rational form.</summary>
    public double? Power { get; init; }

    /// <summary>Time scale of the power form, in steps. Default 1.</summary>
    public double InverseGamma { get; init; } = 1;

    /// <inheritdoc/>
    public override double At(long step)
    {
        double s = Math.Max(0, step - After - 1);
        if (s <= 0) return 0;
        double rising = Power is { } power ? 1 - Math.Pow(1 + s / InverseGamma, -power) : (1 + s) / (10 + s);
        return Math.Max(Math.Min(rising, Limit), Floor);
    }
}

/// <summary>
/// The power-function average of EDM2 (Karras et al. 2024, section 3.1): the weights of step t count as t^γ, so that the
/// average's width stays a fixed share of the training's length, whatever that is. β(t) = (1 − 1/t)^(γ+1).
/// </summary>
/// <param name="Width">Relative standard deviation of the profile, in (0, 0.2886); 0.05 to 0.10 is usual.</param>
public sealed record PowerEma(double Width = 0.05) : EmaDecay
{
    /// <inheritdoc cref="PowerEma" path="/param[@name='Width']"/>
    public double Width { get; init; } = PowerProfile.Exponent(Width) >= 0 ? Width : 0;

    /// <inheritdoc/>
    public override double At(long step) => step <= 1 ? 0 : PowerProfile.Decay(PowerProfile.Exponent(Width), step, 1);
}
