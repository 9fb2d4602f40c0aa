"""Exports timm's networks, with the weights of tests/golden/networks.py, to FOLDER/ID-SIDE.onnx.

    python bench/export.py FOLDER ID:SIDE..
"""

import importlib.util
import sys
from pathlib import Path

import torch

OPSET = 17


def golden():
    """tests/golden/networks.py, under a name that its own import of `networks` does not meet."""
    path = Path(__file__).resolve().parent.parent / "tests/golden/networks.py"
    spec = importlib.util.spec_from_file_location("golden_networks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(folder, requests):
    networks = golden()
    for request in requests:
        name, side = request.split(":")
        network, _ = networks.build(name)
        image = torch.zeros(1, 3, int(side), int(side))
        path, part = Path(folder) / f"{name}-{side}.onnx", Path(folder) / f"{name}-{side}.part"
        # The exporter that folds batch norm into the convolutions, as a user would have it.
        torch.onnx.export(
            network.float(), (image,), part, input_names=["image"], output_names=["logits"],
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
        part.rename(path)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
