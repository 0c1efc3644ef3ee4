namespace Langevin.Metrics.Judging;

/// <summary>How far a judge has come.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all.</param>
public readonly record struct JudgeProgress(string Stage, int Done, int Total);
