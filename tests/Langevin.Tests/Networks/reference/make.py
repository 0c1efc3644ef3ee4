"""What networks of other projects answer, for ReferenceNetworkTests: diffusers' UNet1DModel, UNet2DConditionModel and ControlNetModel with
XL's added conditions, AutoencoderTiny, and e3_diffusion's EGNN_dynamics_QM9.

Needs PyTorch, diffusers, and e3_diffusion_for_molecules on the path. Weights and inputs follow from formulas, so that only answers are kept.
"""
import json
import torch
from diffusers import AutoencoderTiny, ControlNetModel, UNet1DModel, UNet2DConditionModel
from egnn.models import EGNN_dynamics_QM9


def wave(shape, start):
    n = 1
    for s in shape: n *= s
    return torch.cos(0.37 * torch.arange(n, dtype=torch.float64) + start).reshape(shape)


def fill(module):
    state = module.state_dict()
    for i, name in enumerate(sorted(state)):
        old = state[name]
        if name.endswith("kernel"): continue
        new = wave(list(old.shape), i)
        if old.dim() > 1: new = new / (old[0].numel() ** 0.5)
        elif "norm" in name or name.endswith("_gn.weight"): new = (1 if name.endswith("weight") else 0) + 0.1 * new
        elif not name.startswith("time_proj"): new = 0.1 * new
        state[name] = new
    module.load_state_dict(state)
    return module.double()


def judged(outputs, inputs):
    loss = sum((o * wave(list(o.shape), 5 + i)).sum() for i, o in enumerate(outputs))
    grads = torch.autograd.grad(loss, inputs)
    flat = lambda ts: [[float(v) for v in t.flatten()] for t in ts]
    return dict(outputs=flat(outputs), gradients=flat(grads))


common = dict(act_fn="mish", use_timestep_embedding=True, flip_sin_to_cos=False, freq_shift=1, time_embedding_type="positional")
unets = {
    "audio": (dict(in_channels=2, out_channels=2, extra_in_channels=16, block_out_channels=[8, 32, 32]), 64, [0.2, 0.7]),
    "plans": (dict(in_channels=3, out_channels=3, block_out_channels=[8, 16, 32], down_block_types=["DownResnetBlock1D"] * 3, up_block_types=["UpResnetBlock1D"] * 2,
                   mid_block_type="MidResTemporalBlock1D", out_block_type="OutConv1DBlock", **common), 16, [3, 40]),
    "value": (dict(in_channels=3, out_channels=3, block_out_channels=[8, 16, 32], down_block_types=["DownResnetBlock1D"] * 3, up_block_types=[],
                   mid_block_type="ValueFunctionMidBlock1D", out_block_type="ValueFunction", downsample_each_block=True, **common), 32, [3, 40]),
}
answers = {}
for name, (config, length, times) in unets.items():
    network = fill(UNet1DModel(**config))
    x = wave([2, config["in_channels"], length], 1).requires_grad_()
    y = network(x, torch.tensor(times, dtype=torch.float64), return_dict=False)[0]
    answers[name] = dict(config=config, times=times, length=length, keys=sorted(network.state_dict()), **judged([y], [x]))
xl = dict(in_channels=4, block_out_channels=[8, 16], down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"], layers_per_block=1, norm_num_groups=4, cross_attention_dim=8,
          attention_head_dim=[1, 2], transformer_layers_per_block=[1, 2], use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=4,
          projection_class_embeddings_input_dim=30)
added = dict(text_embeds=wave([2, 6], 4), time_ids=torch.tensor([[64, 48, 0, 0, 64, 48], [32, 32, 8, 4, 64, 64]], dtype=torch.float64))
times = torch.tensor([3.0, 400.0], dtype=torch.float64)


def inputs(channels): return wave([2, channels, 8, 8], 1).requires_grad_(), wave([2, 3, 8], 2).requires_grad_()


config = dict(out_channels=4, up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"], sample_size=8, **xl)
network = fill(UNet2DConditionModel(**config))
x, context = inputs(4)
y = network(x, times, context, added_cond_kwargs=added, return_dict=False)[0]
answers["unet, XL"] = dict(config=config, keys=sorted(network.state_dict()), **judged([y], [x, context]))
config = dict(conditioning_embedding_out_channels=[8, 16], **xl)
network = fill(ControlNetModel(**config))
x, context = inputs(4)
hint = wave([2, 3, 16, 16], 3).requires_grad_()
down, middle = network(x, times, context, hint, conditioning_scale=0.7, added_cond_kwargs=added, return_dict=False)
answers["control, XL"] = dict(config=config, keys=sorted(network.state_dict()), **judged([*down, middle], [x, context, hint]))
config = dict(in_channels=3, out_channels=3, encoder_block_out_channels=[8, 8], decoder_block_out_channels=[8, 8], latent_channels=4, num_encoder_blocks=[1, 2], num_decoder_blocks=[2, 1])
network = fill(AutoencoderTiny(**config))
x, z = wave([2, 3, 8, 8], 1).requires_grad_(), (3 * wave([2, 4, 4, 4], 2)).requires_grad_()
answers["tiny autoencoder"] = dict(config=config, keys=sorted(network.state_dict()), **judged([network.encode(x, return_dict=False)[0], network.decode(z, return_dict=False)[0]], [x, z]))
egnns = {
    "egnn": dict(n_layers=2, attention=True, tanh=True, norm_constant=1, inv_sublayers=1, sin_embedding=False, aggregation_method="sum", normalization_factor=10),
    "egnn, other options": dict(n_layers=2, attention=False, tanh=False, norm_constant=0.5, inv_sublayers=2, sin_embedding=True, aggregation_method="mean", normalization_factor=1),
}
for name, options in egnns.items():
    network = fill(EGNN_dynamics_QM9(in_node_nf=4, context_node_nf=1, n_dims=3, hidden_nf=8, **options))
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=torch.float64)
    pairs = mask[:, :, None] * mask[:, None, :] * (1 - torch.eye(5, dtype=torch.float64))
    x, h, context = wave([2, 5, 3], 1), wave([2, 5, 3], 2), wave([2, 5, 1], 3)
    x = x * mask[..., None]
    x = ((x - x.sum(1, keepdim=True) / mask.sum(1)[:, None, None]) * mask[..., None]).requires_grad_()
    h.requires_grad_()
    out = network._forward(torch.tensor([[0.3], [0.8]], dtype=torch.float64), torch.cat([x, h], 2), mask[..., None], pairs.reshape(-1, 1), context * mask[..., None])
    answers[name] = dict(options=options, keys=sorted(network.state_dict()), **judged([out[..., 3:], out[..., :3]], [h, x]))
with open("answers.json", "w") as f: json.dump(answers, f)
