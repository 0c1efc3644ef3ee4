namespace Langevin.Training;

/// <summary>
/// The learning rate over time as a pure function: the factor on the base rate at a step. A resumed run needs no state of it.
/// </summary>
public abstract record LearningRateSchedule
{
    /// <summary>The factor on the base learning rate.</summary>
    /// <param name="step">Number of optimiser steps made before this one, at least 0.</param>
    public abstract double Factor(long step);

    /// <summary>This schedule after a linear rise over the first steps: factor k/<paramref name="steps"/> at step k, then this schedule from its step 0 on.</summary>
    /// <param name="steps">Length of the rise, at least 0.</param>
    public LearningRateSchedule WithWarmUp(long steps) => new WarmUpSchedule(steps, this);

    private protected static long Positive(long value, string name) =>
        value > 0 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} of a learning-rate schedule must be above 0.");

    private protected static double NonNegative(double value, string name) =>
        value >= 0 && double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} of a learning-rate schedule must be finite and at least 0.");
}

/// <summary>Factor 1 always.</summary>
public sealed record ConstantSchedule : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double Factor(long step) => 1;
}

/// <summary>A linear rise from 0, then another schedule whose step 0 is the rise's end.</summary>
/// <param name="Steps">Length of the rise, at least 0.</param>
/// <param name="Then">What follows.</param>
public sealed record WarmUpSchedule(long Steps, LearningRateSchedule Then) : LearningRateSchedule
{
    /// <inheritdoc cref="WarmUpSchedule" path="/param[@name='Steps']"/>
    public long Steps { get; init; } = Steps >= 0 ? Steps : throw new ArgumentOutOfRangeException(nameof(Steps), Steps, "The warm-up must have at least 0 steps.");

    /// <inheritdoc cref="WarmUpSchedule" path="/param[@name='Then']"/>
    public LearningRateSchedule Then { get; init; } = Then ?? throw new ArgumentNullException(nameof(Then));

    /// <inheritdoc/>
    public override double Factor(long step) => step < Steps ? (double)step / Steps * Then.Factor(0) : Then.Factor(step - Steps);
}

/// <summary>
/// A cosine from 1 to <paramref name="Final"/>: Final + (1 − Final)(1 + cos(2π·Cycles·k/Steps))/2 (Loshchilov and Hutter 2017),
/// half a wave unless <see cref="Cycles"/> says otherwise.
/// </summary>
/// <param name="Steps">Steps from start to end, above 0.</param>
/// <param name="Final">Factor at a trough, at least 0. Default 0.</param>
public sealed record CosineSchedule(long Steps, double Final = 0) : LearningRateSchedule
{
    /// <inheritdoc cref="CosineSchedule" path="/param[@name='Steps']"/>
    public long Steps { get; init; } = Positive(Steps, nameof(Steps));

    /// <inheritdoc cref="CosineSchedule" path="/param[@name='Final']"/>
    public double Final { get; init; } = NonNegative(Final, nameof(Final));

    /// <summary>Number of waves within the steps. Default one half.</summary>
    public double Cycles { get; init; } = 0.5;

    /// <summary>Whether steps beyond the end keep the end's factor (default) or follow the wave on.</summary>
    public bool Hold { get; init; } = true;

    /// <inheritdoc/>
    public override double Factor(long step)
    {
        double progress = (double)step / Steps;
        return Final + (1 - Final) * 0.5 * (1 + Math.Cos(2 * Math.PI * Cycles * (Hold ? Math.Min(progress, 1) : progress)));
    }
}

/// <summary>Falling half cosines that start again at 1, and 0 after the last (Loshchilov and Hutter 2017).</summary>
/// <param name="Steps">Steps of all of them together, above 0.</param>
/// <param name="Cycles">How many, above 0.</param>
public sealed record CosineRestartsSchedule(long Steps, int Cycles) : LearningRateSchedule
{
    /// <inheritdoc cref="CosineRestartsSchedule" path="/param[@name='Steps']"/>
    public long Steps { get; init; } = Positive(Steps, nameof(Steps));

