"""Writes the golden data of tests/golden from PyTorch, timm and Pillow.

    python tests/golden/generate.py            # everything
    python tests/golden/generate.py ops        # one part: images, network, ops, preprocess, what_if

Needs torch, timm, torchvision, pillow, numpy and safetensors. The stored files were written with the
versions that each JSON file names under `versions`. Everything runs on the CPU in f32 with a fixed
seed; another version of torch may change the last digits, which the tests' tolerances allow.

Layouts: tensors are NCHW f32; maps are rows of H x W; attention is (radix, channels), where branch r
holds the channels of all cardinal groups in the order of the unit's output, that is timm's
`RadixSoftmax` output viewed as (radix, channels).
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from safetensors.torch import load_file, save
from timm.data import create_transform
from timm.layers.split_attn import RadixSoftmax

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "training"))

from networks import NETWORKS  # noqa: E402

STATIC = HERE.parent.parent / "static"
SIZE = 64  # side of the tiny family's images
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

VERSIONS = {
    "torch": torch.__version__.split("+")[0],
    "torchvision": torchvision.__version__.split("+")[0],
    "timm": timm.__version__,
    "pillow": Image.__version__,
}

# (file in images/, sample it is made from, crop box in the sample as fractions l, t, r, b, size w x h).
# Odd, portrait and wide sizes, so that both the rounding of the long side and of the crop is exercised.
IMAGES = [
    ("red_panda_197x153.png", "red_panda.jpg", (0.14, 0.0, 0.86, 1.0), (197, 153)),
    ("koala_97x131.png", "koala.jpg", (0.0, 0.02, 1.0, 0.99), (97, 131)),
    ("bison_190x75.png", "bison.jpg", (0.0, 0.25, 1.0, 0.78), (190, 75)),
]


def write_json(path, value):
    """Writes `value` with the outer four levels one entry a line and arrays of numbers in one line: diffable."""

    def dump(item, depth):
        pad = " " * (depth + 1)
        if depth < 4 and isinstance(item, dict) and item:
            body = ",\n".join(f"{pad}{json.dumps(k)}: {dump(v, depth + 1)}" for k, v in item.items())
            return "{\n" + body + "\n" + " " * depth + "}"
        if depth < 4 and isinstance(item, list) and item and isinstance(item[0], dict):
            return "[\n" + ",\n".join(pad + dump(v, depth + 1) for v in item) + "\n" + " " * depth + "]"
        return json.dumps(item, separators=(",", ":"), ensure_ascii=False)

    path.write_text(dump(value, 0) + "\n", encoding="utf-8")


def write_tensors(path, tensors):
    """name -> f32 tensor. Written through bytes, so that the file gets the usual permissions."""
    path.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}))


def digits(tensor, significant):
    """Nested lists of the tensor's values, rounded to `significant` digits."""
    if tensor.ndim == 0:
        return float(f"{tensor.item():.{significant}g}")
    return [digits(row, significant) for row in tensor]


# ---------------------------------------------------------------------------------------- images


def make_images():
    (HERE / "images").mkdir(exist_ok=True)
    for name, sample, (left, top, right, bottom), size in IMAGES:
        image = Image.open(STATIC / "samples" / sample).convert("RGB")
        w, h = image.size
        box = (round(left * w), round(top * h), round(right * w), round(bottom * h))
        image.crop(box).resize(size, Image.LANCZOS).save(HERE / "images" / name, optimize=True)


# ----------------------------------------------------------------------------------- preprocessing


def resize_and_crop(image, scale_size, crop, resample):
    """Pillow resize of the shorter side to `scale_size`, then a centre crop of `crop` pixels.

    Spelled out here, and compared with timm's transform in `make_preprocess`, because the roundings are
    what a re-implementation gets wrong: the long side is truncated, and the offset of the crop is Python's
    round(), ties to even (0.5 -> 0, 1.5 -> 2).
    """
    w, h = image.size
    if w <= h:
        size = (scale_size, int(scale_size * h / w))
    else:
        size = (int(scale_size * w / h), scale_size)
    if size != (w, h):  # torchvision returns the image untouched
        image = image.resize(size, resample)
    left = int(round((size[0] - crop) / 2.0))
    top = int(round((size[1] - crop) / 2.0))
    return image.crop((left, top, left + crop, top + crop)), size, (left, top)


