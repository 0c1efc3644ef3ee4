using Langevin.Data.Formats;
using Langevin.Manifolds;
using static TorchSharp.torch;

namespace Langevin.Systems.Geometry;

/// <summary>Points on the sphere, a part to learn from and one to be judged on; float64 [N, 3].</summary>
/// <param name="Name">A short name.</param>
/// <param name="Training">What is learnt from.</param>
/// <param name="HeldOut">What no training saw.</param>
internal sealed record SpherePoints(string Name, Tensor Training, Tensor HeldOut)
{
    private static readonly (string File, string Name)[] Earth = [("flood.csv", "floods"), ("quakes_all.csv", "earthquakes"), ("fire.csv", "fires"), ("volerup.csv", "eruptions")];

    /// <summary>A mixture of five heat kernels, from narrow to wide.</summary>
    public static HeatMixture Mixture()
    {
        using var scope = NewDisposeScope();
        var centres = new Sphere().Project(tensor(new[,] { { 0, 0, 1.0 }, { 1, 0.2, 0 }, { -0.5, 1, -0.3 }, { -0.4, -0.8, 0.4 }, { 0.3, -0.6, -0.9 } }));
        return new(new Sphere(), tensor([0.15, 0.3, 0.2, 0.25, 0.1]), centres, tensor([0.02, 0.05, 0.01, 0.15, 0.03]));
    }

    /// <summary>Draws from the mixture.</summary>
    public static SpherePoints OfMixture(Trial trial)
    {
        using var mixture = Mixture();
        using var generator = new Generator(1);
        int test = trial.Count(400, 1000);
        var all = mixture.Draw(trial.Pick(100, 4000, 8000) + test, 60, generator);
        return new("mixture", all[test..], all[..test]);
    }

    /// <summary>Places on earth, where the bench has them, for the first seed: a fifth is held out.</summary>
    public static IEnumerable<SpherePoints> OfEarth(Trial trial)
    {
        foreach (var (file, name) in Earth.Take(trial.Seed == 0 ? trial.Pick(1, 1, Earth.Length) : 0))
        {
            if (trial.RealData(Path.Combine("earth_s2", file)) is not { } path) continue;
            using var table = Csv.Open(path);
            // Latitude and longitude in degrees.
            var radians = table.Items.to(ScalarType.Float64) * (Math.PI / 180);
            Tensor latitude = radians[.., 0], longitude = radians[.., 1];
            var x = stack([latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()], 1);
            using var generator = new Generator(1);
            x = x.index_select(0, randperm(x.size(0), generator: generator));
            int test = (int)Math.Min(x.size(0) / 5, trial.Count(400, 1000));
            yield return new(name, x[test..], x[..test]);
        }
    }

    /// <summary>Longitude and latitude in degrees, [N, 2].</summary>
    public static Tensor Map(Tensor x) => WrappedTensorDisposeScope(() => stack([atan2(x[.., 1], x[.., 0]), x[.., 2].clamp(-1, 1).asin()], 1) * (180 / Math.PI));
}
