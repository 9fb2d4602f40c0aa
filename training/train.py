"""Trains one network of the family, or all, with one recipe; stops and resumes at any epoch.

    python train.py resnest_tiny --data tiny-imagenet-200 --classes classes.txt --out runs
    python train.py --all        --data tiny-imagenet-200 --classes classes.txt --out runs --teacher runs/teacher.npy
"""
import argparse
import copy
import csv
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from tqdm import tqdm

from data import Crops, Photographs, load, normalise, read_classes
from evaluate import answers, topk_accuracy
from fused import fuse, has_bf16
from networks import NETWORKS

Sizes = dict[int, float]  # image size in pixels -> share of the epoch's photographs


@dataclass(frozen=True)
class Recipe:
    """Progressive resizing: most epochs on small images, the last on several sizes, so that all sizes work."""
    phases: tuple[tuple[int, Sizes], ...] = (
        (8, {32: 1.0}),
        (10, {48: 1.0}),
        (4, {64: 0.80, 96: 0.12, 128: 0.08}),
    )
    batch: int = 128
    peak_rate: float = 0.25
    warmup: float = 0.15
    momentum: float = 0.9
    weight_decay: float = 3e-4
    label_smoothing: float = 0.1
    crop_area: tuple[float, float] = (0.35, 1.0)
    whole: float = 0.5
    brightness: float = 0.2
    averaging: float = 0.995
    teacher_weight: float = 0.6
    teacher_temperature: float = 2.0
    seed: int = 0

    @property
    def epochs(self) -> list[Sizes]:
        return [sizes for count, sizes in self.phases for _ in range(count)]

    def batch_of(self, size: int) -> int:
        """Above 64 pixels the batch shrinks with the area, so that a step costs the same time and memory."""
        return self.batch if size <= 64 else max(2, round(self.batch * (64 / size) ** 2 / 8) * 8)

    def rate(self, progress: float) -> float:
        """Linear warm-up, then half a cosine to zero; `progress` is the share of all epochs done, 0..1."""
        if progress < self.warmup:
            return self.peak_rate * progress / self.warmup
        return self.peak_rate * 0.5 * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup)))


def plan_epoch(count: int, sizes: Sizes, recipe: Recipe, random: np.random.Generator) -> list[tuple[int, np.ndarray]]:
    """Deals the shuffled photographs out to (size, rows) batches; incomplete batches are left out."""
    order = random.permutation(count)
    batches, start = [], 0
    for size, share in sizes.items():
        rows = order[start:start + round(share * count)]
        start += len(rows)
        step = min(recipe.batch_of(size), max(len(rows), 1))
        batches += [(size, rows[i:i + step]) for i in range(0, len(rows) - step + 1, step)]
    return [batches[i] for i in random.permutation(len(batches))]


def loss_of(logits: torch.Tensor, labels: torch.Tensor, teacher: torch.Tensor | None, recipe: Recipe) -> torch.Tensor:
    """Cross-entropy with smoothed labels, mixed with distillation (arXiv 1503.02531) where there is a teacher.

    logits, teacher: B x classes; labels: B.
    """
    hard = F.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
    if teacher is None:
        return hard
    t = recipe.teacher_temperature
    soft = F.kl_div((logits / t).log_softmax(1), (teacher / t).log_softmax(1), log_target=True, reduction='batchmean')
    return (1 - recipe.teacher_weight) * hard + recipe.teacher_weight * t * t * soft


