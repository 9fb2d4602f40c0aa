"""Batch norm's statistics, taken anew once the weights are final."""
import torch
from torch import nn

from data import Photographs, normalise, resize

BATCHES = 24
BATCH = 128
# Of the batches, by image size in pixels. At 64 pixels alone a network is as good there and worse on enlarged images; with
# half of them larger, the other way round. Of four, five and six batches at 128 pixels five are the fewest with which no
# network of the family loses more than ten points there.
SHARES = {64: 15 / BATCHES, 96: 4 / BATCHES, 128: 5 / BATCHES}


@torch.no_grad()
def settle(network: nn.Module, photographs: Photographs, shares: dict[int, float] = SHARES, seed: int = 0):
    """Replaces means and variances by those over whole photographs, as the network will see them; weights stay.

    What training leaves is a moving average over augmented crops, most of them enlarged and so blurred ("Fixing the
    train-test resolution discrepancy", arXiv 1906.06423), and over weights that were still moving (arXiv 2105.07576).
    They are the mean over `BATCHES` batches of `BATCH`.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    network.train()
    for size, share in shares.items():
        for _ in range(max(1, round(share * BATCHES))):
            rows = torch.randperm(len(photographs), generator=generator)[:BATCH].numpy()
            images = normalise(resize(photographs.batch(rows).to(device), size))
            network(images.contiguous(memory_format=torch.channels_last))
    network.eval()
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
