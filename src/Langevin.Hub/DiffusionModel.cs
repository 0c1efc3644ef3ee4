using Langevin.Denoisers;
using Langevin.Formulations;
using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>A trained model as a folder holds it: a network under a formulation, ready to denoise.</summary>
/// <param name="Network">The raw network, in evaluation mode.</param>
/// <param name="Formulation">The formulation it was trained under.</param>
/// <param name="Description">What the folder says of it.</param>
public sealed record DiffusionModel(Network Network, Formulation Formulation, ModelDescription Description) : IDisposable
{
    /// <summary>The network read as its formulation means it.</summary>
    public NetworkDenoiser Denoiser { get; } = Formulation.Denoiser(Network);

    /// <summary>Reads a folder in the diffusers layout that Langevin wrote.</summary>
    /// <exception cref="DirectoryNotFoundException">No such folder.</exception>
    /// <exception cref="InvalidDataException">A part is missing, damaged or of another architecture.</exception>
    public static DiffusionModel Load(string folder, Device? device = null)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no model folder '{folder}'.");
        string nested = Path.Combine(folder, "model");
        if (!File.Exists(Path.Combine(folder, "langevin.json")) && Directory.Exists(nested)) folder = nested;
        var description = ModelDescription.Parse(Read(folder, "langevin.json"), Path.Combine(folder, "langevin.json"));
        var network = NetworkConfig.Create(Read(folder, "unet/config.json"));
        try
        {
            string weights = Path.Combine(folder, "unet", "diffusion_pytorch_model.safetensors");
            if (!File.Exists(weights)) throw new InvalidDataException($"The model folder has no weights: '{weights}' is missing.");
            using (NewDisposeScope()) StateDict.Load(network, SafeTensors.Load(weights), $"The weights in '{weights}'");
            network.eval();
            if (device is not null) network.to(device);
            return new(network, Formulation.Create(description.Formulation), description);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Writes the folder: weights first, the description last, each under a temporary name and renamed.</summary>
    /// <param name="folder">Created when missing.</param>
    /// <param name="weights">What to write instead of the network's own weights (averaged ones, say).</param>
    public void Save(string folder, IReadOnlyDictionary<string, Tensor>? weights = null)
    {
        SafeTensors.Save(Path.Combine(folder, "unet", "diffusion_pytorch_model.safetensors"), weights ?? Network.state_dict(), new Dictionary<string, string> { ["format"] = "pt" });
        AtomicFile.WriteAllText(Path.Combine(folder, "unet", "config.json"), NetworkConfig.ToJson(Network));
        var (scheduler, pipeline, config) = SchedulerConfig.Of(Description.Formulation);
        AtomicFile.WriteAllText(Path.Combine(folder, "scheduler", "scheduler_config.json"), config);
        AtomicFile.WriteAllText(Path.Combine(folder, "model_index.json"), SchedulerConfig.Index(pipeline, scheduler, Network));
        AtomicFile.WriteAllText(Path.Combine(folder, "langevin.json"), Description.ToJson());
    }

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();

    private static string Read(string folder, string part)
    {
        string path = Path.Combine(folder, part);
        return File.Exists(path) ? File.ReadAllText(path) : throw new InvalidDataException($"'{folder}' is no model folder: it has no {part}.");
    }
}
