using Langevin.Metrics.Judging;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public class JudgeLeakTests
{
    [Fact]
    public void A_judge_and_its_reports_leave_no_tensors()
    {
        using var scope = NewDisposeScope();
        var (x, labels) = (rand(120, 1, 12, 12), arange(120, int64) % 3);
        var real = new RealSet(x.narrow(0, 0, 60), labels.narrow(0, 0, 60), x.narrow(0, 60, 60), labels.narrow(0, 60, 60), 3);
        var few = new ReportOptions { Resamples = 10, Draws = 2, Subsets = 2, SubsetSize = 20 };
        Judge Make() => Judge.For(real, new() { Steps = 3, BatchSize = 20 }, JudgeCache.None);
        Leak.None(() =>
        {
            using var judge = Make();
            judge.Report(x, labels, few);
        });
        // What scopes do not see, the count of the process does; making a module miscounts there, so the judge is made first.
        using var kept = Make();
        kept.Report(x, labels, few);
        long before = Tensor.TotalCount;
        kept.Report(x, labels, few);
        Assert.Equal(before, Tensor.TotalCount);
    }
}