def optimiser_of(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum; weight decay on weights alone, not on biases and batch norm."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{'params': weights, 'weight_decay': recipe.weight_decay}, {'params': others, 'weight_decay': 0.0}]
    return torch.optim.SGD(groups, lr=0.0, momentum=recipe.momentum, nesterov=True)


@torch.no_grad()
def average(averaged: nn.Module, network: nn.Module, keep: float):
    """Exponential moving average of weights and of batch norm's statistics, over several image sizes too."""
    for mean, value in zip(averaged.state_dict().values(), network.state_dict().values()):
        if value.is_floating_point():
            mean.lerp_(value, 1 - keep)
        else:
            mean.copy_(value)


@dataclass
class Run:
    """The state of one training, as kept in its checkpoint."""
    network: nn.Module
    averaged: nn.Module
    optimiser: torch.optim.Optimizer
    teacher: bool
    bf16: bool = False
    epoch: int = 0
    seconds: float = 0.0
    log: list[dict] = field(default_factory=list)

    def save(self, path: Path, recipe: Recipe):
        state = {
            'network': self.network.state_dict(), 'averaged': self.averaged.state_dict(),
            'optimiser': self.optimiser.state_dict(), 'epoch': self.epoch, 'seconds': self.seconds, 'log': self.log,
            'recipe': asdict(recipe), 'epochs': len(recipe.epochs), 'teacher': self.teacher,
            'bf16': self.bf16}
        # Renaming replaces at once: a run killed while writing keeps the checkpoint before.
        unfinished = path.with_suffix('.part')
        torch.save(state, unfinished)
        unfinished.replace(path)

    def restore(self, path: Path, recipe: Recipe):
        state = torch.load(path, map_location='cpu', weights_only=True)
        if (state['recipe'], state['teacher'], state.get('bf16', False)) != (
                asdict(recipe), self.teacher, self.bf16):
            raise ValueError(f'{path} was made with another recipe; remove it or use another --out')
        self.network.load_state_dict(state['network'])
        self.averaged.load_state_dict(state['averaged'])
        self.optimiser.load_state_dict(state['optimiser'])
        self.epoch, self.seconds, self.log = state['epoch'], state['seconds'], state['log']


def write_log(path: Path, log: list[dict]):
    with path.open('w', newline='') as file:
        writer = csv.DictWriter(file, fieldnames=log[0])
        writer.writeheader()
        writer.writerows(log)


def train_epoch(run: Run, photographs: Photographs, teacher: np.ndarray | None, recipe: Recipe, title: str) -> float:
    """One pass over the photographs; returns the mean loss. Everything random follows from seed and epoch."""
    random = np.random.default_rng([recipe.seed, run.epoch])
    generator = torch.Generator().manual_seed(int(random.integers(2**62)))
    device = next(run.network.parameters()).device
    batches = plan_epoch(len(photographs), recipe.epochs[run.epoch], recipe, random)
    total = sum(len(rows) for _, rows in batches)
    loss_sum = seen = 0
    run.network.train()
    for size, rows in (bar := tqdm(batches, desc=title, mininterval=5)):
        progress = (run.epoch + (seen + len(rows) / 2) / total) / len(recipe.epochs)
        for group in run.optimiser.param_groups:
            group['lr'] = recipe.rate(progress) * len(rows) / recipe.batch

        crops = Crops.random(len(rows), recipe.crop_area, recipe.whole, generator)
        brightness = 1 + recipe.brightness * (2 * torch.rand(len(rows), 1, 1, 1, generator=generator) - 1)
        images = normalise(crops.sample(photographs.batch(rows), size), brightness)
        images = images.to(device, memory_format=torch.channels_last)
        opinion = None if teacher is None else crops.opinion(teacher[rows]).to(device)

        loss = loss_of(run.network(images), photographs.labels[rows].to(device), opinion, recipe)
        run.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        run.optimiser.step()
        average(run.averaged, run.network, recipe.averaging)

        seen += len(rows)
        loss_sum += loss.item() * len(rows)
        bar.set_postfix(px=size, loss=f'{loss_sum / seen:.3f}')
    return loss_sum / max(seen, 1)


def train(name: str, train_set: Photographs, val_set: Photographs, classes: int, out: Path, recipe: Recipe,
          teacher: np.ndarray | None = None, device: str = 'cpu', fused: bool = False,
          stop_after: int | None = None) -> Run:
    """Trains up to the recipe's last epoch (or `stop_after`), from the checkpoint in `out` where there is one.

    `fused`: on a CPU, with the operators of fused.cpp, and bf16 activations where the processor computes in bf16.
    """
    torch.manual_seed(recipe.seed)
    network = NETWORKS[name](classes).to(device, memory_format=torch.channels_last)
    bf16 = fused and has_bf16()
    run = Run(network, copy.deepcopy(network).eval(), optimiser_of(network, recipe), teacher is not None, bf16)
    if fused:
        fuse(network, bf16)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / f'{name}.pt'
    if checkpoint.exists():
        run.restore(checkpoint, recipe)

    last = len(recipe.epochs) if stop_after is None else min(stop_after, len(recipe.epochs))
    while run.epoch < last:
        start = time.perf_counter()
        sizes = recipe.epochs[run.epoch]
        loss = train_epoch(run, train_set, teacher, recipe, f'{name} {run.epoch + 1}/{len(recipe.epochs)}')
        # Small images are judged by small ones: cheap, and what the epoch was about.
        size = 64 if max(sizes) >= 64 else max(sizes)
        logits = answers(run.averaged, val_set, size)
        run.seconds += time.perf_counter() - start
        run.epoch += 1
        run.log.append({
            'epoch': run.epoch, 'sizes': ' '.join(map(str, sizes)), 'loss': round(loss, 4), 'evaluated_at': size,
            'top1': round(topk_accuracy(logits, val_set.labels, 1), 4),
            'top5': round(topk_accuracy(logits, val_set.labels, 5), 4), 'minutes': round(run.seconds / 60, 1)})
        # In this order: an epoch whose checkpoint was not written is trained again, and its line written again.
        write_log(out / f'{name}.csv', run.log)
        run.save(checkpoint, recipe)
        tqdm.write(f'{name} {run.log[-1]}')
    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('network', nargs='*', help=f'one or more of {", ".join(NETWORKS)}')
    parser.add_argument('--all', action='store_true', help='the whole family, one after the other')
    parser.add_argument('--data', type=Path, required=True, help='the folder with train/ and val/')
    parser.add_argument('--classes', type=Path, required=True, help='the class list, one WordNet id a line')
    parser.add_argument('--out', type=Path, default=Path('runs'), help='checkpoints, logs and decoded images')
    parser.add_argument('--teacher', type=Path, help='what teacher.py wrote; without it, training is from labels alone')
    parser.add_argument('--device', help='cuda where there is one, unless --fused is asked for; else cpu')
    parser.add_argument('--threads', type=int, help='CPU threads')
    parser.add_argument('--fused', action='store_true', help='on a CPU: faster operators, which a C++ compiler makes')
    options = parser.parse_args()
    names = list(NETWORKS) if options.all else options.network
    if not names or set(names) - set(NETWORKS):
        parser.error('name networks of the family, or --all')
    device = options.device or ('cuda' if torch.cuda.is_available() and not options.fused else 'cpu')
    if options.fused and device != 'cpu':
        parser.error('the operators of --fused are for a CPU')
    if options.threads:
        torch.set_num_threads(options.threads)

    classes = read_classes(options.classes)
    train_set = load(options.data, 'train', classes, options.out / 'cache')
    val_set = load(options.data, 'val', classes, options.out / 'cache')
    teacher = np.load(options.teacher, mmap_mode='r') if options.teacher else None
    if options.teacher and options.teacher.with_suffix('.txt').read_text() != Path(train_set.images.filename).stem:
        parser.error(f'{options.teacher} is of other photographs or classes')
    for name in names:
        train(name, train_set, val_set, len(classes), options.out, Recipe(), teacher, device, options.fused)


if __name__ == '__main__':
    main()
