"""Writes tests/golden/networks/<network>.safetensors: logits and gates of every network of the table.

    python tests/golden/networks.py              # all
    python tests/golden/networks.py resnest50d   # some

Needs torch, timm, numpy and safetensors. No weights are stored: `hashed` fills every tensor from its name
and the index of the value, and tests/common/hashed.rs does the same. timm's networks run in f64 on these f32
values, so the files do not depend on the machine or on the order of sums.

A file holds for each side:

    <side>/logits   F32 [classes]
    <side>/gates    U16 [gates of all units]; value / 65535 is the gate, so the rounding is below 1e-5;
                    units in the order of the forward pass

A unit's gates are branch-major, [branches][channels], as in generate.py; units and their sizes are those of
tests/arch/<network>.txt. Sides: arch's two, the network's own and an odd one; the deepest networks, of 8 to
22 GMACs, at 97 alone.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save
from timm.layers import SelectiveKernel, SEModule, SplitAttn
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import nn

HERE = Path(__file__).resolve().parent
OUT = HERE / "networks"
sys.path.insert(0, str(HERE.parent / "arch"))

import generate as arch  # noqa: E402

DEEPEST = ["resnet101", "resnext101_32x4d", "resnest101e", "resnest200e", "resnest269e"]
# Small sides for tests that run a network several times.
MORE = {"resnest50d_4s2x40d": [65]}


# ---------------------------------------------------------------------------------------- filling
# tests/common/hashed.rs repeats this section, operation by operation.


def hashed(name, count):
    """`count` values in [-1, 1), f32: FNV-1a of the name, then a mixer for each index (Wellons' lowbias32)."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    x = np.uint32(seed) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
    x ^= x >> 16
    x *= np.uint32(0x7FEB352D)
    x ^= x >> 15
    x *= np.uint32(0x846CA68B)
    x ^= x >> 16
    # 24 bits, which an f32 holds exactly.
    return (x >> 8).astype(np.float32) * np.float32(2**-23) - np.float32(1)


# The last norm of a residual block in `layer1` to `layer4`: small, so that blocks do not add up to a huge sum.
LAST_NORM = ("bn3.weight", "conv2.bn.weight", "conv3.bn.weight")
# The last layer of an attention, so that gates are far from 0.5 and from each other.
GATING = {
    "fc2.weight": 2.0, "conv_expand.weight": 2.0, "fc2.bias": 1.0, "conv_expand.bias": 1.0, "fc_select.weight": 0.8,
}  # fmt: skip


def distribution(name, shape, is_silu):
    """(centre, spread) of a tensor's values, in a network with SiLU or without.

    A weight's variance is about 1.5 over the fan-in, of which a ReLU leaves a half and SiLU less; a norm adds
    little of its own, so that the image decides. Variances of batch norm reach down to 0.05, where its
    epsilon counts.
    """
    kind = name.split(".")[-1]
    gating = next((value for suffix, value in GATING.items() if name.endswith(suffix)), None)
    if len(shape) > 1:
        fan_in = int(np.prod(shape[1:]))
        return 0.0, (gating or (1.56 if is_silu else 1.2)) * (3.0 / fan_in) ** 0.5
    if kind == "running_var":
        return 0.5, 0.45
    if kind == "weight":
        scale = 0.15 if name.startswith("layer") and name.endswith(LAST_NORM) else 0.5
        return scale, 0.3 * scale
    return 0.0, gating or 0.1


def fill(name, shape, is_silu):
    """The tensor `name` of timm's state dict, f32."""
    centre, spread = distribution(name, shape, is_silu)
    values = np.float32(centre) + np.float32(spread) * hashed(name, int(np.prod(shape)))
    return values.reshape(shape)


def image(side):
    """(3, side, side) f32: noise of single pixels on noise of 32 x 32 pixels, so that places differ."""
    coarse = np.float32(3) * hashed("coarse", 3 * 8 * 8).reshape(3, 8, 8)
    cells = np.arange(side) // 32
    fine = hashed("fine", 3 * side * side).reshape(3, side, side)
    return coarse[:, cells[:, None], cells] + fine


# ------------------------------------------------------------------------------------------ running


def build(name):
    """timm's network with hashed values, in f64 and eval mode, and the sides of its images."""
    network, *sides = arch.build(name)
    network.to_empty(device="cpu")
    is_silu = any(isinstance(module, nn.SiLU) for module in network.modules())
    state = network.state_dict()
    for tensor, value in state.items():
        if not tensor.endswith("num_batches_tracked"):
            state[tensor] = torch.from_numpy(fill(tensor, tuple(value.shape), is_silu))
    network.load_state_dict(state)
    return network.double(), [97] if name in DEEPEST else sides + MORE.get(name, [])


def gate_module(unit):
    """The module inside an attention whose output is the gates, branch-major."""
    if isinstance(unit, SplitAttn):
        return unit.rsoftmax
    return unit.attn if isinstance(unit, SelectiveKernel) else unit.gate


def run(network, side):
    """Logits [classes] and, for each unit in the order of the forward pass, gates [branches * channels]; f64."""
    gates, hooks = [], []
    for module in network.modules():
        if isinstance(module, (SplitAttn, SelectiveKernel, SEModule, SqueezeExcite)):
            # clone(): a later layer in place must not change what is kept.
            keep = lambda _module, _inputs, output: gates.append(output.flatten().clone())  # noqa: E731
            hooks.append(gate_module(module).register_forward_hook(keep))
    with torch.no_grad():
        logits = network(torch.from_numpy(image(side)).double()[None])[0]
    for hook in hooks:
        hook.remove()
    return logits.numpy(), [g.numpy() for g in gates]


def check(name, logits, gates):
    """Whether the filling leaves something to compare; prints what it found."""
    spread = np.ptp(logits)
    text = f"{name}: logits {logits.min():.3f} to {logits.max():.3f}"
    assert 0.5 < spread < 400, text
    if gates:
        deviation = [g.std() for g in gates]
        saturated = max(np.mean((g < 0.01) | (g > 0.99)) for g in gates)
        text += f"; gates' deviation {min(deviation):.3f} to {max(deviation):.3f}, saturated {saturated:.3f}"
        assert min(deviation) > 0.03 and saturated < 0.5, text
    print(text, flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    OUT.mkdir(exist_ok=True)
    for name in sys.argv[1:] or arch.NETWORKS:
        (network, sides), tensors = build(name), {}
        for side in sides:
            logits, gates = run(network, side)
            check(f"{name} at {side}", logits, gates)
            tensors[f"{side}/logits"] = logits.astype(np.float32)
            if gates:
                tensors[f"{side}/gates"] = np.rint(np.concatenate(gates) * 65535).astype(np.uint16)
        (OUT / f"{name}.safetensors").write_bytes(save(tensors))
