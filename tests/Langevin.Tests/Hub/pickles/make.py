"""Writes the pickles that PickleTests reads, and what is in them. Needs PyTorch and NumPy; run in this folder."""
import collections, json, pickle, sys, types
import numpy as np
import torch

torch.manual_seed(1)
rng = np.random.default_rng(1)


# Objects that pickle as those of NVIDIA's torch_utils.persistence do: a function's name, the source and the state.
def _reconstruct_persistent_obj(meta): raise NotImplementedError
module = types.ModuleType("torch_utils.persistence")
_reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
module._reconstruct_persistent_obj = _reconstruct_persistent_obj
sys.modules["torch_utils"] = types.ModuleType("torch_utils")
sys.modules["torch_utils.persistence"] = module


class Persistent(torch.nn.Module):
    def __reduce__(self):
        return _reconstruct_persistent_obj, (dict(type="class", version=6, module_src="x" * 5000, class_name=type(self).__name__, state=self.__dict__),)


class Inner(Persistent):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(3, 2))
        self.register_buffer("filter", torch.randn(2, 2))
        self.size = np.float64(2)


class Net(Persistent):
    def __init__(self):
        super().__init__()
        self.enc = torch.nn.ModuleDict({"8x8_conv": Inner(), "4x4_conv": Inner()})
        self.bias = None
        self.register_parameter("gain", torch.nn.Parameter(torch.zeros([])))


arrays = {
    "single": rng.standard_normal((3, 4)).astype(np.float32),
    "double, by columns": np.asfortranarray(rng.standard_normal((2, 3, 4))),
    "half": rng.standard_normal(5).astype(np.float16),
    "whole": np.array(7, dtype=np.int64),
    "bytes": rng.integers(0, 255, 6000).astype(np.uint8),
    "signs": rng.integers(0, 2, 4).astype(bool),
    "none": np.zeros((0, 3), np.float32),
}
saved = {"model": arrays, "step": np.float32(3), "epoch": 4, "author": "a", "list": [arrays["single"][:, ::2]]}
half = torch.randn(4, 6)
weights = collections.OrderedDict(all=half, part=half[1:3, ::2], whole=torch.arange(5), brain=torch.randn(3).to(torch.bfloat16))
sequence = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))


def flat(value, path=""):
    if isinstance(value, torch.nn.Module): value = value.state_dict()
    if isinstance(value, (np.ndarray, torch.Tensor)):
        t = torch.as_tensor(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value.detach()
        t = t.reshape(value.shape)
        yield path, dict(shape=list(t.shape), type=str(t.dtype)[6:], values=[float(v) for v in t.double().flatten()[:40]])
    elif isinstance(value, dict):
        for k, v in value.items(): yield from flat(v, f"{path}.{k}" if path else k)
    elif isinstance(value, list):
        for i, v in enumerate(value): yield from flat(v, f"{path}.{i}" if path else str(i))


expected = {}
for name, value, protocol in [("numpy-2", saved, 2), ("numpy-4", saved, 4), ("numpy-5", saved, 5), ("torch-2", dict(weights=weights, net=sequence), 2),
                              ("torch-5", dict(weights=weights, net=sequence), 5), ("persistent", dict(ema=Net(), kwargs=dict(a=1)), 4)]:
    with open(name + ".pkl", "wb") as f: pickle.dump(value, f, protocol=protocol)
    expected[name] = dict(flat(value))
with open("expected.json", "w") as f: json.dump(expected, f)