    /// <inheritdoc cref="CosineRestartsSchedule" path="/param[@name='Cycles']"/>
    public int Cycles { get; init; } = (int)Positive(Cycles, nameof(Cycles));

    /// <inheritdoc/>
    public override double Factor(long step) =>
        step >= Steps ? 0 : 0.5 * (1 + Math.Cos(Math.PI * ((double)step / Steps * Cycles % 1)));
}

/// <summary>Final + (1 − Final)(1 − k/Steps)^Power, and Final afterwards; the power 1 is a straight line.</summary>
/// <param name="Steps">Steps from start to end, above 0.</param>
/// <param name="Final">Factor at the end, at least 0. Default 0.</param>
/// <param name="Power">Exponent, at least 0. Default 1.</param>
public sealed record PolynomialSchedule(long Steps, double Final = 0, double Power = 1) : LearningRateSchedule
{
    /// <inheritdoc cref="PolynomialSchedule" path="/param[@name='Steps']"/>
    public long Steps { get; init; } = Positive(Steps, nameof(Steps));

    /// <inheritdoc cref="PolynomialSchedule" path="/param[@name='Final']"/>
    public double Final { get; init; } = NonNegative(Final, nameof(Final));

    /// <inheritdoc cref="PolynomialSchedule" path="/param[@name='Power']"/>
    public double Power { get; init; } = NonNegative(Power, nameof(Power));

    /// <inheritdoc/>
    public override double Factor(long step) =>
        step >= Steps ? Final : Final + (1 - Final) * Math.Pow(1 - (double)step / Steps, Power);
}

/// <summary>
/// Linear rise, then the inverse square root of time (Karras et al. 2024, EDM2):
/// min(k/RampUp, 1) / √max(k/Reference, 1).
/// </summary>
/// <param name="Reference">Step at which the decay begins, above 0.</param>
/// <param name="RampUp">Length of the rise, at least 0. Default 0.</param>
public sealed record InverseSquareRootSchedule(long Reference, long RampUp = 0) : LearningRateSchedule
{
    /// <inheritdoc cref="InverseSquareRootSchedule" path="/param[@name='Reference']"/>
    public long Reference { get; init; } = Positive(Reference, nameof(Reference));

    /// <inheritdoc cref="InverseSquareRootSchedule" path="/param[@name='RampUp']"/>
    public long RampUp { get; init; } = RampUp >= 0 ? RampUp : throw new ArgumentOutOfRangeException(nameof(RampUp), RampUp, "The ramp must have at least 0 steps.");

    /// <inheritdoc/>
    public override double Factor(long step) =>
        (step < RampUp ? (double)step / RampUp : 1) / Math.Sqrt(Math.Max((double)step / Reference, 1));
}

/// <summary>Constant pieces.</summary>
/// <param name="Pieces">Pairs (Until, Factor) in ascending order: the factor for steps below Until.</param>
/// <param name="Final">Factor after the last piece, at least 0.</param>
public sealed record PiecewiseSchedule(IReadOnlyList<(long Until, double Factor)> Pieces, double Final) : LearningRateSchedule
{
    /// <inheritdoc cref="PiecewiseSchedule" path="/param[@name='Pieces']"/>
    public IReadOnlyList<(long Until, double Factor)> Pieces { get; init; } =
        Pieces.Zip(Pieces.Skip(1)).All(p => p.First.Until < p.Second.Until) ? Pieces
            : throw new ArgumentException("The pieces of a learning-rate schedule must end at ascending steps.", nameof(Pieces));

    /// <inheritdoc/>
    public override double Factor(long step)
    {
        foreach (var (until, factor) in Pieces)
            if (step < until) return factor;
        return Final;
    }
}
