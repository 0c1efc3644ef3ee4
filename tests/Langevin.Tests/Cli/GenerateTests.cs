using Langevin.Tests.Hub;

namespace Langevin.Tests.Cli;

/// <summary><c>langevin generate</c> on a tiny folder.</summary>
public class GenerateTests
{
    [Fact]
    public async Task Pictures_are_written_and_do_not_depend_on_the_batch()
    {
        using var folder = new TempFolder();
        string model = Path.Combine(folder.Path, "model");
        TinyModels.StableDiffusion(model);
        string[] common = ["generate", "--model", model, "--prompt", "a cat", "--steps", "2", "--seed", "7", "-n", "3", "--sampler", "dpm++2m"];
        var one = await Command.Run([.. common, "--out", Path.Combine(folder.Path, "one")]);
        Assert.True(one.Code == 0, one.Error);
        Assert.Contains("3 pictures", one.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Command.Run([.. common, "--batch", "3", "--out", Path.Combine(folder.Path, "three")])).Code);
        for (int i = 0; i < 3; i++)
        {
            byte[] Read(string where) => File.ReadAllBytes(Path.Combine(folder.Path, where, $"picture-seed7-000{i}.png"));
            Assert.Equal(Read("one"), Read("three"));
        }
    }

    [Theory]
    [InlineData(new[] { "--prompt", "a prompt that is much too long" }, "10 fit")]
    [InlineData(new[] { "--prompt", "a", "--width", "17" }, "multiples of 4")]
    [InlineData(new[] { "--prompt", "a", "--sampler", "best" }, "dpm++2m")]
    [InlineData(new[] { "--prompt", "a", "--karras" }, "--sampler")]
    [InlineData(new[] { "--prompt", "a", "--steps", "0" }, "--steps")]
    public async Task Bad_requests_are_one_line_and_exit_code_2(string[] arguments, string message)
    {
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path);
        await Command.Refuses(["generate", "--model", folder.Path, .. arguments], message);
    }
}
