"""The embedded backbone: a small network for handwritten digits that needs no download.

Its weights lie in ``assets/embedded``, with a card that says what they were trained on and how good
they are; ``scripts/train_embedded.py`` makes them again. It never saw the digits that come along
with the workbench.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.document import assets

NAME = "embedded"
FEATURES = 96
SIDE, SMALLEST = 28, 8  # pixels
_TEMPERATURE = 12.0  # scale of the cosines that the head compares


class Embedded(nn.Module):
    """Five convolutions; their mean over the image is the feature vector."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _block(1, 16, 1),
            _block(16, 32, 2),
            _block(32, 32, 1),
            _block(32, 64, 2),
            _block(64, FEATURES, 1),
        )
        self.head = nn.Linear(FEATURES, 10, bias=False)  # for training and for its card only

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Images [B, 1, 28, 28] in [0, 1] to ``features`` [B, 96], all at least 0."""
        return {"features": self.body(images).mean((2, 3))}

    def logits(self, images: Tensor) -> Tensor:
        """What the head makes of the features: cosines with ten directions, [B, 10].

        Only directions count, as for the unit-norm atoms that the features become.
        """
        features = functional.normalize(self(images)["features"], dim=1)
        return _TEMPERATURE * features @ functional.normalize(self.head.weight, dim=1).T


def _block(channels: int, out: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels, out, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU())


@dataclass(frozen=True)
class Grey:
    """The middle square of a picture (PIL) as grey values [1, side, side] in [0, 1]."""

    side: int = SIDE

    def __call__(self, picture: Any) -> Tensor:
        from PIL import Image, ImageOps

        side = (self.side, self.side)
        small = ImageOps.fit(picture.convert("L"), side, Image.Resampling.BILINEAR)
        return torch.from_numpy(np.asarray(small, np.float32) / 255)[None]


def weights_file() -> Path:
    """Where the weights lie."""
    return assets() / "embedded" / "weights.pt"


def transform(image_size: int | None) -> tuple[Callable[[Any], Tensor], int]:
    """The preprocessing, and the side of the images it gives."""
    side = image_size or SIDE
    return Grey(side), side
