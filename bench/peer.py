"""Runs one of timm's networks in eager PyTorch whenever it is told to, for `splitlens bench --torch PYTHON`.

    python bench/peer.py ID SIDE

Prints {"device": ..} once the network is there; then, for every line that it reads, {"milliseconds": .., "logits": ..}
of one run on the image of the golden tests: from an image in memory to logits in memory.
"""

import json
import sys
import time

import torch
from export import golden


def main(name, side):
    networks = golden()
    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    torch.backends.cudnn.benchmark = True
    # f32 is compared with f32: newer cards would multiply with 10 bits of mantissa.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    network = networks.build(name)[0].float().to(device)
    image = torch.from_numpy(networks.image(int(side)))[None]
    print(json.dumps({"device": torch.cuda.get_device_name() if cuda else f"{torch.get_num_threads()} threads"}), flush=True)
    with torch.inference_mode():
        for _ in sys.stdin:
            start = time.perf_counter()
            logits = network(image.to(device))[0].cpu()
            milliseconds = (time.perf_counter() - start) * 1e3
            print(json.dumps({"milliseconds": milliseconds, "logits": logits.tolist()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
