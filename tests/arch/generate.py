"""Writes tests/arch/<network>.txt: what timm says about every network of the table.

    python tests/arch/generate.py              # all
    python tests/arch/generate.py resnest50d   # some

Needs torch and timm. Everything runs on torch's meta device: shapes alone, no weights, no arithmetic.
README.md beside this file describes the format.
"""

import sys
from pathlib import Path

import timm
import torch
from timm.layers import SelectiveKernel, SEModule, SplitAttn
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import nn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "training"))

import networks as tiny  # noqa: E402

NETWORKS = """
resnet18 resnet34 resnet50 resnet50d resnet101
resnext50_32x4d resnext50d_32x4d resnext101_32x4d
seresnet50 seresnext26d_32x4d seresnext50_32x4d
skresnet18 skresnet34 skresnet50 skresnext50_32x4d
resnest14d resnest26d resnest50d resnest50d_1s4x24d resnest50d_4s2x40d resnest101e resnest200e resnest269e
regnetx_002 regnetx_004 regnetx_006 regnetx_008 regnetx_016 regnetx_032
regnety_002 regnety_004 regnety_006 regnety_008 regnety_016 regnety_032
regnetz_005
efficientnet_b0 tf_efficientnet_lite0
""".split() + list(tiny.NETWORKS)


def build(name):
    """The network on the meta device in eval mode, its input side and an odd side."""
    if name in tiny.NETWORKS:
        with torch.device("meta"):
            return tiny.NETWORKS[name](100).eval(), 64, 51
    return timm.create_model(name, pretrained=False, device="meta").eval(), 224, 193


def count(network, side):
    """(MACs, activations) of one image of side x side, counted by forward hooks.

    MACs: multiplications of convolutions and linear layers, no bias, norm, activation, pooling or gate.
    Activations: output elements of convolutions, the 1x1 ones inside the attention included, as pycls
    counts them, but for the classifier's outputs.
    """
    totals = [0, 0]

    def convolution(module, _inputs, output):
        kernel = module.kernel_size[0] * module.kernel_size[1]
        totals[0] += output.numel() * (module.in_channels // module.groups) * kernel
        totals[1] += output.numel()

    def linear(module, _inputs, output):
        totals[0] += output.numel() * module.in_features

    hooks = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(convolution))
        elif isinstance(module, nn.Linear):
            hooks.append(module.register_forward_hook(linear))
    with torch.no_grad():
        network(torch.empty(1, 3, side, side, device="meta"))
    for hook in hooks:
        hook.remove()
    return totals


def units(network):
    """(module path, kind, branches, channels) of every attention, in the order of the forward pass."""
    found = []
    for path, module in network.named_modules():
        if isinstance(module, SplitAttn):
            found.append((path, "split_attention", module.radix, module.conv.out_channels // module.radix))
        elif isinstance(module, SelectiveKernel):
            found.append((path, "selective_kernel", module.num_paths, module.out_channels))
        elif isinstance(module, SEModule):
            found.append((path, "squeeze_excite", 1, module.fc2.out_channels))
        elif isinstance(module, SqueezeExcite):
            found.append((path, "squeeze_excite", 1, module.conv_expand.out_channels))
    return found


def describe(name):
    """The text of tests/arch/<name>.txt."""
    network, side, odd = build(name)
    parameters = sum(p.numel() for p in network.parameters())
    (eps,) = {m.eps for m in network.modules() if isinstance(m, nn.BatchNorm2d)}
    classifier = [m for m in network.modules() if isinstance(m, nn.Linear)][-1]
    lines = [f"network {name}", f"classes {classifier.out_features}", f"batch_norm_eps {eps:g}"]
    lines.append(f"parameters {parameters}")
    for s in (side, odd):
        macs, activations = count(network, s)
        lines.append(f"at {s} macs {macs} activations {activations}")
    lines.append("")
    lines += [f"{path} {kind} {branches} {channels}" for path, kind, branches, channels in units(network)]
    lines.append("")
    for tensor, value in network.state_dict().items():
        # The counter of training steps: no part of the network's function.
        if not tensor.endswith("num_batches_tracked"):
            lines.append(f"{tensor} {','.join(map(str, value.shape))}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name in sys.argv[1:] or NETWORKS:
        text = describe(name)
        (HERE / f"{name}.txt").write_text(text)
        print(name, *text.split("\n")[3:6], f"{len(text)} bytes", sep="; ")
