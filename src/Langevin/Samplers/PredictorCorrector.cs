namespace Langevin.Samplers;

/// <summary>
/// Predictor–corrector sampling (Song et al. 2021, algorithm 1; survey equation 10): at each time the corrector brings the
/// batch closer to p_t, then the predictor moves it on.
/// </summary>
/// <param name="Predictor">What moves from t to s; none leaves annealed Langevin dynamics.</param>
/// <param name="Corrector">What corrects at t.</param>
public sealed record PredictorCorrector(Sampler? Predictor, Corrector? Corrector) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        var predict = Predictor?.Begin(run) ?? ((x, _, _) => x);
        return (x, t, s) => predict(Corrector?.Correct(run, x, t, s) ?? x, t, s);
    }
}
