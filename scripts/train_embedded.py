"""Train the embedded backbone on MNIST, and say how good it is.

    python scripts/train_embedded.py --data FOLDER [--out FILE] [--epochs 14] [--seed 0]

FOLDER is a torchvision root with MNIST/raw (`workbench download mnist`). Half of each batch is
MNIST as it is, the other half is cut to the digit and stretched to the whole square. Both are
turned, sheared, scaled, thickened and thinned, and many are drawn coarsely: binarised at 32×32 and
counted in blocks of 4×4, the way the 8×8 digits of scikit-learn were made from other people's
handwriting. Those digits themselves are never trained on. One thread, so that a seed repeats;
about 6 minutes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from workbench.data import datasets, embedded
from workbench.document.schema import Data

BATCH = 128
COARSE = (0.25, 0.85)  # how often an image of the first and of the second half is drawn coarsely


def main() -> None:
    """Train, measure, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="torchvision root with MNIST/raw")
    parser.add_argument("--out", type=Path, default=embedded.weights_file())
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = datasets.load(Data(dataset="mnist", root=options.data))
    images, labels = data.train.images.float() / 255, data.train.labels
    network = train(images, labels, options.epochs, options.seed)
    print(f"MNIST test images: {100 * accuracy(network, data.test):.2f} % right")
    digits = datasets.load(Data())
    for name in ("train", "test"):
        right = accuracy(network, getattr(digits, name))
        print(f"8×8 digits, {name} split (never trained on): {100 * right:.2f} % right")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), options.out)
    print(f"Wrote {options.out}")


def train(images: Tensor, labels: Tensor, epochs: int, seed: int) -> embedded.Embedded:
    """The network after some passes over images [n, 28, 28] in [0, 1]."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network, batches = embedded.Embedded(), len(images) // BATCH
    stretched = torch.stack([stretch(image) for image in images])
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=epochs * batches)
    for epoch in range(1, epochs + 1):
        started, total = time.perf_counter(), 0.0
        network.train()
        order = torch.randperm(len(images), generator=generator)
        for start in range(0, batches * BATCH, BATCH):
            index = order[start : start + BATCH]
            batch = varied(images, stretched, index, generator)
            loss = functional.cross_entropy(
                network.logits(batch), labels[index], label_smoothing=0.05
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        spent = time.perf_counter() - started
        print(f"epoch {epoch}: loss {total / batches:.4f}, {spent:.0f} s", flush=True)
    return network.eval()


def varied(images: Tensor, stretched: Tensor, index: Tensor, generator: torch.Generator) -> Tensor:
    """A batch [B, 1, 28, 28], each image changed in its own way."""
    half = len(index) // 2
    batch = torch.cat([images[index[:half]], stretched[index[half:]]])[:, None]
    batch = inked(moved(batch, generator), generator)
    often = torch.where(torch.arange(len(index)) < half, *COARSE)
    chosen = torch.rand(len(index), generator=generator) < often
    return torch.where(chosen[:, None, None, None], coarse(batch, generator), batch)


def stretch(image: Tensor) -> Tensor:
    """The box around the ink of one image [28, 28], enlarged to the whole square."""
    ink = image > 0.3
    rows, columns = ink.any(1).nonzero()[:, 0], ink.any(0).nonzero()[:, 0]
    box = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return functional.interpolate(
        box[None, None], size=(28, 28), mode="bilinear", antialias=True, align_corners=False
    )[0, 0]


def moved(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Turned by up to 0.2 rad, sheared by 0.2, scaled by 12 %, shifted by 5 % of the side."""

    def drawn(reach: float) -> Tensor:
        return reach * (2 * torch.rand(len(batch), generator=generator) - 1)

    angle, scale, shear = drawn(0.2), 1 + drawn(0.12), drawn(0.2)
    across, down = drawn(0.1), drawn(0.1)
    sine, cosine = angle.sin(), angle.cos()
    matrix = torch.stack(
        [
            torch.stack([cosine * scale, shear - sine * scale, across], 1),
            torch.stack([sine * scale, cosine * scale, down], 1),
        ],
        1,
    )
    grid = functional.affine_grid(matrix, list(batch.shape), align_corners=False)
    return functional.grid_sample(batch, grid, align_corners=False)


def inked(batch: Tensor, generator: torch.Generator) -> Tensor:
    """A quarter with thicker strokes, a seventh with thinner ones."""
    drawn = torch.rand(len(batch), 1, 1, 1, generator=generator)
    thick = functional.max_pool2d(batch, 3, 1, 1)
    thin = 0.5 * (batch - functional.max_pool2d(-batch, 3, 1, 1))
    return torch.where(drawn < 0.25, thick, torch.where(drawn > 0.85, thin, batch))


def coarse(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Binarised at 32×32, counted in blocks of 4×4, and enlarged again."""
    limit = 0.3 + 0.4 * torch.rand(len(batch), 1, 1, 1, generator=generator)
    large = functional.interpolate(batch, size=(32, 32), mode="bilinear", align_corners=False)
    counts = functional.avg_pool2d((large > limit).float(), 4)
    return functional.interpolate(counts, size=(28, 28), mode="bilinear", align_corners=False)


@torch.inference_mode()
def accuracy(network: embedded.Embedded, split: datasets.Split) -> float:
    """The fraction of a split that the head classifies rightly."""
    turn, right = embedded.Grey(), 0
    for start in range(0, len(split), 500):
        stop = min(start + 500, len(split))
        batch = torch.stack([turn(split.picture(i)) for i in range(start, stop)])
        right += int((network.logits(batch).argmax(1) == split.labels[start:stop]).sum())
    return right / len(split)


if __name__ == "__main__":
    main()
