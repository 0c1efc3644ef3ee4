using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>TorchSharp's list of modules, without its namespace, whose layers these here replace.</summary>
internal sealed class ModuleList<T>(params T[] modules) : TorchSharp.Modules.ModuleList<T>(modules) where T : nn.Module;

/// <summary>Layers one after another.</summary>
internal static class ModuleLists
{
    public static Tensor Through(this ModuleList<nn.Module<Tensor, Tensor>> layers, Tensor x) => layers.Aggregate(x, (h, layer) => layer.call(h));
}
