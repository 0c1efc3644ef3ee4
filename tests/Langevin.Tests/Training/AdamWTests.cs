using Langevin.Training;
using TorchSharp;
using AdamW = Langevin.Training.AdamW;
using Parameter = TorchSharp.Modules.Parameter;
using static TorchSharp.torch;

namespace Langevin.Tests.Training;

public class AdamWTests
{
    private static readonly AdamWOptions Options = new() { LearningRate = 0.02, Beta1 = 0.8, Beta2 = 0.97, Epsilon = 1e-6, WeightDecay = 0.1 };

    private static (string Name, Parameter Parameter)[] Parameters(ScalarType type)
    {
        using var generator = new Generator(7);
        return [("a", new Parameter(randn([6, 5], type, generator: generator))), ("b", new Parameter(randn([9], type, generator: generator))),
            ("c", new Parameter(Ops.ChannelsLast(randn([4, 3, 2, 2], type, generator: generator))))];
    }

    // A gradient that depends on the parameter and the step.
    private static void SetGradients((string Name, Parameter Parameter)[] parameters, int k)
    {
        foreach (var (_, p) in parameters)
        {
            var x = p.detach();
            p.grad = (x * (1 + 0.1 * k)).sin() + 0.3 * x;
        }
    }

    // The definition, element by element, in double.
    private static double[][] Definition(int steps)
    {
        var theta = Parameters(ScalarType.Float64).Select(p => p.Parameter.detach().contiguous().data<double>().ToArray()).ToArray();
        var m = theta.Select(t => new double[t.Length]).ToArray();
        var v = theta.Select(t => new double[t.Length]).ToArray();
        for (int k = 0; k < steps; k++)
            for (int i = 0; i < theta.Length; i++)
                for (int j = 0; j < theta[i].Length; j++)
                {
                    double g = Math.Sin(theta[i][j] * (1 + 0.1 * k)) + 0.3 * theta[i][j], rate = Rate(k);
                    m[i][j] = Options.Beta1 * m[i][j] + (1 - Options.Beta1) * g;
                    v[i][j] = Options.Beta2 * v[i][j] + (1 - Options.Beta2) * g * g;
                    double first = m[i][j] / (1 - Math.Pow(Options.Beta1, k + 1)), second = v[i][j] / (1 - Math.Pow(Options.Beta2, k + 1));
                    theta[i][j] -= rate * (first / (Math.Sqrt(second) + Options.Epsilon) + Options.WeightDecay * theta[i][j]);
                }
        return theta;
    }

    private static double Rate(int k) => Options.LearningRate * (1 + k % 3);

    private static void Run(AdamW optimizer, (string Name, Parameter Parameter)[] parameters, int from, int to)
    {
        for (int k = from; k < to; k++)
        {
            using var scope = NewDisposeScope();
            SetGradients(parameters, k);
            optimizer.LearningRate = Rate(k);
            optimizer.Step();
        }
    }

    [Theory]
    [InlineData(ScalarType.Float64, true, 1e-11)]
    [InlineData(ScalarType.Float64, false, 1e-11)]
    [InlineData(ScalarType.Float32, true, 2e-5)]
    [InlineData(ScalarType.Float32, false, 2e-5)]
    public void Fifty_steps_follow_the_definition(ScalarType type, bool scripts, double tolerance)
    {
        using var scope = NewDisposeScope();
        bool before = Ops.Scripts;
        Ops.Scripts = scripts;
        try
        {
            var parameters = Parameters(ScalarType.Float64).Select(p => (p.Name, new Parameter(p.Parameter.detach().to(type)))).ToArray();
            using var optimizer = new AdamW(parameters, Options);
            Run(optimizer, parameters, 0, 50);
            Assert.Equal(50, optimizer.StepCount);
            var expected = Definition(50);
            for (int i = 0; i < expected.Length; i++)
            {
                var got = parameters[i].Item2.detach().contiguous().to(ScalarType.Float64).data<double>().ToArray();
                for (int j = 0; j < got.Length; j++) Assert.Equal(expected[i][j], got[j], tolerance);
            }
        }
        finally { Ops.Scripts = before; }
    }

    [Theory]
    [InlineData(ScalarType.Float64, 1e-12)]
    [InlineData(ScalarType.Float32, 1e-5)]
    public void Agrees_with_TorchSharp(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        var (ours, theirs) = (Parameters(type), Parameters(type));
        using var optimizer = new AdamW(ours, Options);
        using var other = optim.AdamW(theirs.Select(p => p.Parameter), Options.LearningRate, Options.Beta1, Options.Beta2, Options.Epsilon, Options.WeightDecay);
        for (int k = 0; k < 50; k++)
        {
            using var inner = NewDisposeScope();
            SetGradients(ours, k);
            SetGradients(theirs, k);
            optimizer.Step();
            other.step();
        }
        foreach (var (a, b) in ours.Zip(theirs))
            Assert.True((a.Parameter - b.Parameter).abs().max().to(ScalarType.Float64).item<double>() < tolerance, a.Name);
    }

