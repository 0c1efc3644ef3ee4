using Langevin.Metrics.Extractors;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Evaluation;

/// <summary>The networks that the user's weight files make; null where a file is missing.</summary>
internal sealed record ImageNetworks(InceptionExtractor? Inception, Lpips? Lpips, Dists? Dists) : IDisposable
{
    public static ImageNetworks From(FolderRequest request)
    {
        var files = new List<WeightFile>();
        try
        {
            foreach (string path in request.Weights) files.Add(WeightFile.Open(path));
            if (files.Find(f => f.Kind == WeightKind.Unknown) is { } unknown)
                throw new InvalidDataException($"--weights {unknown.Path}: of no known network: expected the FID Inception, VGG16, AlexNet, LPIPS heads or DISTS weights.");
            WeightFile? One(params WeightKind[] kinds) => files.Find(f => kinds.Contains(f.Kind));
            var (inception, dists) = (One(WeightKind.Inception), One(WeightKind.Dists));
            var (vgg, alex, vggHeads, alexHeads) = (One(WeightKind.Vgg16), One(WeightKind.AlexNet), One(WeightKind.LpipsVgg), One(WeightKind.LpipsAlex));
            return new(
                inception is null ? null : InceptionExtractor.From(inception, InceptionResize.TensorFlow, request.Device),
                alex is not null && alexHeads is not null ? Heads(alex, alexHeads) : vgg is not null && vggHeads is not null ? Heads(vgg, vggHeads) : null,
                vgg is not null && dists is not null ? Langevin.Metrics.Extractors.Dists.From(vgg, dists, request.Device) : null);
        }
        finally
        {
            foreach (var file in files) file.Dispose();
        }

        Lpips Heads(WeightFile body, WeightFile heads) => Langevin.Metrics.Extractors.Lpips.From(body, heads, request.Device);
    }

    /// <summary>Name and hash of those that the pair measures use.</summary>
    public IEnumerable<(string, string)> Used(IReadOnlyList<string> measures)
    {
        if (Lpips is { } l && measures.Contains("lpips")) yield return (l.Name, l.Hash);
        if (Dists is { } d && measures.Contains("dists")) yield return (d.Name, d.Hash);
    }

    public void Dispose()
    {
        Inception?.Dispose();
        Lpips?.Dispose();
        Dists?.Dispose();
    }
}
