using System.CommandLine;
using Langevin.Hub;
using Langevin.Hub.Onnx;
using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin convert IN OUT</c>: weights and models in another format or precision.</summary>
internal static class ConvertCommand
{
    public static Command Create(Terminal terminal)
    {
        var source = new Argument<string>("in") { Description = "A weights file (.safetensors, .pt, .pth, .bin, .ckpt), a checkpoint of Stable Diffusion in one file, or a model's folder." };
        var target = new Argument<string>("out") { Description = "A .safetensors file; for a checkpoint in one file, and for a folder, a folder; for a model's network an .onnx file." };
        var type = new Option<string?>("--type") { Description = "Precision to write: float32, float16 or bfloat16, for .onnx also int8; the source's by default." };
        type.AcceptOnlyFromAmong("float32", "float16", "bfloat16", "int8");
        var tokenizer = new Option<string?>("--tokenizer") { Description = "For a checkpoint in one file, which has no tokenizer: CLIP's merges (bpe_simple_vocab_16e6.txt.gz) or another model's tokenizer folder." };
        var prediction = new Option<string>("--prediction") { Description = "For a checkpoint in one file: what its U-Net predicts.", DefaultValueFactory = _ => "epsilon" };
        prediction.AcceptOnlyFromAmong("epsilon", "v_prediction");
        var command = new Command("convert", "Writes weights or a model in another format or precision.\n\nExample: langevin convert v1-5-pruned.safetensors sd15 --tokenizer bpe_simple_vocab_16e6.txt.gz --type float16") { source, target, type, tokenizer, prediction };
        command.SetAction((ParseResult parsed) =>
        {
            string from = parsed.GetValue(source)!, to = parsed.GetValue(target)!;
            ScalarType? wanted = parsed.GetValue(type) switch { "float32" => ScalarType.Float32, "float16" => ScalarType.Float16, "bfloat16" => ScalarType.BFloat16, _ => null };
            bool eight = parsed.GetValue(type) == "int8";
            if (to.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            {
                if (wanted == ScalarType.BFloat16) throw new ArgumentException("--type bfloat16: an .onnx file is written in float32, float16 or int8.");
                using var network = Network(Options.ModelFolder(from));
                OnnxExport.Save(network, to, eight ? OnnxWeights.Int8 : wanted == ScalarType.Float16 ? OnnxWeights.Half : OnnxWeights.Single);
                terminal.Line($"{network.GetType().Name} in '{to}', {MemoryPlan.Text(new FileInfo(to).Length)}");
                return App.Ok;
            }
            if (eight) throw new ArgumentException("--type int8: only .onnx files are written so.");
            if (Directory.Exists(from))
            {
                WeightConversion.Folder(from, to, wanted, terminal.Note);
                terminal.Line($"'{to}' written");
                return App.Ok;
            }
            if (!File.Exists(from)) throw new FileNotFoundException($"There is no file or folder '{from}'.");
            if (ModelFolder.IsSafetensors(to))
            {
                var (tensors, numbers) = WeightConversion.File(from, to, wanted);
                terminal.Line($"{tensors} tensors, {numbers:n0} numbers, in '{to}'");
                return App.Ok;
            }
            if (parsed.GetValue(tokenizer) is not { } words)
                throw new ArgumentException($"'{to}' is no .safetensors file; to turn a checkpoint of Stable Diffusion in one file into a folder, say with --tokenizer where its tokenizer is.");
            LdmCheckpoint.Convert(from, to, words, parsed.GetValue(prediction)!, wanted);
            terminal.Line($"'{to}' written: langevin generate --model {to} --prompt \"…\"");
            return App.Ok;
        });
        return command;
    }

    // The network of a model trained here, or that of a published folder.
    private static Network Network(string place)
    {
        if (!Directory.Exists(place)) throw new DirectoryNotFoundException($"There is no model folder '{place}'.");
        return ModelFolder.IsPublished(place) ? ModelFolder.Open(place).LoadDenoisingNetwork() : DiffusionModel.Load(place).Network;
    }
}
