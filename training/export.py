"""Writes what ships: NAME.safetensors (f16, timm's names, batch norm not folded) and NAME.json beside it.

    python export.py resnest_tiny --data tiny-imagenet-200 --classes classes.txt --out runs --to models
"""
import argparse
import datetime
import json
import subprocess
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from data import MEAN, STD, Photographs, load, read_classes
from evaluate import SIZES, answers, evaluate, restore, topk_accuracy
from networks import NETWORKS, cost, family, formula
from settle import BATCH, BATCHES, SHARES


def half_tensors(network: nn.Module) -> dict[str, torch.Tensor]:
    """All weights and statistics in f16; batch norm's step counters, which nothing reads, stay out."""
    tensors = {}
    for name, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            continue
        half = tensor.half().contiguous()
        if not half.isfinite().all():
            raise ValueError(f'{name} leaves the range of f16')
        tensors[name] = half
    return tensors


def describe_recipe(recipe: dict, teacher: bool, bf16: bool) -> str:
    """One sentence for people, from the recipe that the checkpoint was trained with."""
    def describe(sizes: dict[int, float]) -> str:
        return ', '.join(f'{size} px' + (f' ({share:.0%})' if share < 1 else '') for size, share in sizes.items())

    phases = '; '.join(f'{count} epochs at {describe(sizes)}' for count, sizes in recipe['phases'])
    text = (
        f"SGD Nesterov {recipe['momentum']}, batch {recipe['batch']}, cosine to {recipe['peak_rate']} with "
        f"{recipe['warmup']:.0%} warm-up, weight decay {recipe['weight_decay']:g} on weights, label smoothing "
        f"{recipe['label_smoothing']}, random resized crop (area {recipe['crop_area'][0]} to "
        f"{recipe['crop_area'][1]}) of {1 - recipe['whole']:.0%} of the images, flip, brightness {recipe['brightness']}, "
        f"averaged weights ({recipe['averaging']}); {phases}")
    if teacher:
        text += (f"; distilled (weight {recipe['teacher_weight']}, temperature {recipe['teacher_temperature']}) "
                 'from an EfficientNet-Lite0 trained on ImageNet')
    if bf16:
        text += '; activations in bf16'
    return text + f'; batch norm then settled on {BATCHES} batches of {BATCH} whole training images at {describe(SHARES)}'


def commit() -> str | None:
    """The commit of this code, where it lies in a git work tree, and whether the code differs from it."""
    def git(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(['git', '-C', Path(__file__).parent, *arguments], capture_output=True, text=True)

    asked = git('rev-parse', 'HEAD')
    if asked.returncode != 0:
        return None
    return asked.stdout.strip() + (' and changes' if git('status', '--porcelain', '.').stdout else '')


def export(name: str, train_set: Photographs, val_set: Photographs, classes: list[str], out: Path, to: Path,
           class_file: str, sizes: tuple[int, ...] = SIZES) -> dict:
    network, state = restore(name, out, len(classes), train_set)
    if state['epoch'] < state['epochs']:
        raise ValueError(f'{name} is at epoch {state["epoch"]} of {state["epochs"]}')
    results = evaluate(network, val_set, sizes)
    tensors = half_tensors(network)
    network.load_state_dict({key: value.float() for key, value in tensors.items()}, strict=False)
    native = str(sizes[0])
    rounded = topk_accuracy(answers(network, val_set, sizes[0]), val_set.labels, 1)
    height, width = val_set.images.shape[1:3]
    sheet = {
        'name': name, 'family': family(name), 'input': [3, sizes[0], sizes[0]], 'mean': MEAN, 'std': STD,
        'classes': class_file, **cost(network, sizes[0]),
        'top1': results['accuracy'][native]['top1'], 'top5': results['accuracy'][native]['top5'],
        'ece': results['accuracy'][native]['ece'], 'top1_f16': round(rounded, 4), 'accuracy': results['accuracy'],
        'timm': formula(name, len(classes)),
        'data': f'{len(train_set):,} photographs of {len(classes)} classes of Tiny ImageNet, {width} x {height} pixels'
                + (', with an EfficientNet-Lite0 trained on ImageNet as teacher' if state['teacher'] else '')
                + f'; judged on {len(val_set):,} others',
        'recipe': describe_recipe(state['recipe'], state['teacher'], state.get('bf16', False)), 'epochs': state['epoch'],
        'minutes': round(state['seconds'] / 60), 'date': datetime.date.today().isoformat(), 'commit': commit(),
        'log': [
            f"{name} ep {row['epoch']}/{state['epochs']} res {row['sizes'].replace(' ', '+')} loss {row['loss']:.3f} "
            f"top1 {row['top1']:.4f} top5 {row['top5']:.4f} at {row['evaluated_at']} t {row['minutes'] * 60:.0f}s"
            for row in state['log']],
        'gates': results['gates']}
    to.mkdir(parents=True, exist_ok=True)
    save_file(tensors, to / f'{name}.safetensors', metadata={'format': 'pt'})
    (to / f'{name}.json').write_text(json.dumps(sheet, indent=1) + '\n')
    return sheet


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('network', nargs='+', choices=NETWORKS)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--classes', type=Path, required=True)
    parser.add_argument('--out', type=Path, default=Path('runs'))
    parser.add_argument('--to', type=Path, required=True, help='the folder of the exported files')
    parser.add_argument('--threads', type=int)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    classes = read_classes(options.classes)
    train_set, val_set = (load(options.data, split, classes, options.out / 'cache') for split in ('train', 'val'))
    for name in options.network:
        sheet = export(name, train_set, val_set, classes, options.out, options.to, options.classes.name)
        print(name, {key: sheet[key] for key in ('top1', 'top1_f16', 'ece', 'accuracy')})


if __name__ == '__main__':
    main()
