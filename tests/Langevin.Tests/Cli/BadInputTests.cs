using System.IO.Compression;
using System.Text;
using Langevin.Hub;
using static TorchSharp.torch;

namespace Langevin.Tests.Cli;

/// <summary>Every wrong input gives one line that says what was wrong, and exit code 2, before any work.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string At(string name) => folder[name];

    private string Write(string name, byte[] bytes) => folder.Write(name, bytes);

    private string Write(string name, string text) => folder.Write(name, text);

    private static byte[] Idx(int magic, int count, int rows, int columns, int bytes) =>
        [.. new[] { magic, count, rows, columns }.SelectMany(v => BitConverter.GetBytes(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(v))), .. new byte[bytes]];

    private Task Data(string path, params string[] words) => Command.Refuses(["data", "info", path], words);

    [Fact] public Task Data_that_does_not_exist() => Data(At("nothing"), "nothing");
    [Fact] public Task A_misspelt_built_in_set() => Data("stroks", "strokes");
    [Fact] public Task An_empty_folder() { Directory.CreateDirectory(At("empty")); return Data(At("empty"), "empty"); }
    [Fact] public Task An_empty_file() => Data(Write("a.csv", ""), "a.csv");
    [Fact] public Task A_truncated_idx_file() => Data(Write("t10k-images-idx3-ubyte", Idx(0x803, 10, 28, 28, 100)), "t10k-images-idx3-ubyte");
    [Fact] public Task An_idx_file_with_a_wrong_magic() => Data(Write("train-images-idx3-ubyte", Idx(0x777, 1, 2, 2, 4)), "train-images-idx3-ubyte");
    [Fact] public Task Labels_that_do_not_match_the_images()
    {
        Write("m/t10k-images-idx3-ubyte", Idx(0x803, 2, 8, 8, 128));
        Write("m/t10k-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3]);
        return Data(At("m"), "label");
    }

    [Fact] public Task A_gzip_file_that_is_none() => Data(Write("t10k-images-idx3-ubyte.gz", "not gzip at all"), "gz");
    [Fact] public Task A_csv_file_with_NaN() => Data(Write("b.csv", "x,y\n1,2\n3,NaN\n"), "3", "y");
    [Fact] public Task A_ragged_csv_file() => Data(Write("c.csv", "x,y\n1,2\n3\n"), "3");
    [Fact] public Task A_csv_file_with_a_word() => Data(Write("d.csv", "x,y\n1,2\n3,four\n"), "four");
    [Fact] public Task A_truncated_npy_file() => Data(Write("e.npy", [0x93, .. "NUMPY"u8, 1, 0, 0xFF, 0x00, .. "{'descr'"u8]), "e.npy");
    [Fact] public Task A_npy_file_of_objects()
    {
        byte[] header = Encoding.ASCII.GetBytes("{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }".PadRight(117) + "\n");
        return Data(Write("o.npy", [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. header, .. new byte[32]]), "o.npy");
    }

    [Fact] public Task A_npz_file_without_arrays()
    {
        using (var zip = ZipFile.Open(At("z.npz"), ZipArchiveMode.Create)) zip.CreateEntry("readme.txt");
        return Data(At("z.npz"), "z.npz");
    }

    [Fact] public Task A_corrupt_picture()
    {
        Write("pictures/a.png", [0x89, .. "PNG\r\n\u001a\n"u8, 0, 0, 0, 13, 1, 2, 3]);
        return Data(At("pictures"), "a.png");
    }

    [Fact] public Task A_cifar_file_of_an_odd_length() => Data(Write("data_batch_1.bin", new byte[3073 + 17]), "data_batch_1.bin");

    [Fact] public Task Training_on_nothing() => Command.Refuses(["train"], "langevin train strokes");
    [Fact] public Task An_unknown_formulation() => Command.Refuses(["train", "strokes", "--formulation", "gan"], "gan");
    [Fact] public Task An_unknown_option() => Command.Refuses(["train", "strokes", "--stps", "3"], "--stps");
    [Fact] public Task A_number_that_is_none() => Command.Refuses(["train", "strokes", "--steps", "many"], "many");
    [Fact] public Task No_steps() => Command.Refuses(["train", "strokes", "--steps", "0", "--out", At("r0")], "steps");
    [Fact] public Task A_negative_learning_rate() => Command.Refuses(["train", "strokes", "--lr", "-1", "--out", At("r1")], "learning_rate");
    [Fact] public Task Comparing_what_is_no_run() => Command.Refuses(["compare", folder.Path], "report.json");
    [Fact] public Task No_threads() => Command.Refuses(["train", "strokes", "--threads", "0"], "--threads");
    [Fact] public Task More_items_than_there_are() => Command.Refuses(["train", "moons", "--items", "100000000"], "--items");
    [Fact] public Task CUDA_where_there_is_none()
    {
        if (TorchSharp.torch.cuda.is_available()) Assert.Skip("this machine has a CUDA device");
        return Command.Refuses(["train", "strokes", "--device", "cuda"], "CUDA");
    }

    [Fact]
    public async Task A_full_disk()
    {
        string disk = Directory.CreateDirectory(At("disk")).FullName;
        if (!OperatingSystem.IsLinux() || !Start("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk)) Assert.Skip("a small disk can be mounted by root on Linux only");
        try
        {
            await Command.Refuses(["train", "strokes", "--items", "100", "--steps", "1", "--out", Path.Combine(disk, "run")], "No space left", "checkpoint");
            Assert.DoesNotContain(Directory.EnumerateFiles(disk, "*", SearchOption.AllDirectories), f => f.EndsWith(".tmp", StringComparison.Ordinal));
        }
        finally
        {
            Start("umount", "-l", disk);
        }

        static bool Start(params string[] command)
        {
            using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
    }

    [Fact] public Task A_recipe_that_is_missing() => Command.Refuses(["train", "strokes", "--config", At("no.json")], "no.json");
    [Fact] public Task A_recipe_that_is_no_JSON() => Command.Refuses(["train", "strokes", "--config", Write("r.json", "{steps")], "r.json");
    [Fact] public Task An_unknown_key_in_a_recipe() => Command.Refuses(["train", "strokes", "--config", Write("k.json", "{\"learning_rat\": 1}")], "learning_rat", "learning_rate");
    [Fact] public Task An_unknown_key_in_its_formulation() => Command.Refuses(["train", "strokes", "--config", Write("f.json", "{\"formulation\": {\"sigma_maks\": 1}}")], "sigma_maks", "sigma_max");
    [Fact] public Task A_value_of_the_wrong_type() => Command.Refuses(["train", "strokes", "--config", Write("w.json", "{\"steps\": \"ten\"}")], "steps");
    [Fact] public Task An_unknown_beta_schedule() =>
        Command.Refuses(["train", "strokes", "--out", At("b"), "--config", Write("s.json", "{\"formulation\": {\"beta_schedule\": \"parabolic\"}}")], "parabolic", "cosine");
    [Fact] public Task A_run_folder_that_is_taken()
    {
        Write("taken/file", "x");
        return Command.Refuses(["train", "strokes", "--out", At("taken")], "taken");
    }

    [Fact] public Task A_run_folder_that_is_a_file() => Command.Refuses(["train", "strokes", "--out", Write("plain", "x")], "plain");

    [Fact] public Task A_run_folder_on_a_device_that_takes_no_files()
    {
        if (!Directory.Exists("/proc/self")) Assert.Skip("needs a file system that refuses new folders");
        return Command.Refuses(["train", "strokes", "--out", "/proc/self/run"], "/proc/self/run");
    }

    [Fact] public Task Resuming_where_nothing_ran() => Command.Refuses(["train", "--resume", At("none")], "none");
    [Fact] public Task Resuming_without_a_checkpoint()
    {
        Write("half/recipe.json", "{}");
        return Command.Refuses(["train", "--resume", At("half")], "checkpoint");
    }

    [Fact] public Task A_model_that_does_not_exist() => Command.Refuses(["sample", At("none")], "none");
    [Fact] public Task A_folder_that_is_no_model()
    {
        Directory.CreateDirectory(At("plain2"));
        return Command.Refuses(["sample", At("plain2")], "langevin.json");
    }

    [Fact] public Task A_model_with_an_unknown_network()
    {
        Model("x", "{\"_class_name\": \"UNet7D\"}");
        return Command.Refuses(["models", "show", At("x")], "UNet7D");
    }

    [Fact] public Task A_model_without_weights()
    {
        Model("y", Small);
        return Command.Refuses(["models", "show", At("y")], "weights");
    }

    [Fact] public Task Weights_of_another_architecture()
    {
        Model("z", Small);
        using (var wrong = ones(3)) SafeTensors.Save(At("z/unet/diffusion_pytorch_model.safetensors"), [KeyValuePair.Create("conv_in.weight", wrong)]);
        return Command.Refuses(["models", "show", At("z")], "missing");
    }

    [Fact] public Task Weights_that_are_truncated()
    {
        Model("t", Small);
        Write("t/unet/diffusion_pytorch_model.safetensors", [200, 0, 0, 0, 0, 0, 0, 0, (byte)'{']);
        return Command.Refuses(["models", "show", At("t")], "safetensors");
    }

    [Fact] public Task No_samples() => Command.Refuses(["sample", At("none"), "-n", "0"], "--count");

    private const string Small = "{\"_class_name\": \"UNet2DModel\", \"in_channels\": 1, \"out_channels\": 1, \"block_out_channels\": [8], \"down_block_types\": [\"DownBlock2D\"], \"up_block_types\": [\"UpBlock2D\"], \"norm_num_groups\": 4, \"layers_per_block\": 1}";

    private void Model(string name, string network)
    {
        Write($"{name}/langevin.json", "{\"formulation\": {}, \"data\": \"strokes\", \"item_shape\": [1, 28, 28]}");
        Write($"{name}/unet/config.json", network);
    }
}
