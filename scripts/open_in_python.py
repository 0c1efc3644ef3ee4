#!/usr/bin/env python3
"""Opens a model folder that Langevin wrote, with PyTorch alone: a cross-check, never needed to use Langevin.

    python3 scripts/open_in_python.py runs/strokes-ddpm/model
    langevin models show runs/strokes-ddpm/model --probe probe.safetensors
    python3 scripts/open_in_python.py runs/strokes-ddpm/model probe.safetensors

Reads the weights by the safetensors format's own definition (8 bytes of header length, a JSON header, raw tensors),
checks that names, shapes and offsets agree, and prints the same figures as `langevin models show`. With the file that
`--probe` wrote it computes the network (UNet2DModel or ResidualMlp) from the weights, written out below with PyTorch's
functions, and prints how far Langevin's answers are from its own: beyond 1e-5 of their size it fails. Where diffusers is
installed, it also loads the folder's U-Net with it and runs it once.
"""
import json
import math
import pathlib
import struct
import sys

import torch
import torch.nn.functional as F

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
          "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}


def read(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda e: e[1]["data_offsets"][0]):
        start, stop = entry["data_offsets"]
        assert start == end, f"{name}: a hole or an overlap before byte {start}"
        end = stop
        raw = bytearray(data[8 + length + start:8 + length + stop])
        tensor = torch.frombuffer(raw, dtype=DTYPES[entry["dtype"]]) if raw else torch.empty(0, dtype=DTYPES[entry["dtype"]])
        assert tensor.numel() == math.prod(entry["shape"]), f"{name}: {tensor.numel()} elements for {entry['shape']}"
        tensors[name] = tensor.reshape(entry["shape"])
    assert 8 + length + end == len(data), "bytes are left over"
    return tensors


def sines(t, width, shift=0, cosine_first=True, period=10000.0):
    half = width // 2
    angle = t.double()[:, None] * torch.exp(torch.arange(half, dtype=torch.float64) * -math.log(period) / (half - shift))
    return torch.cat([angle.cos(), angle.sin()] if cosine_first else [angle.sin(), angle.cos()], 1)


def linear(w, name, x):
    return F.linear(x, w[name + ".weight"], w.get(name + ".bias"))


def row(w, name, label):
    return w[name + ".weight"][torch.where(label < 0, w[name + ".weight"].shape[0] - 1, label)]


