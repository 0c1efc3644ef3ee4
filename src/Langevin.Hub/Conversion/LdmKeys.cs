using System.Globalization;
using System.Text.RegularExpressions;

namespace Langevin.Hub;

/// <summary>The names that latent diffusion's own code (Rombach et al. 2022) gives a U-Net's and an autoencoder's weights, as diffusers names them.</summary>
public static partial class LdmKeys
{
    /// <summary>A U-Net's name.</summary>
    /// <param name="key">Without the prefix <c>model.diffusion_model.</c></param>
    /// <param name="layers">Residual blocks a level.</param>
    /// <returns>Null for a name that no such U-Net has.</returns>
    public static string? UNet(string key, int layers)
    {
        foreach (var (old, current) in Plain)
            if (key.StartsWith(old, StringComparison.Ordinal)) return current + key[old.Length..];
        var match = Block().Match(key);
        if (!match.Success) return null;
        var (kind, part, rest) = (match.Groups["kind"].Value, Number(match.Groups["part"]), match.Groups["rest"].Value);
        int index = Number(match.Groups["index"]);
        if (kind == "middle_block") return index switch
        {
            0 or 2 => $"mid_block.resnets.{index / 2}.{Resnet(part.ToString(CultureInfo.InvariantCulture) + "." + rest, key)}",
            _ => $"mid_block.attentions.0.{key["middle_block.1.".Length..]}",
        };
        bool down = kind == "input_blocks";
        int place = down ? index - 1 : index, level = place / (layers + 1), layer = place % (layers + 1);
        string block = down ? $"down_blocks.{level}" : $"up_blocks.{level}";
        if (rest.StartsWith("op.", StringComparison.Ordinal)) return $"{block}.downsamplers.0.conv.{rest["op.".Length..]}";
        if (rest.StartsWith("conv.", StringComparison.Ordinal)) return $"{block}.upsamplers.0.{rest}";
        return part == 0 ? $"{block}.resnets.{layer}.{Resnet(rest, key)}" : $"{block}.attentions.{layer}.{rest}";
    }

    /// <summary>An autoencoder's name.</summary>
    /// <param name="key">Without the prefix <c>first_stage_model.</c></param>
    /// <param name="levels">Number of levels.</param>
    public static string Autoencoder(string key, int levels)
    {
        key = Level().Replace(key, m =>
        {
            bool up = m.Groups["way"].Value == "up";
            int level = up ? levels - 1 - Number(m.Groups["level"]) : Number(m.Groups["level"]);
            string way = m.Groups["way"].Value;
            return m.Groups["what"].Value == "block" ? $"{way}_blocks.{level}.resnets." : $"{way}_blocks.{level}.{way}samplers.0.";
        });
        return key.Replace("nin_shortcut", "conv_shortcut", StringComparison.Ordinal).Replace(".mid.block_1.", ".mid_block.resnets.0.", StringComparison.Ordinal)
            .Replace(".mid.block_2.", ".mid_block.resnets.1.", StringComparison.Ordinal).Replace(".norm_out.", ".conv_norm_out.", StringComparison.Ordinal) is var named && named.IndexOf(".mid.attn_1.", StringComparison.Ordinal) is >= 0 and var at
            ? named[..at] + ".mid_block.attentions.0." + named[(at + ".mid.attn_1.".Length)..] switch
            {
                var a when a.StartsWith("norm.", StringComparison.Ordinal) => "group_" + a,
                var a when a.StartsWith("proj_out.", StringComparison.Ordinal) => "to_out.0" + a["proj_out".Length..],
                var a => "to_" + a, // q, k, v
            }
            : named;
    }

    private static readonly (string Old, string Current)[] Plain =
    [
        ("time_embed.0.", "time_embedding.linear_1."), ("time_embed.2.", "time_embedding.linear_2."), ("label_emb.0.0.", "add_embedding.linear_1."), ("label_emb.0.2.", "add_embedding.linear_2."),
        ("label_emb.weight", "class_embedding.weight"), ("input_blocks.0.0.", "conv_in."), ("out.0.", "conv_norm_out."), ("out.2.", "conv_out."),
    ];

    private static string Resnet(string rest, string key)
    {
        foreach (var (old, current) in new[] { ("in_layers.0.", "norm1."), ("in_layers.2.", "conv1."), ("emb_layers.1.", "time_emb_proj."), ("out_layers.0.", "norm2."), ("out_layers.3.", "conv2."), ("skip_connection.", "conv_shortcut.") })
            if (rest.IndexOf(old, StringComparison.Ordinal) is >= 0 and var at) return current + rest[(at + old.Length)..];
        throw new InvalidDataException($"'{key}' is no name of a residual block's weight.");
    }

    private static int Number(Group group) => group.Success && int.TryParse(group.Value, CultureInfo.InvariantCulture, out int n) ? n : 0;

    [GeneratedRegex(@"^(?<kind>input_blocks|middle_block|output_blocks)\.(?<index>\d{1,3})\.(?:(?<part>\d{1,3})\.)?(?<rest>.+)$")]
    private static partial Regex Block();

    [GeneratedRegex(@"(?<way>down|up)\.(?<level>\d{1,3})\.(?<what>block|downsample|upsample)\.")]
    private static partial Regex Level();
}
