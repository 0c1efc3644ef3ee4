using Langevin.Data;
using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class ShapesTests
{
    [Fact]
    public void Scene_i_depends_on_the_seed_and_i_alone()
    {
        using var scope = NewDisposeScope();
        var all = Shapes.Create(200, seed: 5);
        var part = Shapes.Create(40, seed: 5, first: 130);
        long[] some = [.. Enumerable.Range(130, 40).Select(i => (long)i)], own = [.. Enumerable.Range(0, 40).Select(i => (long)i)];
        var (a, b) = (all.Get(some, 0), part.Get(own, 0));
        Assert.True(a.Samples.eq(b.Samples).all().item<bool>());
        Assert.Equal(a.Labels!.data<long>().ToArray(), b.Labels!.data<long>().ToArray());
        Assert.Equal(a.Captions, b.Captions);
        Assert.Equal(all.SceneAt(131).Objects, part.SceneAt(1).Objects);
        Assert.NotEqual(all.SceneAt(131).Objects, all.SceneAt(132).Objects);
        Assert.Equal([3L, 32, 32], all.ItemShape);
    }

    [Fact]
    public void Labels_captions_masks_and_boxes_agree_with_the_picture()
    {
        using var scope = NewDisposeScope();
        var set = Shapes.Create(400, byColor: true);
        var batch = set.Get([.. Enumerable.Range(0, 400).Select(i => (long)i)], 0);
        var seen = new int[4];
        for (int i = 0; i < 400; i++)
        {
            var scene = set.SceneAt(i);
            var main = scene.Objects[0];
            seen[scene.Objects.Count]++;
            Assert.Equal($"{main.Color} {main.Kind}".ToLowerInvariant(), set.ClassNames[(int)batch.Labels![i].item<long>()]);
            Assert.StartsWith($"a {main.SizeWord} {main.Color} {main.Kind}".ToLowerInvariant(), batch.Captions![i]);
            foreach (var o in scene.Objects) Assert.Contains(o.Phrase, batch.Captions[i]);

            byte[] mask = scene.Mask();
            for (int k = 0; k < scene.Objects.Count; k++)
            {
                var box = scene.Objects[k].BoundingBox;
                var inside = Enumerable.Range(0, mask.Length).Where(p => mask[p] == k + 1).ToArray();
                Assert.NotEmpty(inside);
                Assert.All(inside, p => Assert.True(p % 32 + 0.5 >= box.Left && p % 32 + 0.5 <= box.Right && p / 32 + 0.5 >= box.Top && p / 32 + 0.5 <= box.Bottom));
                Assert.All(inside, p => Assert.True(k == 0 || scene.Objects[k].Radius < main.Radius));
            }
            // Background is grey, and the main object's own pixels are all of one colour but for the soft edge.
            var pixels = batch.Samples[i].view(3, -1);
            var background = tensor(mask).eq(0).logical_and(pixels.amax([0L]).sub(pixels.amin([0L])).gt(0.02f));
            Assert.InRange(background.to(ScalarType.Float32).mean().item<float>(), 0, 0.12f);
        }
        Assert.All(seen[1..], n => Assert.InRange(n, 60, 220));
    }

    [Fact]
    public void A_scene_is_drawn_as_it_is_described()
    {
        var target = new byte[3 * 32 * 32];
        var scene = new Scene([new(ShapeKind.Square, ShapeColor.White, 16, 16, 8 * MathF.Sqrt(2), 0)], 0, 0);
        scene.Draw(target);
        // A square of 16 × 16 pixels around the centre.
        Assert.Equal(256, scene.Mask().Count(m => m == 1));
        Assert.Equal(247, target[16 * 32 + 16]);
        Assert.Equal(0, target[16 * 32 + 6]);
        // Twice as large, the same scene has a square of 32 × 32 pixels.
        var large = new byte[3 * 64 * 64];
        scene.Draw(large, 64);
        Assert.Equal(32 * 32, large[..(64 * 64)].Count(v => v == 247));
        Assert.Equal(new Box(8, 8, 24, 24), Round(scene.Objects[0].BoundingBox));
        Assert.Equal("a large white square", scene.Caption);
        var two = scene with { Objects = [new(ShapeKind.Star, ShapeColor.Red, 8, 10, 5, 0), new(ShapeKind.Circle, ShapeColor.Blue, 24, 12, 3, 0)] };
        Assert.Equal("a medium red star left of a small blue circle", two.Caption);
        double circle = new Scene([new(ShapeKind.Circle, ShapeColor.Red, 16, 16, 10, 0)], 0, 0).Mask().Count(m => m == 1);
        Assert.InRange(circle / (Math.PI * 100), 0.98, 1.02);
        double triangle = new Scene([new(ShapeKind.Triangle, ShapeColor.Red, 16, 16, 10, 0.1f)], 0, 0).Mask().Count(m => m == 1);
        Assert.InRange(triangle / (0.75 * Math.Sqrt(3) * 100), 0.96, 1.04);
        Assert.Throws<ArgumentException>(() => scene.Draw(new byte[5]));

        static Box Round(Box b) => new(MathF.Round(b.Left, 3), MathF.Round(b.Top, 3), MathF.Round(b.Right, 3), MathF.Round(b.Bottom, 3));
    }

    [Fact(Explicit = true), Trait("Category", "Slow")]
    public void A_small_classifier_tells_the_shapes_apart()
    {
        using var train = Shapes.Create(20_000, seed: 1);
        using var test = Shapes.Create(800, seed: 1, first: 1_000_000);
        double accuracy = TinyClassifier.Accuracy(train, test, steps: 2500);
        TestContext.Current.TestOutputHelper?.WriteLine($"accuracy {accuracy:p1}");
        Assert.InRange(accuracy, 0.95, 1); // chance is 0.25
    }
}
