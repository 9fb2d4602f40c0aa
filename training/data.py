"""Tiny ImageNet as arrays: every photograph is decoded once, augmentation works on whole batches of tensors."""
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from tqdm import tqdm

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
IMAGE_SUFFIXES = {'.jpeg', '.jpg', '.png'}


@dataclass
class Photographs:
    """`images`: uint8, N x H x W x 3, mapped from disk. `labels`: int64, N, row numbers of the class list."""
    images: np.ndarray
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, rows: np.ndarray) -> torch.Tensor:
        """Values 0 to 255 as float32, B x 3 x H x W in channels_last memory order."""
        return torch.from_numpy(np.array(self.images[rows])).permute(0, 3, 1, 2).float()


def read_classes(path: Path) -> list[str]:
    """The WordNet ids of a class list: the first tab-separated column of each line."""
    return [line.split('\t')[0].strip() for line in path.read_text().splitlines() if line.strip()]


def list_files(root: Path, split: str, classes: list[str]) -> list[tuple[Path, int]]:
    """(file, label) pairs of a split in either layout: `val/images` with annotations, or one folder per class."""
    label_of = {wnid: label for label, wnid in enumerate(classes)}
    annotations = root / split / f'{split}_annotations.txt'
    if annotations.exists():
        columns = (line.split('\t') for line in annotations.read_text().splitlines())
        named = [(root / split / 'images' / name, label_of[wnid]) for name, wnid, *_ in columns if wnid in label_of]
        if named and named[0][0].exists():
            return sorted(named)
    files = []
    for wnid, label in label_of.items():
        found = sorted(f for f in (root / split / wnid).rglob('*') if f.suffix.lower() in IMAGE_SUFFIXES)
        if not found:
            raise FileNotFoundError(f'no images of class {wnid} under {root / split}')
        files += [(file, label) for file in found]
    return files


def load(root: Path, split: str, classes: list[str], cache: Path) -> Photographs:
    """Reads a split, decoding it into `cache` the first time; the photographs must share one size."""
    files = list_files(root.resolve(), split, classes)
    # The labels are taken from this list, so an array belongs to one list in one order.
    key = zlib.crc32('\n'.join(f'{file} {label}' for file, label in files).encode())
    array = cache / f'{split}-{len(files)}-{key:08x}.npy'
    if not array.exists():
        cache.mkdir(parents=True, exist_ok=True)
        bar = tqdm(files, desc=f'decode {split}', leave=False)
        images = np.stack([np.asarray(Image.open(file).convert('RGB')) for file, _ in bar])
        # Trainings that begin side by side each write their own; the last one stays.
        unfinished = array.with_suffix(f'.{os.getpid()}.part.npy')
        np.save(unfinished, images)
        unfinished.replace(array)
    labels = torch.tensor([label for _, label in files])
    return Photographs(np.load(array, mmap_mode='r'), labels)


def normalise(images: torch.Tensor, brightness: torch.Tensor | float = 1.0) -> torch.Tensor:
    """B x 3 x H x W from 0..255 to zero mean and unit deviation, optionally times one brightness per image."""
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(1, 3, 1, 1)
    return (images * (brightness / 255) - mean) / std


def resize(images: torch.Tensor, size: int) -> torch.Tensor:
    """Antialiased bilinear, as Pillow resizes."""
    if images.shape[-1] == size and images.shape[-2] == size:
        return images
    return F.interpolate(images, (size, size), mode='bilinear', antialias=True, align_corners=False)


@dataclass
class Crops:
    """Random boxes in units of the image: `centre` and `extent` are B x 2 (x, y), in -1..1 and 0..1; `flip` is B."""
    centre: torch.Tensor
    extent: torch.Tensor
    flip: torch.Tensor

    @staticmethod
    def random(count: int, area: tuple[float, float], whole: float, generator: torch.Generator) -> 'Crops':
        """Area uniform, aspect ratio log-uniform in 3/4..4/3, place uniform, half of them mirrored.

        A share `whole` of them are the image itself, shifted by up to a tenth in whole pixels of 64: crops are
        enlarged and so blurred, and a network that sees nothing else misjudges sharp images.
        """
        uniform = torch.rand(count, 6, generator=generator)
        area_drawn = area[0] + (area[1] - area[0]) * uniform[:, 0]
        aspect_root = torch.exp((uniform[:, 1] - 0.5) * torch.log(torch.tensor(4 / 3)))
        side = area_drawn.sqrt()
        extent = torch.stack([side * aspect_root, side / aspect_root], dim=1).clamp(max=1)
        centre = (2 * uniform[:, 2:4] - 1) * (1 - extent)
        is_whole = uniform[:, 5:] < whole
        shift = ((2 * uniform[:, 2:4] - 1) * 6.4).round() * 2 / 64
        centre, extent = torch.where(is_whole, shift, centre), torch.where(is_whole, 1.0, extent)
        return Crops(centre, extent, uniform[:, 4] < 0.5)

    def sample(self, images: torch.Tensor, size: int) -> torch.Tensor:
        """Resamples B x C x H x W to B x C x size x size."""
        mirror = torch.where(self.flip, -1.0, 1.0)
        zero = torch.zeros_like(mirror)
        theta = torch.stack([
            torch.stack([self.extent[:, 0] * mirror, zero, self.centre[:, 0]], dim=1),
            torch.stack([zero, self.extent[:, 1], self.centre[:, 1]], dim=1)], dim=1)
        grid = F.affine_grid(theta.to(images.device), (len(images), images.shape[1], size, size), align_corners=False)
        return F.grid_sample(images, grid, mode='bilinear', padding_mode='border', align_corners=False)

    def opinion(self, logits: np.ndarray) -> torch.Tensor:
        """What a teacher says of these crops: B x classes, from its B x classes x h x w maps of logits.

        Averaging the map inside the box instead of running the teacher on every crop is ReLabel (arXiv 2101.05022).
        """
        return self.sample(torch.from_numpy(np.asarray(logits)).float(), 4).mean((2, 3))
