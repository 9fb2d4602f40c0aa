"""The network that ships with the page, built from timm's blocks. Shared by both generators."""

from timm.models.resnest import ResNestBottleneck
from timm.models.resnet import ResNet
from torch import nn

CLASSES = 100
SIZE = 64


def resnest_tiny(**factory):
    """ResNeSt with two blocks a stage and narrow stages, as the `timm` field of
    static/models/resnest_tiny.json describes it: (N, 3, 64, 64) -> (N, 100).

    `factory` goes to timm (device=, dtype=). Weights are timm's initial ones.
    """
    network = ResNet(
        ResNestBottleneck,
        [2, 2, 2, 2],
        num_classes=CLASSES,
        stem_width=16,
        stem_type="deep",
        avg_down=True,
        channels=[16, 32, 64, 128],
        base_width=64,
        cardinality=1,
        zero_init_last=False,
        block_args=dict(radix=2, avd=True, avd_first=False),
        **factory,
    )
    network.maxpool = nn.Identity()  # the stem alone halves 64 x 64 already
    return network
