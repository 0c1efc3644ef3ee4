namespace Langevin.Tests;

public class SmokeTests
{
    [Fact]
    public void Torch_adds() => Assert.Equal(2f, TorchSharp.torch.ones(1).add(1).item<float>());
}
