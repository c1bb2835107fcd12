"""Datasets as two splits of images with labels; each is one loader function."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workbench.document.schema import Data
from workbench.errors import InputError


@dataclass(frozen=True, eq=False)
class Split:
    """Images [n, H, W] or [n, H, W, 3], uint8 0..255 or float32 0..1, and their labels [n] int64.

    Raises:
        ValueError: shapes or types are others, or the numbers of images and labels differ.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        shape = tuple(self.images.shape)
        if len(shape) != 3 and not (len(shape) == 4 and shape[3] == 3):
            raise ValueError(f"images must have the shape [n, H, W] or [n, H, W, 3], got {shape}")
        if self.images.dtype not in (torch.uint8, torch.float32):
            raise ValueError(f"images must be uint8 or float32, got {self.images.dtype}")
        if self.labels.dtype != torch.int64 or tuple(self.labels.shape) != shape[:1]:
            raise ValueError(
                f"labels must be int64 of the shape [{shape[0]}], got {self.labels.dtype} "
                f"{tuple(self.labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def signals(self, index: slice | Sequence[int] | Tensor | None = None) -> Tensor:
        """Flattened pixels [n, N] float32 in [0, 1], of all images or the indexed ones."""
        return _unit(self.images if index is None else self.images[index]).flatten(1)

    def image(self, index: int) -> np.ndarray:
        """One image [H, W] or [H, W, 3], float32 in [0, 1]."""
        return _unit(self.images[index]).numpy()

    def chosen(self, index: slice | Tensor) -> Split:
        """The split of the indexed images only."""
        return Split(self.images[index], self.labels[index])


def _unit(images: Tensor) -> Tensor:
    return images.float() / 255 if images.dtype == torch.uint8 else images


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training and a test split of the same classes."""

    name: str
    train: Split
    test: Split
    class_names: tuple[str, ...]
    image_shape: tuple[int, ...]  # (H, W) or (H, W, 3)


def load(section: Data) -> Dataset:
    """The dataset a document asks for.

    Raises:
        InputError: it is not available, its files are missing or damaged, or more images are
            asked for than there are.
    """
    if section.dataset not in LOADERS:
        raise InputError(
            f"data.dataset = {section.dataset!r}: not available yet; available: "
            f"{', '.join(LOADERS)}"
        )
    return LOADERS[section.dataset](section)


def digits(section: Data) -> Dataset:
    """1 797 handwritten digits of 8×8 pixels that scikit-learn brings along.

    One seeded permutation splits them into 1 437 for training and 360 for the test.
    """
    from sklearn.datasets import load_digits  # half a second to import

    bunch = load_digits()
    order = np.random.default_rng(section.seed).permutation(len(bunch.images))
    everything = Split(
        torch.from_numpy((bunch.images[order] / 16).astype(np.float32)),
        torch.from_numpy(bunch.target[order].astype(np.int64)),
    )
    train, test = everything.chosen(slice(1437)), everything.chosen(slice(1437, None))
    return Dataset(
        "digits",
        _first(train, section.train, "data.train"),
        _first(test, section.test, "data.test"),
        tuple(str(name) for name in bunch.target_names),
        (8, 8),
    )


def mnist(section: Data) -> Dataset:
    """MNIST from ``data.root``/MNIST/raw: 60 000 training and 10 000 test images of 28×28.

    Fewer training images are a seeded choice in their original order; fewer test images are the
    first ones.
    """
    if section.root is None:
        raise InputError(
            "data.root = null: mnist needs the folder that holds MNIST/raw; "
            "give it with --set data.root=FOLDER"
        )
    train, test = (_mnist_split(section.root, train) for train in (True, False))
    return Dataset(
        "mnist",
        _some(train, section.train, "data.train", section.seed),
        _first(test, section.test, "data.test"),
        tuple(str(digit) for digit in range(10)),
        tuple(train.images.shape[1:]),
    )


LOADERS: dict[str, Callable[[Data], Dataset]] = {"digits": digits, "mnist": mnist}


def _first(split: Split, count: int | None, place: str) -> Split:
    """The first ``count`` images."""
    _check_count(split, count, place)
    return split if count is None else split.chosen(slice(count))


def _some(split: Split, count: int | None, place: str, seed: int) -> Split:
    """A seeded choice of ``count`` images, in their order."""
    _check_count(split, count, place)
    if count is None:
        return split
    picked = np.random.default_rng(seed).permutation(len(split))[:count]
    return split.chosen(torch.from_numpy(np.sort(picked)))


def _check_count(split: Split, count: int | None, place: str) -> None:
    if count is not None and count > len(split):
        raise InputError(f"{place} = {count}: there are only {len(split)} such images")


_MNIST_FILES = {  # and the number of their dimensions
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}


def _mnist_split(root: str, train: bool) -> Split:
    raw = Path(root) / "MNIST" / "raw"
    absent = [name for name in _MNIST_FILES if not (raw / name).is_file()]
    if absent:
        raise InputError(
            f"data.root = {root!r}: must hold the four unpacked files of MNIST in MNIST/raw; "
            f"missing: {', '.join(absent)}"
        )
    damaged = [name for name, n in _MNIST_FILES.items() if not _is_whole_idx(raw / name, n)]
    if damaged:
        raise InputError(
            f"data.root = {root!r}: not whole or not readable in MNIST/raw: {', '.join(damaged)}"
        )
    from workbench.data import torchvision_compat

    torchvision_compat.ensure()
    from torchvision.datasets import MNIST  # seconds to import

    mnist = MNIST(root, train=train, download=False)
    if len(mnist.data) != len(mnist.targets) or int(mnist.targets.max()) > 9:
        raise InputError(
            f"data.root = {root!r}: MNIST/raw must hold one label from 0 to 9 for each image; "
            f"there are {len(mnist.data)} images and {len(mnist.targets)} labels up to "
            f"{int(mnist.targets.max())}"
        )
    return Split(mnist.data, mnist.targets)


def _is_whole_idx(path: Path, dimensions: int) -> bool:
    """Whether an IDX file of bytes is as long as its header says.

    The header is two zeros, the type (8: unsigned byte), the number of dimensions, and the
    dimensions as big-endian 32-bit numbers.
    """
    try:
        with open(path, "rb") as file:
            head = struct.unpack(">HBB", file.read(4))
            sizes = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
            expected = 4 + 4 * dimensions + math.prod(sizes)
            return head == (0, 8, dimensions) and 0 not in sizes and path.stat().st_size == expected
    except (OSError, struct.error):
        return False
