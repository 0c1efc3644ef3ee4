using Langevin.Training;

namespace Langevin.Tests.Training;

public class LearningRateScheduleTests
{
    [Fact]
    public void Warm_up_rises_to_the_schedule()
    {
        var schedule = new CosineSchedule(90, 0.1).WithWarmUp(10);
        Assert.Equal(0, schedule.Factor(0));
        Assert.Equal(0.5, schedule.Factor(5), 1e-15);
        Assert.Equal(1, schedule.Factor(10), 1e-15);
        Assert.Equal(0.55, schedule.Factor(55), 1e-12);
        Assert.Equal(0.1, schedule.Factor(100), 1e-12);
        Assert.Equal(0.1, schedule.Factor(5000), 1e-12);
        Assert.Equal(1, new ConstantSchedule().WithWarmUp(0).Factor(0));
    }

    [Fact]
    public void Inverse_square_root_halves_at_four_times_the_reference()
    {
        var schedule = new InverseSquareRootSchedule(100, 20);
        Assert.Equal(0.25, schedule.Factor(5), 1e-15);
        Assert.Equal(1, schedule.Factor(100), 1e-15);
        Assert.Equal(0.5, schedule.Factor(400), 1e-15);
    }

    [Fact]
    public void Schedules_compare_by_value() =>
        Assert.Equal(new CosineSchedule(90, 0.1).WithWarmUp(10), new WarmUpSchedule(10, new CosineSchedule(90, 0.1)));

    [Fact]
    public void Bad_settings_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new CosineSchedule(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CosineSchedule(10, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConstantSchedule().WithWarmUp(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new InverseSquareRootSchedule(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PolynomialSchedule(10, 0, double.NaN));
        Assert.Throws<ArgumentException>(() => new PiecewiseSchedule([(10, 1), (10, 0.5)], 0.1));
    }
}
