namespace Langevin.Networks.Diffusers;

/// <summary>Checks that the autoencoders' configurations share.</summary>
internal static class AutoencoderLevels
{
    public static void Validate(string network, IReadOnlyList<string> down, IReadOnlyList<string> up, IReadOnlyList<int> channels, int layers, params int[] widths)
    {
        void Require(bool holds, string message)
        {
            if (!holds) throw new ArgumentException($"{network}: {message}");
        }
        Require(channels.Count > 0, "block_out_channels is empty: give the channels of at least one level.");
        Require(down.Count == channels.Count && up.Count == channels.Count,
            $"down_block_types ({down.Count}), up_block_types ({up.Count}) and block_out_channels ({channels.Count}) must have the same length.");
        foreach (string type in down) Require(type == "DownEncoderBlock2D", $"down_block_types: '{type}' is unknown: use DownEncoderBlock2D.");
        foreach (string type in up) Require(type == "UpDecoderBlock2D", $"up_block_types: '{type}' is unknown: use UpDecoderBlock2D.");
        Require(layers > 0, $"layers_per_block is {layers}: it must be at least 1.");
        Require(widths.All(w => w > 0), "channels must be at least 1.");
    }
}
