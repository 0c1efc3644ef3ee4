using System.Text.Json;
using Langevin.Hub;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>Pickles without PyTorch's container, as <c>pickles/make.py</c> wrote them with Python's own modules, which say what is in them.</summary>
public class PickleTests
{
    internal static string File(string name) => Shared.Own("Hub", "pickles", name);

    [Theory, InlineData("numpy-2"), InlineData("numpy-4"), InlineData("numpy-5"), InlineData("torch-2"), InlineData("torch-5"), InlineData("persistent")]
    public void What_Python_wrote_is_read(string name)
    {
        using var scope = NewDisposeScope();
        var expected = JsonDocument.Parse(System.IO.File.ReadAllText(File("expected.json"))).RootElement.GetProperty(name);
        Assert.True(TorchFile.Is(File(name + ".pkl")));
        var read = TorchFile.Load(File(name + ".pkl"));
        Assert.Equal(expected.EnumerateObject().Select(p => p.Name).Order(), read.Keys.Order());
        foreach (var entry in expected.EnumerateObject())
        {
            var tensor = read[entry.Name];
            Assert.Equal(entry.Value.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64()), tensor.shape);
            Assert.Equal(entry.Value.GetProperty("type").GetString(), tensor.dtype switch { ScalarType.Byte => "uint8", var type => type.ToString().ToLowerInvariant() });
            var values = tensor.to(ScalarType.Float64).flatten();
            Assert.Equal(entry.Value.GetProperty("values").EnumerateArray().Select(v => v.GetDouble()), values.narrow(0, 0, Math.Min(40, values.numel())).data<double>().ToArray());
        }
    }
}
