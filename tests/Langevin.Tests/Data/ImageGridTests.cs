using Langevin.Data;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class ImageGridTests
{
    private static Tensor Bytes(Tensor loaded) => loaded.add(1).mul(127.5f).round();

    [Theory, InlineData(1), InlineData(3)]
    public void A_single_image_comes_back_to_the_bit(int channels)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var generator = new Generator((ulong)channels);
        var image = randint(0, 256, [channels, 13, 9], ScalarType.Float32, generator: generator);
        ImageGrid.Save(folder["sub/a.png"], image / 127.5f - 1);
        var back = ImageFile.Load(folder["sub/a.png"]);
        Assert.Equal([channels, 13L, 9], back.shape);
        Assert.True(Bytes(back).eq(image).all().item<bool>());
        Assert.Single(Directory.GetFiles(folder["sub"]));
    }

    [Fact]
    public void Images_lie_row_by_row_with_white_between()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        // Five images of one grey level each, in rows of 2, twice as large.
        var images = (arange(5, ScalarType.Float32) * 50 / 127.5f - 1).view(5, 1, 1, 1).expand(5, 1, 2, 3);
        ImageGrid.Save(folder["a.png"], images, columns: 2, padding: 1, zoom: 2);
        var sheet = Bytes(ImageFile.Load(folder["a.png"]))[0];
        Assert.Equal([14L, 13], sheet.shape);
        float At(int row, int column) => sheet[row, column].item<float>();
        Assert.Equal((0, 0, 255, 50), (At(0, 0), At(3, 5), At(0, 6), At(0, 7)));
        Assert.Equal((255, 100, 150, 200), (At(4, 0), At(5, 0), At(8, 12), At(10, 0)));
        Assert.Equal(255, At(10, 7));
    }

    [Fact]
    public void Values_beyond_the_range_are_cut_off_and_NaN_is_black()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        ImageGrid.Save(folder["a.png"], tensor(new[] { -9f, 9, float.NaN, float.PositiveInfinity, 0 }).view(1, 1, 5));
        Assert.Equal([0f, 255, 0, 255, 128], Bytes(ImageFile.Load(folder["a.png"])).flatten().data<float>().ToArray());
    }

    [Fact]
    public void What_is_no_image_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("[1, 2, 5, 5]", Assert.Throws<ArgumentException>(() => ImageGrid.Png(zeros(2, 5, 5))).Message);
        Assert.Throws<ArgumentException>(() => ImageGrid.Png(zeros(1, 1, 5, 5, ScalarType.Byte)));
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageGrid.Png(zeros(1, 1, 5, 5), columns: 0));
        Assert.Contains("16384", Assert.Throws<ArgumentException>(() => ImageGrid.Png(zeros(1, 1, 200, 200), zoom: 100)).Message);
    }

    [Fact]
    public void Nothing_is_left_when_writing_fails()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["taken.png"]);
        Assert.ThrowsAny<Exception>(() => ImageGrid.Save(folder["taken.png"], zeros(1, 2, 2)));
        Assert.Empty(Directory.GetFiles(folder.Path));
        folder.Write("old.txt", "old");
        Assert.Throws<InvalidDataException>(() => AtomicFile.Write(folder["old.txt"], s => { s.WriteByte(1); throw new InvalidDataException(); }));
        Assert.Equal("old", File.ReadAllText(folder["old.txt"]));
        Assert.Single(Directory.GetFiles(folder.Path));
    }
}
