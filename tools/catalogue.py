"""Writes static/models/catalogue.json: the published ImageNet checkpoints of the table's networks.

    python tools/catalogue.py results-imagenet.csv

Needs torch, timm (1.0.31) and safetensors. The argument is timm's table of results,
`results/results-imagenet.csv` of github.com/huggingface/pytorch-image-models.

- Tags, preprocessing, licence and repository are those of timm's registry, in its order: the first tag of a
  network is the one that timm takes when none is named. Left out are tags that were never published and
  tags without the 1000 classes of ImageNet.
- `top1` comes from timm's table and belongs to the `input` and `crop_fraction` of its entry. The table has
  some checkpoints at two sides; the entry is the row at 224, so that networks compare. Only what was
  published at another side alone has that side (resnest101e at 256, for example).
- `bytes` is computed, not downloaded: the length of the file that safetensors writes from timm's state dict.
  Its data are those of the published file; the header's length differs by some dozens of bytes between
  versions of the writer, so the length that the server says is the truth.
"""

import csv
import json
import sys
from pathlib import Path

import safetensors.torch
import timm
import torch
from timm.models import get_pretrained_cfg
from timm.models._registry import _model_default_cfgs

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "arch"))

import generate as arch  # noqa: E402


def file_bytes(name):
    """Length of the safetensors file that holds `timm.create_model(name)`, as timm writes it to the hub."""
    state = timm.create_model(name, device="meta").state_dict()
    zeros = {tensor: torch.zeros(value.shape, dtype=value.dtype) for tensor, value in state.items()}
    return len(safetensors.torch.save(zeros, metadata={"format": "pt"}))


def settings(cfg):
    """(side, crop fraction) that timm evaluates at: its own, and the larger one of tests where there is one."""
    own = (cfg.input_size[-1], cfg.crop_pct)
    test = ((cfg.test_input_size or cfg.input_size)[-1], cfg.test_crop_pct or cfg.crop_pct)
    return dict.fromkeys([own, test])


def published(cfg, rows):
    """The (side, crop fraction, top-1) of timm's table at 224, or else the only one."""
    found = []
    for side, crop in settings(cfg):
        for row in rows:
            same = (int(row["img_size"]), row["crop_pct"], row["interpolation"])
            if same == (side, f"{crop:.3f}", cfg.interpolation):
                found.append((side, crop, round(float(row["top1"]) / 100, 5)))
    at_224 = [one for one in found if one[0] == 224]
    (one,) = at_224 or found
    return one


def entries(name, results):
    """The entries of one network."""
    tags = _model_default_cfgs[name].cfgs
    cfgs = [(tag, get_pretrained_cfg(f"{name}.{tag}")) for tag in tags]
    cfgs = [(tag, cfg) for tag, cfg in cfgs if cfg.hf_hub_id and cfg.num_classes == 1000]
    size = file_bytes(name) if cfgs else 0
    for tag, cfg in cfgs:
        assert cfg.crop_mode == "center" and cfg.license, f"{name}.{tag}"
        side, crop, top1 = published(cfg, results[f"{name}.{tag}"])
        yield {
            "name": name, "tag": tag,
            "repository": cfg.hf_hub_id, "revision": "main", "file": "model.safetensors",
            "bytes": size, "top1": top1, "licence": cfg.license,
            "input": [3, side, side], "crop_fraction": crop, "filter": cfg.interpolation,
            "mean": cfg.mean, "std": cfg.std, "classes": "imagenet.txt",
        }  # fmt: skip


if __name__ == "__main__":
    results = {}
    with open(sys.argv[1]) as file:
        for row in csv.DictReader(file):
            results.setdefault(row["model"], []).append(row)
    names = [name for name in arch.NETWORKS if name not in arch.tiny.NETWORKS]
    lines = [json.dumps(entry) for name in names for entry in entries(name, results)]
    text = '{"entries": [\n' + ",\n".join(lines) + "\n]}\n"
    (ROOT / "static" / "models" / "catalogue.json").write_text(text)
    print(len(lines), "entries,", len(text), "bytes")
