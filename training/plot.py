"""Draws the curves of all logs of a folder: loss and top-1 by epoch, one line per network.

    python plot.py --out runs
"""
import argparse
import csv
from pathlib import Path

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt


def plot(out: Path) -> Path:
    figure, (loss_axes, top1_axes) = plt.subplots(1, 2, figsize=(11, 4.5), layout='constrained')
    for log in sorted(out.glob('*.csv')):
        with log.open(newline='') as file:
            rows = list(csv.DictReader(file))
        epochs = [int(row['epoch']) for row in rows]
        loss_axes.plot(epochs, [float(row['loss']) for row in rows], label=log.stem)
        top1_axes.plot(epochs, [100 * float(row['top1']) for row in rows], label=log.stem)
    loss_axes.set(xlabel='epoch', ylabel='training loss')
    top1_axes.set(xlabel='epoch', ylabel='validation top-1, %, at the size of the epoch')
    top1_axes.legend(fontsize='small')
    for axes in (loss_axes, top1_axes):
        axes.grid(alpha=0.3)
    file = out / 'curves.png'
    figure.savefig(file, dpi=120)
    plt.close(figure)
    return file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('runs'))
    print(plot(parser.parse_args().out))


if __name__ == '__main__':
    main()
