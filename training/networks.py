"""The family of small networks: one row per architecture, built from timm's blocks.

All see 3 x 64 x 64 images and make maps of 32, 16, 8 and 4 pixels in their four stages, and all lie between
60 and 90 million multiply-accumulates, so that a difference in accuracy is a difference in architecture.

    python networks.py      prints the table of parameters, MACs and activations
"""
from collections.abc import Callable
from functools import partial

import torch
from timm.models.regnet import RegNet, RegNetCfg
from timm.models.resnest import ResNestBottleneck
from timm.models.resnet import Bottleneck, ResNet
from timm.models.sknet import SelectiveKernelBottleneck
from torch import nn


def residual(block: type[nn.Module], classes: int, cardinality: int = 1, base_width: int = 64, **block_args) -> ResNet:
    """ResNet-D (arXiv 1812.01187) in small: deep stem of stride 2 without pooling, two bottlenecks per stage.

    ResNeXt (arXiv 1611.05431), SENet (1709.01507), SKNet (1903.06586) and ResNeSt (2004.08955) differ in the block.
    """
    network = ResNet(
        block, layers=(2, 2, 2, 2), channels=(16, 32, 64, 128), num_classes=classes,
        cardinality=cardinality, base_width=base_width, block_args=block_args,
        stem_width=16, stem_type='deep', avg_down=True, zero_init_last=False)
    network.maxpool = nn.Identity()
    return network


def regnet(classes: int, **config) -> RegNet:
    """RegNet (arXiv 2003.13678; Z: 2103.06877) with a stem of stride 1, since the images are small."""
    network = RegNet(RegNetCfg(**config), num_classes=classes, zero_init_last=False)
    network.stem.conv.stride = (1, 1)
    return network


# The paper's bottleneck of the attention: max(width / 16, 32).
SELECTIVE_KERNEL = dict(split_input=False, rd_ratio=1 / 16, rd_divisor=32)
SPLIT_ATTENTION = dict(radix=2, avd=True, avd_first=False)
REGNET_X = dict(w0=40, wa=32.0, wm=2.2, depth=10, group_size=8, stem_width=16)
# Depthwise, inverted bottleneck, linear output; the pair differs in the activation alone.
REGNET_Z = dict(w0=16, wa=16.0, wm=2.5, depth=11, group_size=1, bottle_ratio=4.0,
                downsample=None, linear_out=True, stem_width=16)

NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    'resnet_tiny': partial(residual, Bottleneck, base_width=80),
    'resnext_tiny': partial(residual, Bottleneck, cardinality=8, base_width=16),
    'seresnext_tiny': partial(residual, Bottleneck, cardinality=8, base_width=16, attn_layer='se'),
    'sknet_tiny': partial(
        residual, SelectiveKernelBottleneck, cardinality=8, base_width=16, sk_kwargs=SELECTIVE_KERNEL),
    'resnest_tiny': partial(residual, ResNestBottleneck, **SPLIT_ATTENTION),
    'resnest_tiny_2s2x': partial(residual, ResNestBottleneck, cardinality=2, base_width=40, **SPLIT_ATTENTION),
    'regnetx_tiny': partial(regnet, **REGNET_X),
    'regnety_tiny': partial(regnet, **REGNET_X, se_ratio=0.25),
    'regnetz_relu_tiny': partial(regnet, **REGNET_Z, act_layer='relu'),
    'regnetz_swish_tiny': partial(regnet, **REGNET_Z, act_layer='silu'),
}


def family(name: str) -> str:
    return name.split('_')[0]


def formula(name: str, classes: int) -> str:
    """The network as an expression of timm's names, for whoever rebuilds it elsewhere."""
    row = NETWORKS[name]
    options = dict(row.keywords)
    if row.func is regnet:
        config = ', '.join(f'{key}={value!r}' for key, value in options.items())
        return (f'RegNet(RegNetCfg({config}), num_classes={classes}, zero_init_last=False); '
                'model.stem.conv.stride = (1, 1)')
    cardinality, base_width = options.pop('cardinality', 1), options.pop('base_width', 64)
    block_args = ', '.join(f'{key}={value!r}' for key, value in options.items())
    return (f"ResNet({row.args[0].__name__}, [2, 2, 2, 2], num_classes={classes}, stem_width=16, stem_type='deep', "
            f'avg_down=True, channels=[16, 32, 64, 128], base_width={base_width}, cardinality={cardinality}, '
            f'zero_init_last=False, block_args=dict({block_args})); model.maxpool = Identity()')


def cost(network: nn.Module, size: int = 64) -> dict[str, float]:
    """Counts parameters, multiply-accumulates and activations (outputs of convolutions) of one image, by hooks."""
    macs = activations = 0

    def count(module: nn.Module, _inputs, output: torch.Tensor):
        nonlocal macs, activations
        macs += output.numel() * module.weight[0].numel()
        activations += output.numel() if isinstance(module, nn.Conv2d) else 0

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    was_training = network.training
    device = next(network.parameters()).device
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, size, size, device=device))
    network.train(was_training)
    for hook in hooks:
        hook.remove()
    return {
        'parameters': sum(p.numel() for p in network.parameters()),
        'mmacs': round(macs / 1e6, 1),
        'mactivations': round(activations / 1e6, 3),
    }


def main():
    print(f'{"network":20} {"parameters":>10} {"MMACs":>7} {"Mact":>6}')
    for name, build in NETWORKS.items():
        row = cost(build(100))
        print(f'{name:20} {row["parameters"]:10,} {row["mmacs"]:7.1f} {row["mactivations"]:6.3f}')


if __name__ == '__main__':
    main()