    [Fact]
    public void Resumes_to_the_same_bits()
    {
        using var scope = NewDisposeScope();
        var whole = Parameters(ScalarType.Float32);
        using var straight = new AdamW(whole, Options);
        Run(straight, whole, 0, 20);

        var first = Parameters(ScalarType.Float32);
        using var before = new AdamW(first, Options);
        Run(before, first, 0, 11);
        var saved = before.State().ToDictionary(s => s.Key, s => s.Value.contiguous().clone());
        Assert.Equal(["exp_avg.a", "exp_avg.b", "exp_avg.c", "exp_avg_sq.a", "exp_avg_sq.b", "exp_avg_sq.c", "step"], saved.Keys.Order(StringComparer.Ordinal));
        var second = first.Select(p => (p.Name, new Parameter(p.Parameter.detach().clone()))).ToArray();
        using var after = new AdamW(second, Options);
        after.Load(saved);
        Run(after, second, 11, 20);
        foreach (var (a, b) in whole.Zip(second)) Assert.True(a.Parameter.SameAs(b.Item2), a.Name);
    }

    [Fact]
    public void A_parameter_without_gradient_is_left_alone()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters(ScalarType.Float32);
        var before = parameters.Select(p => p.Parameter.detach().clone()).ToArray();
        using var optimizer = new AdamW(parameters, Options);
        SetGradients(parameters, 0);
        parameters[1].Parameter.grad = null;
        optimizer.Step();
        Assert.False(parameters[0].Parameter.SameAs(before[0]));
        Assert.True(parameters[1].Parameter.SameAs(before[1]));
        Assert.False(parameters[2].Parameter.SameAs(before[2]));
        optimizer.ZeroGrad();
        Assert.All(parameters, p => Assert.Null(p.Parameter.grad));
        optimizer.Step();
        Assert.Equal(1, optimizer.StepCount);
    }

    [Fact]
    public void Gradients_of_another_layout_count_where_they_belong()
    {
        using var scope = NewDisposeScope();
        var parameter = new Parameter(Ops.ChannelsLast(zeros(2, 3, 2, 2)));
        using var optimizer = new AdamW([("w", parameter)], new() { LearningRate = 1, WeightDecay = 0 });
        var gradient = randn(2, 3, 2, 2);
        parameter.grad = gradient;
        optimizer.Step();
        Assert.True(parameter.detach().allclose(-gradient.sign(), 1e-4), "the first step is −rate·sign(g)");
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(100.0)]
    [InlineData(double.PositiveInfinity)]
    public void Clipping_scales_to_the_norm(double maxNorm)
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters(ScalarType.Float64);
        SetGradients(parameters, 3);
        var before = parameters.Select(p => p.Parameter.grad!.clone()).ToArray();
        double norm = Math.Sqrt(before.Sum(g => g.pow(2).sum().item<double>()));
        var returned = AdamW.ClipGradients(parameters.Select(p => p.Parameter), maxNorm);
        Assert.Empty(returned.shape);
        Assert.Equal(norm, returned.item<double>(), norm * 1e-12);
        double factor = Math.Min(1, maxNorm / (norm + 1e-6));
        foreach (var (p, g) in parameters.Zip(before)) Assert.True(p.Parameter.grad!.allclose(g * factor, 1e-12, 1e-14));
    }

    [Fact]
    public void Bad_settings_and_states_are_refused()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters(ScalarType.Float32);
        foreach (var bad in (AdamWOptions[])[new() { LearningRate = -1 }, new() { Beta1 = 1 }, new() { Beta2 = -0.1 }, new() { Epsilon = 0 }, new() { WeightDecay = double.NaN }])
            Assert.Throws<ArgumentOutOfRangeException>(() => new AdamW(parameters, bad));
        Assert.Throws<ArgumentException>(() => new AdamW([], Options));
        Assert.Throws<ArgumentException>(() => new AdamW([parameters[0], parameters[0]], Options));
        Assert.Throws<ArgumentException>(() => new AdamW([("gaps", new Parameter(randn(4, 4)[.., ..2]))], Options));
        using var optimizer = new AdamW(parameters, Options);
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.LearningRate = double.NaN);
        Assert.Throws<ArgumentOutOfRangeException>(() => AdamW.ClipGradients([], 0));

        SetGradients(parameters, 0);
        optimizer.Step();
        var good = optimizer.State().ToDictionary(s => s.Key, s => s.Value.clone());
        Refused(s => s.Remove("step"));
        Refused(s => s["exp_avg.zzz"] = zeros(1));
        Refused(s => s["exp_avg.a"] = zeros(5, 6));
        Refused(s => s["exp_avg_sq.b"] = zeros(9, ScalarType.Float64));
        foreach (var (name, value) in optimizer.State()) Assert.True(value.SameAs(good[name]), name);

        void Refused(Action<Dictionary<string, Tensor>> spoil)
        {
            var state = good.ToDictionary(s => s.Key, s => s.Value.zeros_like());
            spoil(state);
            Assert.Throws<InvalidDataException>(() => optimizer.Load(state));
        }
    }

    [Fact]
    public void Steps_leak_nothing()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters(ScalarType.Float32);
        using var optimizer = new AdamW(parameters, Options);
        Once();
        long before = Tensor.TotalCount;
        for (int i = 0; i < 50; i++) Once();
        Assert.InRange(Tensor.TotalCount, 0, before);

        void Once()
        {
            using var inner = NewDisposeScope();
            SetGradients(parameters, 1);
            AdamW.ClipGradients(parameters.Select(p => p.Parameter), 1);
            optimizer.Step();
            optimizer.ZeroGrad();
        }
    }
}