def normalise(image):
    """uint8 RGB image -> (1, 3, H, W) f32: value / 255, minus the mean, divided by the deviation."""
    pixels = torch.from_numpy(np.array(image, dtype=np.uint8)).permute(2, 0, 1).to(torch.float32) / 255
    return ((pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1))[None]


# (name, image, input size, crop fraction, filter). Lossless inputs alone: JPEG decoders differ in the last bit.
PREPROCESS = [
    ("red_panda_96_bicubic_0.875", "red_panda_197x153.png", 96, 0.875, "bicubic"),
    ("red_panda_64_bilinear_1.0", "red_panda_197x153.png", 64, 1.0, "bilinear"),
    ("koala_96_bilinear_0.875", "koala_97x131.png", 96, 0.875, "bilinear"),  # enlarges: 97 -> 109
    ("bison_96_bicubic_0.95", "bison_190x75.png", 96, 0.95, "bicubic"),  # enlarges: 75 -> 101
    ("koala_64_bicubic_0.95", "koala_97x131.png", 64, 0.95, "bicubic"),
]


def make_preprocess():
    out = HERE / "preprocess"
    out.mkdir(exist_ok=True)
    cases = []
    for name, source, size, crop_pct, filter_name in PREPROCESS:
        image = Image.open(HERE / "images" / source).convert("RGB")
        scale_size = math.floor(size / crop_pct)
        resample = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}[filter_name]
        result, resized, (left, top) = resize_and_crop(image, scale_size, size, resample)
        transform = create_transform(
            (3, size, size), interpolation=filter_name, crop_pct=crop_pct, mean=MEAN, std=STD
        )
        theirs = transform(image)[None]
        assert torch.allclose(theirs, normalise(result), atol=1e-6), f"{name} differs from timm's transform"
        result.save(out / f"{name}.png", optimize=True)
        cases.append(
            {
                "name": name,
                "image": f"images/{source}",
                "size": size,
                "crop_pct": crop_pct,
                "filter": filter_name,
                "resized": list(resized),
                "crop_left_top": [left, top],
                "result": f"preprocess/{name}.png",
            }
        )
    write_json(
        HERE / "preprocess.json",
        {
            "versions": VERSIONS,
            "note": "result: uint8 RGB after Pillow's resize (shorter side to floor(size / crop_pct)) and"
            " centre crop, as timm's evaluation transform does",
            "cases": cases,
        },
    )


# ------------------------------------------------------------------------------------------ network


