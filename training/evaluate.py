"""Accuracy at several image sizes, calibration, and how alive the attention is.

    python evaluate.py resnest_tiny --data tiny-imagenet-200 --classes classes.txt --out runs
"""
import argparse
import json
from pathlib import Path

import torch
from timm.layers import SEModule, SplitAttn
from timm.layers.selective_kernel import SelectiveKernelAttn
from torch import nn

from data import Photographs, load, normalise, read_classes, resize
from networks import NETWORKS
from settle import settle

SIZES = (64, 96, 128)


@torch.inference_mode()
def answers(network: nn.Module, photographs: Photographs, size: int, pixels_per_batch: int = 500_000) -> torch.Tensor:
    """Logits of all photographs resized to `size`: N x classes, on the CPU."""
    network.eval()
    device = next(network.parameters()).device
    step = max(1, pixels_per_batch // size**2)
    logits = []
    for start in range(0, len(photographs), step):
        images = normalise(resize(photographs.batch(slice(start, start + step)).to(device), size))
        logits.append(network(images.contiguous(memory_format=torch.channels_last)).cpu())
    return torch.cat(logits)


def topk_accuracy(logits: torch.Tensor, labels: torch.Tensor, k: int) -> float:
    k = min(k, logits.shape[1])
    return (logits.topk(k).indices == labels[:, None]).any(1).float().mean().item()


def calibration_error(logits: torch.Tensor, labels: torch.Tensor, bins: int = 15) -> float:
    """Expected calibration error (arXiv 1706.04599): mean gap between confidence and accuracy over equal bins."""
    confidence, guess = logits.softmax(1).max(1)
    right = (guess == labels).float()
    bin_of = (confidence * bins).long().clamp(max=bins - 1)
    gap = torch.zeros(bins).index_add_(0, bin_of, right - confidence)
    return gap.abs().sum().item() / len(labels)


@torch.inference_mode()
def gate_spread(network: nn.Module, photographs: Photographs, size: int = 64) -> dict[str, dict[str, float]]:
    """Per attention unit, how much the gates of its last branch differ: standard deviation, mean over channels.

    `images`: over all photographs; `classes`: over the class means. A gate that has not learnt has neither.
    """
    caught: dict[str, list[torch.Tensor]] = {}
    hooks = []
    for name, module in network.named_modules():
        if isinstance(module, SplitAttn):
            # B x (radix * channels) after the softmax, radix first.
            keep = lambda _m, _i, gates, name=name, radix=module.radix: \
                caught.setdefault(name, []).append(gates.flatten(1).chunk(radix, 1)[-1].cpu())
            hooks.append(module.rsoftmax.register_forward_hook(keep))
        elif isinstance(module, SelectiveKernelAttn):
            # B x paths x channels x 1 x 1.
            keep = lambda _m, _i, gates, name=name: \
                caught.setdefault(name.removesuffix('.attn'), []).append(gates[:, -1].flatten(1).cpu())
            hooks.append(module.register_forward_hook(keep))
        elif isinstance(module, SEModule):
            # B x channels x 1 x 1, one branch.
            keep = lambda _m, _i, gates, name=name: caught.setdefault(name, []).append(gates.flatten(1).cpu())
            hooks.append(module.gate.register_forward_hook(keep))
    if not hooks:
        return {}
    answers(network, photographs, size)
    for hook in hooks:
        hook.remove()
    spread = {}
    for name, batches in caught.items():
        gates = torch.cat(batches)
        means = torch.stack([gates[photographs.labels == label].mean(0) for label in photographs.labels.unique()])
        spread[name] = {
            'mean': round(gates.mean().item(), 3),
            'images': round(gates.std(0).mean().item(), 3),
            'classes': round(means.std(0).mean().item(), 3)}
    return spread


def evaluate(network: nn.Module, photographs: Photographs, sizes: tuple[int, ...] = SIZES) -> dict:
    accuracy = {}
    for size in sizes:
        logits = answers(network, photographs, size)
        accuracy[str(size)] = {
            'top1': round(topk_accuracy(logits, photographs.labels, 1), 4),
            'top5': round(topk_accuracy(logits, photographs.labels, 5), 4),
            'ece': round(calibration_error(logits, photographs.labels), 4)}
    return {'accuracy': accuracy, 'gates': gate_spread(network, photographs, sizes[0])}


def restore(name: str, out: Path, classes: int, train_set: Photographs) -> tuple[nn.Module, dict]:
    """What a run ends with: the averaged network of its checkpoint, settled, and the checkpoint itself."""
    state = torch.load(out / f'{name}.pt', weights_only=True, map_location='cpu')
    network = NETWORKS[name](classes)
    network.load_state_dict(state['averaged'])
    network.to(memory_format=torch.channels_last)
    settle(network, train_set)
    return network, state


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('network', choices=NETWORKS)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--classes', type=Path, required=True)
    parser.add_argument('--out', type=Path, default=Path('runs'))
    parser.add_argument('--threads', type=int)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    classes = read_classes(options.classes)
    train_set, val_set = (load(options.data, split, classes, options.out / 'cache') for split in ('train', 'val'))
    network, _ = restore(options.network, options.out, len(classes), train_set)
    print(json.dumps(evaluate(network, val_set), indent=1))


if __name__ == '__main__':
    main()
