#!/usr/bin/env python3
"""Opens a model folder that Langevin wrote, with PyTorch alone: a cross-check, never needed to use Langevin.

    python3 scripts/open_in_python.py runs/strokes-ddpm/model

Reads the weights by the safetensors format's own definition (8 bytes of header length, a JSON header, raw tensors),
checks that names, shapes and offsets agree, and prints the same figures as `langevin models show`. Where diffusers
is installed, it also loads the folder's U-Net with it and runs it once.
"""
import json
import math
import pathlib
import struct
import sys

import torch

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


def main(folder):
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
    main(sys.argv[1])
