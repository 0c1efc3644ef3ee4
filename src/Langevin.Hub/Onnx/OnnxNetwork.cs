using Langevin.Networks;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Hub.Onnx;

/// <summary>
/// A network that ONNX Runtime computes: under a formulation (<c>formulation.Denoiser(network)</c>) it is a denoiser that every sampler,
/// guidance and pipeline takes. Reads <see cref="OnnxExport"/>'s files and others with the same inputs.
/// </summary>
/// <remarks>The runtime's native library is the program's to choose: reference Microsoft.ML.OnnxRuntime, or one of its kin for accelerators. Nothing is differentiated.</remarks>
public sealed class OnnxNetwork : Network
{
    private readonly InferenceSession session;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">The runtime's options; its own when null.</param>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or has other inputs than a network of this project.</exception>
    public OnnxNetwork(string path, SessionOptions? options = null) : base(nameof(OnnxNetwork))
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"No file '{path}'.", path);
        try
        {
            session = options is null ? new(path) : new(path, options);
        }
        catch (OnnxRuntimeException e) { throw new InvalidDataException($"'{path}' cannot be read by ONNX Runtime: {e.Message}", e); }
        if (session.InputMetadata.ContainsKey("x") && session.InputMetadata.ContainsKey("noise") && session.OutputMetadata.Count == 1) return;
        string found = string.Join(", ", session.InputMetadata.Keys);
        session.Dispose();
        throw new InvalidDataException($"'{path}' has the inputs {found}: a network has x and noise, and one output.");
    }

    /// <summary>The names of its inputs.</summary>
    public IReadOnlyCollection<string> Inputs => [.. session.InputMetadata.Keys];

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An input that the network reads is missing, or the runtime refuses a shape.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(condition);
        using var scope = NewDisposeScope();
        var given = new Dictionary<string, OrtValue>();
        try
        {
            foreach (var (name, kind) in session.InputMetadata)
            {
                var value = name switch { "x" => x, "noise" => noise, _ => condition[name] ?? throw new ArgumentException($"The network reads '{name}', and the condition has no such slot.", nameof(condition)) };
                given[name] = kind.ElementType == typeof(long) ? Whole(value) : Real(value);
            }
            using var options = new RunOptions();
            using var answers = session.Run(options, given, session.OutputNames);
            var shape = answers[0].GetTensorTypeAndShape().Shape;
            return tensor(answers[0].GetTensorDataAsSpan<float>().ToArray(), shape).to(x.dtype, x.device).MoveToOuterDisposeScope();
        }
        catch (OnnxRuntimeException e) { throw new ArgumentException($"ONNX Runtime: {e.Message}", e); }
        finally
        {
            foreach (var value in given.Values) value.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) session.Dispose();
        base.Dispose(disposing);
    }

    private static OrtValue Real(Tensor value) => OrtValue.CreateTensorValueFromMemory(value.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray(), value.shape);

    private static OrtValue Whole(Tensor value) => OrtValue.CreateTensorValueFromMemory(value.to(ScalarType.Int64).cpu().contiguous().data<long>().ToArray(), value.shape);
}