def unet(w, c, x, t, label):
    """diffusers' UNet2DModel with the block types DownBlock2D, AttnDownBlock2D, UpBlock2D and AttnUpBlock2D."""
    conv = lambda name, x, **k: F.conv2d(x, w[name + ".weight"], w.get(name + ".bias"), **k)
    norm = lambda name, x: F.group_norm(x, c["norm_num_groups"], w[name + ".weight"], w[name + ".bias"], c["norm_eps"])

    def resnet(name, x, e):
        h = conv(name + ".conv1", F.silu(norm(name + ".norm1", x)), padding=1) + linear(w, name + ".time_emb_proj", e)[:, :, None, None]
        h = conv(name + ".conv2", F.silu(norm(name + ".norm2", h)), padding=1)
        return h + (conv(name + ".conv_shortcut", x) if name + ".conv_shortcut.weight" in w else x)

    def attention(name, x):
        if name + ".to_q.weight" not in w:
            return x
        n, channels, height, width = x.shape
        rows = norm(name + ".group_norm", x).flatten(2).transpose(1, 2)
        d = c["attention_head_dim"] or channels
        q, k, v = (linear(w, f"{name}.to_{p}", rows).view(n, -1, channels // d, d).transpose(1, 2) for p in "qkv")
        mixed = ((q @ k.transpose(2, 3)) / math.sqrt(d)).softmax(-1) @ v
        return x + linear(w, name + ".to_out.0", mixed.transpose(1, 2).reshape(n, -1, channels)).transpose(1, 2).view(x.shape)

    levels, layers = len(c["block_out_channels"]), c["layers_per_block"]
    e = sines(t, c["block_out_channels"][0], c["freq_shift"], c["flip_sin_to_cos"]).to(x.dtype)
    e = linear(w, "time_embedding.linear_2", F.silu(linear(w, "time_embedding.linear_1", e)))
    if label is not None:
        e = e + row(w, "class_embedding", label)
    e = F.silu(e)
    states = [conv("conv_in", x, padding=1)]
    for i in range(levels):
        for k in range(layers):
            states.append(attention(f"down_blocks.{i}.attentions.{k}", resnet(f"down_blocks.{i}.resnets.{k}", states[-1], e)))
        if i < levels - 1:
            states.append(conv(f"down_blocks.{i}.downsamplers.0.conv", states[-1], stride=2, padding=1))
    h = resnet("mid_block.resnets.1", attention("mid_block.attentions.0", resnet("mid_block.resnets.0", states[-1], e)), e)
    for i in range(levels):
        for k in range(layers + 1):
            h = attention(f"up_blocks.{i}.attentions.{k}", resnet(f"up_blocks.{i}.resnets.{k}", torch.cat([h, states.pop()], 1), e))
        if i < levels - 1:
            h = conv(f"up_blocks.{i}.upsamplers.0.conv", F.interpolate(h, scale_factor=2.0), padding=1)
    return conv("conv_out", F.silu(norm("conv_norm_out", h)), padding=1)


def mlp(w, c, x, t, label):
    """Langevin's ResidualMlp."""
    width = c["hidden"]
    e = torch.cat([sines(t, width), sines(torch.asinh(t.double()) * 16, width, period=160.0)], 1).to(x.dtype)
    e = linear(w, "embedding.time_embedding.linear_2", F.silu(linear(w, "embedding.time_embedding.linear_1", e)))
    if label is not None:
        e = e + row(w, "embedding.class_embedding", label)
    e = F.silu(e)

    def norm(name, h):
        scale, shift = linear(w, name + ".proj", e).chunk(2, -1)
        return F.layer_norm(h, [width]) * (1 + scale) + shift

    h = linear(w, "proj_in", x)
    for i in range(c["blocks"]):
        h = h + linear(w, f"blocks.{i}.linear_2", F.silu(linear(w, f"blocks.{i}.linear_1", norm(f"blocks.{i}.norm", h))))
    return linear(w, "proj_out", F.silu(norm("norm_out", h)))


def compare(config, weights, path):
    probe = read(pathlib.Path(path))
    network = {"UNet2DModel": unet, "ResidualMlp": mlp}[config["_class_name"]]
    y = network({k: v.double() for k, v in weights.items()}, config, probe["x"].double(), probe["noise"], probe.get("label"))
    off = ((y - probe["y"]).abs().max() / y.abs().max()).item()
    print("off by    ", f"{off:.2g} of the largest of {y.numel()} numbers")
    return off < 1e-5


def main(folder, probe=None):
    folder = pathlib.Path(folder)
    index = json.loads((folder / "model_index.json").read_text())
    config = json.loads((folder / "unet" / "config.json").read_text())
    scheduler = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
    weights = read(folder / "unet" / "diffusion_pytorch_model.safetensors")
    assert index["unet"][1] == config["_class_name"] and index["scheduler"][1] == scheduler["_class_name"]
    print("pipeline  ", index["_class_name"])
    print("network   ", config["_class_name"])
    print("scheduler ", scheduler["_class_name"])
    print("tensors   ", len(weights))
    print("parameters", sum(t.numel() for t in weights.values()))
    print("sum of |w|", f"{sum(t.double().abs().sum().item() for t in weights.values()):.6f}")
    if probe and not compare(config, weights, probe):
        sys.exit("the answers differ")
    try:
        from diffusers import UNet2DModel
    except ImportError:
        print("diffusers is not installed: its own loader was not tried")
        return
    network = UNet2DModel.from_pretrained(folder / "unet")
    size = config["sample_size"]
    labels = torch.zeros(1, dtype=torch.long) if config.get("num_class_embeds") else None
    print("diffusers ", tuple(network(torch.zeros(1, config["in_channels"], *size), torch.tensor([1]), labels).sample.shape))


if __name__ == "__main__":
    main(*sys.argv[1:])