def trained_tiny():
    """The shipped network with its trained weights, in f32 and eval mode."""
    network = NETWORKS["resnest_tiny"](100)
    state = load_file(STATIC / "models" / "resnest_tiny.safetensors")
    state = {name: value.float() for name, value in state.items()}
    missing, unexpected = network.load_state_dict(state, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    return network.eval()


def make_network():
    network = trained_tiny()
    labels = [line.split("\t")[1] for line in (STATIC / "models" / "classes.txt").read_text().splitlines()]
    splits, gates, outputs, last = {}, {}, {}, {}
    units = [name for name, module in network.named_modules() if isinstance(module, timm.layers.SplitAttn)]
    modules = dict(network.named_modules())
    for unit in units:
        # clone(): the activations are in place, a later layer must not change what is kept.
        modules[unit + ".act0"].register_forward_hook(lambda m, i, o, u=unit: splits.__setitem__(u, o.clone()))
        modules[unit + ".rsoftmax"].register_forward_hook(lambda m, i, o, u=unit: gates.__setitem__(u, o.clone()))
        modules[unit].register_forward_hook(lambda m, i, o, u=unit: outputs.__setitem__(u, o.clone()))
    network.layer4.register_forward_hook(lambda m, i, o: last.__setitem__("features", o.clone()))

    images, worst = [], 0.0
    for index, (name, *_rest) in enumerate(IMAGES):
        image = Image.open(HERE / "images" / name).convert("RGB")
        cropped, _, _ = resize_and_crop(image, SIZE, SIZE, Image.BILINEAR)
        tensor = normalise(cropped)
        if index == 0:
            write_tensors(HERE / "resnest_tiny_input.safetensors", {"input": tensor})
        with torch.no_grad():
            logits = network(tensor)[0]
        probabilities = logits.softmax(0)
        top = [
            {"index": int(i), "label": labels[i], "probability": digits(probabilities[i], 7)}
            for i in logits.topk(5).indices
        ]
        entries = []
        for unit in units:
            radix = modules[unit].radix
            _, width, height, wide = splits[unit].shape
            channels = width // radix
            attention = gates[unit].view(radix, channels)
            activation = splits[unit].view(radix, channels, height, wide)
            contribution = (attention[:, :, None, None] * activation).sum(1)  # (radix, H, W)
            output = outputs[unit][0].sum(0)
            worst = max(worst, ((contribution.sum(0) - output).abs().max() / output.abs().max()).item())
            entry = {"name": unit, "attention": digits(attention, 7)}
            # Maps of the first image alone: three images would triple the file for the same check.
            if index == 0:
                entry["contribution"] = digits(contribution, 7)
                entry["output_sum"] = digits(output, 7)
            entries.append(entry)
        record = {"file": f"images/{name}", "logits": digits(logits, 8), "top": top, "units": entries}
        if index == 0:
            # Global average pooling then one linear layer: without the bias, the mean of this map is the logit.
            best = top[0]["index"]
            cam = torch.einsum("c,chw->hw", network.fc.weight[best].detach(), last["features"][0])
            assert abs(cam.mean() + network.fc.bias[best].detach() - logits[best]) < 1e-4
            record["class_activation"] = {"index": best, "label": labels[best], "map": digits(cam, 7)}
        images.append(record)
        print(name, [(t["label"], round(t["probability"], 3)) for t in top])
    print("branch maps against the unit's output, worst relative difference:", worst)
    write_json(
        HERE / "resnest_tiny.json",
        {
            "versions": VERSIONS,
            "note": "attention: radix x channels; contribution: radix x H x W, attention x activation summed"
            " over channels; output_sum: H x W, the unit's output summed over channels; class_activation:"
            " last feature map weighted by the class's row of fc.weight, no bias",
            "preprocess": {"size": SIZE, "crop_pct": 1.0, "filter": "bilinear", "mean": MEAN, "std": STD},
            "images": images,
        },
    )


# ------------------------------------------------------------------------------------------ what if

# As the command's `--gates` has them.
WHAT_IF = ["all=uniform", "layer2.0.conv2=swap", "layer2.0.conv2=0.2/0.9"]


def replaced(attention, how):
    """Gates [radix, channels] in place of these."""
    if how == "swap":
        return attention.flip(0)
    weights = [1 / len(attention)] * len(attention) if how == "uniform" else map(float, how.split("/"))
    return torch.tensor(list(weights))[:, None].expand_as(attention)


def make_what_if():
    """The trained network on the first image with gates replaced: a forward hook puts others in their place, and
    timm's own code goes on with them."""
    name = IMAGES[0][0]
    cropped, _, _ = resize_and_crop(Image.open(HERE / "images" / name).convert("RGB"), SIZE, SIZE, Image.BILINEAR)
    cases = []
    for gates in WHAT_IF:
        unit, how = gates.split("=")
        network, units = trained_tiny(), []

        def hook(path, module, output):
            attention = output.view(module.radix, -1)
            if unit in ("all", path):
                attention = replaced(attention, how)
            units.append({"name": path, "mean": digits(attention.mean(1), 7)})
            return attention.reshape(output.shape)

        for path, module in network.named_modules():
            if isinstance(module, timm.layers.SplitAttn):
                module.rsoftmax.register_forward_hook(lambda m, i, o, path=path: hook(path, m, o))
        with torch.no_grad():
            logits = network(normalise(cropped))[0]
        cases.append({"gates": gates, "logits": digits(logits, 8), "units": units})
    write_json(
        HERE / "what_if.json",
        {
            "versions": VERSIONS,
            "note": "mean: of each branch's gates over the channels, in the order of the forward pass",
            "image": f"images/{name}",
            "cases": cases,
        },
    )


# ---------------------------------------------------------------------------------------------- ops


class Ops:
    """Collects op cases: tensors go to ops.safetensors, descriptions to ops.json."""

    def __init__(self):
        self.generator = torch.Generator().manual_seed(20240603)
        self.tensors, self.cases = {}, []

    def rand(self, *shape, scale=1.0, shift=0.0):
        return torch.randn(*shape, generator=self.generator) * scale + shift

    def add(self, name, op, inputs, output, **attributes):
        """inputs: role -> tensor, stored as `name/role`; output stored as `name/output`."""
        keys = {role: f"{name}/{role}" for role in inputs}
        for role, tensor in inputs.items():
            self.tensors[keys[role]] = tensor.contiguous().clone()
        self.tensors[f"{name}/output"] = output.contiguous().clone()
        case = {"name": name, "op": op, "attributes": attributes, "inputs": keys, "output": f"{name}/output"}
        case["shapes"] = {role: list(t.shape) for role, t in inputs.items()} | {"output": list(output.shape)}
        self.cases.append(case)

    def conv(self, name, shape, out, kernel, stride=1, padding=0, dilation=1, groups=1, bias=False):
        x = self.rand(*shape)
        fan_in = shape[1] // groups * kernel * kernel
        weight = self.rand(out, shape[1] // groups, kernel, kernel, scale=fan_in**-0.5)
        b = self.rand(out) if bias else None
        y = F.conv2d(x, weight, b, stride, padding, dilation, groups)
        inputs = {"x": x, "weight": weight} | ({"bias": b} if bias else {})
        self.add(
            name, "conv2d", inputs, y,
            kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias,
        )  # fmt: skip


def make_ops():
    ops = Ops()

    # conv2d: x (N, C, H, W), weight (O, C / groups, K, K), bias (O); cross-correlation, as in torch.
    ops.conv("conv_3x3", (1, 5, 9, 7), 6, 3, padding=1)
    ops.conv("conv_3x3_bias_batch2", (2, 3, 6, 5), 7, 3, padding=1, bias=True)
    ops.conv("conv_3x3_valid", (1, 4, 7, 6), 3, 3)
    ops.conv("conv_3x3_stride2", (1, 4, 11, 8), 5, 3, stride=2, padding=1)
    ops.conv("conv_3x3_dilated2", (1, 4, 9, 10), 6, 3, padding=2, dilation=2)
    ops.conv("conv_3x3_dilated2_stride2_groups2", (1, 6, 11, 9), 4, 3, stride=2, padding=2, dilation=2, groups=2)
    ops.conv("conv_3x3_groups4", (1, 12, 6, 7), 8, 3, padding=1, groups=4)
    ops.conv("conv_3x3_groups3_bias", (1, 9, 5, 5), 15, 3, padding=1, groups=3, bias=True)
    ops.conv("conv_3x3_depthwise", (1, 7, 8, 6), 7, 3, padding=1, groups=7)
    ops.conv("conv_5x5_depthwise_stride2", (1, 6, 9, 11), 6, 5, stride=2, padding=2, groups=6)
    ops.conv("conv_3x3_depthwise_multiplier2", (1, 3, 5, 6), 6, 3, padding=1, groups=3)
    ops.conv("conv_3x3_wide_padding", (1, 3, 2, 3), 4, 3, padding=4)  # padding larger than the kernel and the map
    ops.conv("conv_7x7_stride2", (1, 3, 17, 13), 5, 7, stride=2, padding=3)
    ops.conv("conv_1x1", (1, 10, 7, 5), 9, 1)
    ops.conv("conv_1x1_bias", (2, 6, 3, 4), 5, 1, bias=True)
    ops.conv("conv_1x1_groups2_bias", (1, 8, 1, 1), 6, 1, groups=2, bias=True)
    ops.conv("conv_1x1_stride2", (1, 4, 7, 6), 3, 1, stride=2)
    ops.conv("conv_1x1_pixel", (1, 17, 1, 1), 13, 1)

    # Convolution then batch norm in eval mode: what folding has to reproduce.
    for name, eps, bias in (("conv_bn", 1e-5, False), ("conv_bn_eps3_bias", 1e-3, True)):
        x, weight = ops.rand(1, 4, 6, 5), ops.rand(6, 2, 3, 3, scale=0.3)
        b = ops.rand(6) if bias else None
        gamma, beta = ops.rand(6, shift=1.0, scale=0.3), ops.rand(6)
        mean, var = ops.rand(6), ops.rand(6).square() + 0.05
        var[2] = 1e-4  # a small variance makes the eps matter
        y = F.batch_norm(F.conv2d(x, weight, b, 1, 1, 1, 2), mean, var, gamma, beta, False, 0.0, eps)
        inputs = {"x": x, "weight": weight} | ({"bias": b} if bias else {})
        inputs |= {"bn_weight": gamma, "bn_bias": beta, "bn_running_mean": mean, "bn_running_var": var}
        ops.add(
            name, "conv2d_batch_norm", inputs, y,
            kernel=3, stride=1, padding=1, dilation=1, groups=2, bias=bias, eps=eps,
        )  # fmt: skip

    x = ops.rand(1, 3, 5, 7, scale=4.0)
    x[0, 0, 0, :5] = torch.tensor([0.0, 6.0, 7.5, 60.0, -60.0])  # the corners, and where exp() saturates
    for op, function in (("relu", F.relu), ("silu", F.silu), ("relu6", F.relu6), ("sigmoid", torch.sigmoid)):
        ops.add(op, op, {"x": x}, function(x))

    def max_pool(name, shape, kernel, stride, padding, ceil_mode, shift=0.0):
        x = ops.rand(*shape, shift=shift)
        y = F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil_mode)
        ops.add(
            name, "max_pool2d", {"x": x}, y, kernel=kernel, stride=stride, padding=padding, ceil_mode=ceil_mode
        )

    max_pool("max_pool_3x3_s2_p1", (1, 3, 10, 7), 3, 2, 1, False)
    max_pool("max_pool_3x3_s2_p1_negative", (1, 2, 7, 9), 3, 2, 1, False, shift=-9.0)  # padding is -inf, not 0
    max_pool("max_pool_3x3_s2_p1_ceil", (1, 3, 10, 8), 3, 2, 1, True)
    max_pool("max_pool_3x3_s2_ceil", (1, 3, 8, 6), 3, 2, 0, True)
    max_pool("max_pool_2x2_s2", (2, 2, 5, 4), 2, 2, 0, False)

    def avg_pool(name, shape, kernel, stride, padding, ceil_mode, count_include_pad):
        x = ops.rand(*shape)
        y = F.avg_pool2d(x, kernel, stride, padding, ceil_mode, count_include_pad)
        ops.add(
            name, "avg_pool2d", {"x": x}, y,
            kernel=kernel, stride=stride, padding=padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad,
        )  # fmt: skip

    avg_pool("avg_pool_2x2_s2_ceil", (1, 3, 7, 9), 2, 2, 0, True, False)
    avg_pool("avg_pool_2x2_s2_ceil_mixed", (2, 2, 6, 5), 2, 2, 0, True, False)
    avg_pool("avg_pool_2x2_s2_ceil_pixel", (1, 2, 1, 1), 2, 2, 0, True, False)
    avg_pool("avg_pool_3x3_s2_p1", (1, 3, 8, 7), 3, 2, 1, False, True)
    avg_pool("avg_pool_3x3_s1_p1", (1, 3, 5, 6), 3, 1, 1, False, True)
    avg_pool("avg_pool_3x3_s1_p1_pixel", (1, 2, 1, 1), 3, 1, 1, False, True)
    avg_pool("avg_pool_3x3_s2_p1_exclude", (1, 2, 6, 7), 3, 2, 1, False, False)
    avg_pool("avg_pool_3x3_s2_p1_ceil", (1, 2, 6, 8), 3, 2, 1, True, True)

    for name, shape in (("global_avg_pool", (2, 5, 7, 6)), ("global_avg_pool_pixel", (1, 3, 1, 1))):
        x = ops.rand(*shape, shift=0.5)
        ops.add(name, "global_avg_pool", {"x": x}, x.mean((2, 3), keepdim=True))

    # RadixSoftmax: x (N, channels * radix, 1, 1), viewed (N, cardinality, radix, channels / cardinality);
    # output (N, radix * channels), radix-major: viewed (N, radix, channels). At radix 1 a sigmoid.
    for radix, cardinality, channels in ((2, 1, 10), (4, 2, 12), (1, 4, 8), (1, 1, 7), (2, 3, 9), (3, 2, 10)):
        x = ops.rand(2, channels * radix, 1, 1, scale=2.0)
        y = RadixSoftmax(radix, cardinality)(x if radix > 1 else x.flatten(1))
        ops.add(
            f"radix_softmax_r{radix}_k{cardinality}", "radix_softmax", {"x": x}, y,
            radix=radix, cardinality=cardinality, channels=channels,
        )  # fmt: skip

    # Splits: x (N, radix * channels, H, W), radix-major; attention (N, radix * channels), radix-major.
    for radix, channels, height, width in ((2, 5, 6, 7), (4, 3, 5, 3), (1, 4, 3, 5), (2, 7, 1, 1)):
        x = ops.rand(2, radix * channels, height, width)
        attention = torch.rand(2, radix * channels, generator=ops.generator)
        split = x.view(2, radix, channels, height, width)
        name = f"r{radix}_c{channels}"
        ops.add(f"sum_splits_{name}", "sum_splits", {"x": x}, split.sum(1), radix=radix)
        weighted = (split * attention.view(2, radix, channels, 1, 1)).sum(1)
        ops.add(f"weighted_sum_{name}", "weighted_sum", {"x": x, "attention": attention}, weighted, radix=radix)

    # linear: x (N, C), weight (O, C), bias (O).
    for name, n, c, o in (("linear", 1, 19, 11), ("linear_batch3", 3, 8, 13)):
        x, weight, b = ops.rand(n, c), ops.rand(o, c, scale=c**-0.5), ops.rand(o)
        ops.add(name, "linear", {"x": x, "weight": weight, "bias": b}, F.linear(x, weight, b))

    a, b = ops.rand(1, 5, 4, 3), ops.rand(1, 5, 4, 3)
    ops.add("add_relu", "add_relu", {"x": a, "y": b}, F.relu(a + b))

    write_tensors(HERE / "ops.safetensors", ops.tensors)
    write_json(HERE / "ops.json", {"versions": VERSIONS, "cases": ops.cases})


PARTS = {
    "images": make_images, "preprocess": make_preprocess, "network": make_network, "what_if": make_what_if, "ops": make_ops,
}  # fmt: skip

if __name__ == "__main__":
    torch.set_num_threads(1)  # the order of sums, and so the last digit, is then the same everywhere
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
