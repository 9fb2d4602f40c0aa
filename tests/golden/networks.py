"""Writes tests/golden/networks/<network>.safetensors: logits and gates of every network of the table; and for
some networks tests/golden/replaced/<network>.safetensors: the same after gates were replaced.

    python tests/golden/networks.py              # all
    python tests/golden/networks.py resnest50d   # some
    python tests/golden/networks.py picture      # picture.json: a picture's logits

Needs torch, timm, numpy and safetensors. No weights are stored: `hashed` fills every tensor from its name
and the index of the value, and src/weights/hashed.rs does the same. timm's networks run in f64 on these f32
values, so the files do not depend on the machine or on the order of sums.

A file holds for each side:

    <side>/logits   F32 [classes]
    <side>/gates    U16 [gates of all units]; value / 65535 is the gate, so the rounding is below 1e-5;
                    units in the order of the forward pass

A unit's gates are branch-major, [branches][channels], as in generate.py; units and their sizes are those of
tests/arch/<network>.txt. Sides: arch's two, the network's own and an odd one; the deepest networks, of 8 to
22 GMACs, at 97 alone.

A file of `replaced` has `<unit>=<how>` in place of the side, units and words as the command's `--gates` has
them. A forward hook on the module that computes a unit's gates puts others in their place, and timm's own
code goes on with them.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save
from timm.data import create_transform
from timm.layers import SelectiveKernel, SplitAttn
from torch import nn

HERE = Path(__file__).resolve().parent
OUT, OUT_REPLACED = HERE / "networks", HERE / "replaced"
sys.path.insert(0, str(HERE.parent / "arch"))

import generate as arch  # noqa: E402

DEEPEST = ["resnet101", "resnext101_32x4d", "resnest101e", "resnest200e", "resnest269e"]
# Small sides for tests that run a network several times.
MORE = {"resnest50d_4s2x40d": [65]}
# Networks whose gates are replaced, one or two for each kind of unit, and the side of their image.
REPLACED = {
    "resnest_tiny_2s2x": 51, "resnest50d_1s4x24d": 65, "resnest50d_4s2x40d": 65, "sknet_tiny": 51, "skresnet18": 65,
    "seresnext_tiny": 51, "regnety_002": 65, "efficientnet_b0": 65,
}  # fmt: skip


# ---------------------------------------------------------------------------------------- filling
# src/weights/hashed.rs repeats this section, operation by operation.


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
    """(3, side, side) f32: noise of single pixels on noise of 32 x 32 pixels, which repeats itself after 256."""
    coarse = np.float32(3) * hashed("coarse", 3 * 8 * 8).reshape(3, 8, 8)
    cells = np.arange(side) // 32 % 8
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


def run(network, side, change=lambda _path, gates: gates):
    """Logits [classes] and, for each unit in the order of the forward pass, gates [branches * channels]; f64.

    `change(path, gates)` is what the unit at that module path has instead of its gates [branches, channels].
    """
    gates, hooks = [], []
    for path, _, branches, _ in arch.units(network):

        def hook(_module, _inputs, output, path=path, branches=branches):
            changed = change(path, output.reshape(branches, -1)).reshape(output.shape)
            # clone(): a later layer in place must not change what is kept.
            gates.append(changed.flatten().clone())
            return changed

        hooks.append(gate_module(network.get_submodule(path)).register_forward_hook(hook))
    with torch.no_grad():
        logits = network(torch.from_numpy(image(side)).double()[None])[0]
    for hook in hooks:
        hook.remove()
    return logits.numpy(), [g.numpy() for g in gates]


def stored(what, logits, gates):
    """The tensors of one run in a file."""
    tensors = {f"{what}/logits": logits.astype(np.float32)}
    if gates:
        tensors[f"{what}/gates"] = np.rint(np.concatenate(gates) * 65535).astype(np.uint16)
    return tensors


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


# ---------------------------------------------------------------------------------------- replacing

# A weight for each branch, by the number of branches: all different, and exact in binary.
BY_HAND = {1: "0.25", 2: "0.25/0.75", 4: "0.125/0.5/0.25/0.0625"}


def replaced(gates, how):
    """Gates [branches, channels] in place of these. Uniform is the softmax, or the sigmoid of a single branch, of
    logits that are all 0."""
    branches = len(gates)
    if how == "swap":
        return gates.flip(0)
    if how == "uniform":
        weights = [1 / max(branches, 2)] * branches
    elif how.startswith("branch:"):
        weights = [float(branch == int(how[7:])) for branch in range(1, branches + 1)]
    else:
        weights = [float(weight) for weight in how.split("/")]
    return torch.tensor(weights, dtype=gates.dtype)[:, None].expand_as(gates)


def run_replaced(name, network, side):
    """(`<unit>=<how>`, logits, gates) with the gates of all units replaced, and of one in the middle of the network."""
    units = arch.units(network)
    middle, _, branches, _ = units[len(units) // 2]
    hows = ["uniform", f"branch:{branches}", *(["swap"] if branches > 1 else [])]
    untouched, _ = run(network, side)
    for unit, how in [("all", how) for how in hows] + [(middle, hows[-1]), (middle, BY_HAND[branches])]:
        logits, gates = run(network, side, lambda path, gates: replaced(gates, how) if unit in ("all", path) else gates)
        moved = np.abs(logits - untouched).max() / np.ptp(logits)
        print(f"{name} {unit}={how}: logits {logits.min():.3f} to {logits.max():.3f}, moved by {moved:.1e} of that")
        assert moved > 1e-3
        yield f"{unit}={how}", logits, gates


# ------------------------------------------------------------------------------------------- a picture


def write_picture():
    """A picture from its file to its logits, by the card of a published checkpoint but with hashed values: what the
    page makes of a checkpoint that it has loaded by its name.
    """
    name, source = "regnetx_002", "images/red_panda_197x153.png"
    entries = json.loads((HERE.parent.parent / "static/models/catalogue.json").read_text())["entries"]
    entry = next(entry for entry in entries if entry["name"] == name)
    card = {key: entry[key] for key in ("input", "crop_fraction", "filter", "mean", "std")}
    transform = create_transform(
        tuple(card["input"]), interpolation=card["filter"], crop_pct=card["crop_fraction"],
        mean=card["mean"], std=card["std"],
    )  # fmt: skip
    tensor = transform(Image.open(HERE / source).convert("RGB"))
    with torch.no_grad():
        logits = build(name)[0](tensor.double()[None])[0].numpy()
    check(f"{name} on {source}", logits, [])
    golden = {"network": name, "image": source, **card, "logits": [float(f"{logit:.8g}") for logit in logits]}
    rows = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
    (HERE / "picture.json").write_text(f"{{\n{rows}\n}}\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:] == ["picture"]:
        sys.exit(write_picture())
    OUT.mkdir(exist_ok=True)
    OUT_REPLACED.mkdir(exist_ok=True)
    for name in sys.argv[1:] or arch.NETWORKS:
        (network, sides), tensors = build(name), {}
        for side in sides:
            logits, gates = run(network, side)
            check(f"{name} at {side}", logits, gates)
            tensors |= stored(side, logits, gates)
        (OUT / f"{name}.safetensors").write_bytes(save(tensors))
        if name in REPLACED:
            tensors = {}
            for spelling, logits, gates in run_replaced(name, network, REPLACED[name]):
                tensors |= stored(spelling, logits, gates)
            (OUT_REPLACED / f"{name}.safetensors").write_bytes(save(tensors))
