using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>TorchSharp's list of modules, without its namespace, whose layers these here replace.</summary>
internal sealed class ModuleList<T>(params T[] modules) : TorchSharp.Modules.ModuleList<T>(modules) where T : nn.Module;
