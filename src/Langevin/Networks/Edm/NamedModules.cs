using static TorchSharp.torch;

namespace Langevin.Networks.Edm;

/// <summary>Modules in order, each under its own name.</summary>
internal sealed class NamedModules() : nn.Module(nameof(NamedModules))
{
    private readonly List<(string Name, nn.Module Module)> items = [];

    public IReadOnlyList<(string Name, nn.Module Module)> Items => items;

    public T Add<T>(string name, T module) where T : nn.Module
    {
        items.Add((name, module));
        register_module(name, module);
        return module;
    }
}
