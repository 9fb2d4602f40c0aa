"""Shows that torchvision's networks differ from timm's by names alone, and writes the names of two of them.

    python tests/arch/torchvision_names.py

Needs torch, torchvision, timm, numpy and safetensors. Both networks get the same hashed values (of
tests/golden/networks.py) and run on the same image, in f64: their logits must agree, which padding, epsilons
and the widths of attention must do for it.

- ResNet and ResNeXt: the names are timm's already.
- RegNet: timm's own conversion says which name is which, and src/weights/rename.rs must agree. For one without
  attention and one with it, tests/arch/torchvision/<timm id>.txt has a line for each tensor:
  `TORCHVISION'S_NAME TIMM'S_NAME`, without `num_batches_tracked`. torchvision's regnet_x_400mf and
  regnet_y_800mf have other widths than timm's regnetx_004 and regnety_008, and are none of the table's.
"""

from importlib import util
from pathlib import Path

import torch
from timm.models.regnet import _filter_fn
from torchvision import models

HERE = Path(__file__).resolve().parent
# By its path, since training/ has a module of the same name.
spec = util.spec_from_file_location("golden", HERE.parent / "golden" / "networks.py")
golden = util.module_from_spec(spec)
spec.loader.exec_module(golden)

RESNETS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnext50_32x4d"]
# torchvision's name: timm's.
REGNETS = {
    "regnet_x_800mf": "regnetx_008", "regnet_x_1_6gf": "regnetx_016", "regnet_x_3_2gf": "regnetx_032",
    "regnet_y_400mf": "regnety_004", "regnet_y_1_6gf": "regnety_016", "regnet_y_3_2gf": "regnety_032",
}  # fmt: skip
LISTED = ["regnetx_008", "regnety_016"]
SIDE = 97


def timm_names(name, state):
    """torchvision's name of every tensor: timm's."""
    names = dict(zip(state, state))
    if name in REGNETS:
        names = {theirs: timm for timm, theirs in _filter_fn(names).items()}
    return {theirs: timm for theirs, timm in names.items() if not theirs.endswith("num_batches_tracked")}


def compare(name, timm_name):
    """torchvision's name of every tensor: timm's, once logits have been found to agree."""
    network, _ = golden.build(timm_name)
    expected = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    theirs = getattr(models, name)().double().eval()
    names = timm_names(name, theirs.state_dict())
    assert sorted(names.values()) == sorted(expected), name
    theirs.load_state_dict({k: expected[v] for k, v in names.items()}, strict=False)
    for k, v in names.items():
        assert torch.equal(theirs.state_dict()[k], expected[v]), k

    image = torch.from_numpy(golden.image(SIDE)).double()[None]
    with torch.no_grad():
        logits, found = network(image), theirs(image)
    difference = ((logits - found).abs().max() / (logits.max() - logits.min())).item()
    print(f"{name}: logits differ by {difference:.1e} of their spread", flush=True)
    assert difference < 1e-12
    return names


if __name__ == "__main__":
    torch.set_num_threads(1)
    out = HERE / "torchvision"
    out.mkdir(exist_ok=True)
    for name in RESNETS:
        assert all(theirs == timm for theirs, timm in compare(name, name).items()), name
    for name, timm_name in REGNETS.items():
        lines = [f"{theirs} {timm}\n" for theirs, timm in compare(name, timm_name).items()]
        if timm_name in LISTED:
            (out / f"{timm_name}.txt").write_text("".join(lines))
