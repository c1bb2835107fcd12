"""Datasets as two splits of images with labels; each is one loader function."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from workbench.data import arrays as array_files
from workbench.data import folders
from workbench.data.splits import Images, Split
from workbench.document.schema import Data
from workbench.errors import InputError


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training and a test split of the same classes."""

    name: str
    train: Images
    test: Images
    class_names: tuple[str, ...]
    image_shape: tuple[int, ...]  # (H, W) or (H, W, 3)
    notes: tuple[str, ...] = ()  # what a person should know, one line each


@dataclass(frozen=True)
class Request:
    """What a loader is asked for, and how it tells of itself."""

    data: Data
    side: int | None = None  # of the square that pictures of several sizes are cut to
    report: Callable[[str], None] = lambda text: None
    check: Callable[[], None] = lambda: None  # may raise, to call the work off


def load(
    section: Data,
    side: int | None = None,
    report: Callable[[str], None] = lambda text: None,
    check: Callable[[], None] = lambda: None,
) -> Dataset:
    """The dataset a document asks for.

    Args:
        section: of the document.
        side: side of the square that the pixels of folders are cut and resized to, or None.
        report: told in words what is being read.
        check: called now and then; may raise to call the work off.

    Raises:
        InputError: its files are missing or damaged, or more images are asked for than there are.
    """
    return LOADERS[section.dataset](Request(section, side, report, check))


def digits(request: Request) -> Dataset:
    """1 797 handwritten digits of 8×8 pixels that scikit-learn brings along.

    One seeded permutation splits them into 1 437 for training and 360 for the test.
    """
    from sklearn.datasets import load_digits  # half a second to import

    section = request.data
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


def mnist(request: Request) -> Dataset:
    """MNIST from ``data.root``/MNIST/raw: 60 000 training and 10 000 test images of 28×28.

    Fewer training images are a seeded choice in their original order; fewer test images are the
    first ones.
    """
    return _idx(request, "MNIST", tuple(str(digit) for digit in range(10)))


def fashion_mnist(request: Request) -> Dataset:
    """Fashion-MNIST from ``data.root``/FashionMNIST/raw, in the format and size of MNIST."""
    names = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat")
    return _idx(
        request, "FashionMNIST", (*names, "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    )


def cifar10(request: Request) -> Dataset:
    """CIFAR-10 from ``data.root``/cifar-10-batches-py: 50 000 and 10 000 images of 32×32×3."""
    return _cifar(request, "CIFAR10")


def cifar100(request: Request) -> Dataset:
    """CIFAR-100 from ``data.root``/cifar-100-python: 50 000 and 10 000 images of 32×32×3."""
    return _cifar(request, "CIFAR100")


def imagenet(request: Request) -> Dataset:
    """ImageNet from an existing root of torchvision's class: folders train and val, meta.bin."""
    section, root = request.data, _root(request.data, "the folders train and val and meta.bin")
    torchvision = _torchvision()
    try:
        train, test = (torchvision.ImageNet(root, split) for split in ("train", "val"))
    except (RuntimeError, OSError) as error:
        line = str(error).splitlines()[0]
        raise InputError(f"data.root = {root!r}: not a root of ImageNet: {line}") from None
    names = tuple(synonyms[0] for synonyms in train.classes)
    counts = (("train", train, section.train), ("test", test, section.test))
    splits = [
        folders.Listing([(folders.file_source(Path(path)), label) for path, label in part.samples])
        .some(count, f"data.{what}", section.seed)
        .left_in_files(request.side)
        for what, part, count in counts
    ]
    return Dataset("imagenet", *splits, names, tuple(splits[1].image(0).shape))


def folder(request: Request) -> Dataset:
    """Images in class folders, or a zip of them; see `workbench.data.folders`."""
    section, root = request.data, _root(request.data, "a folder of class folders, or a zip of one")
    request.report(f"Looking through {root}")
    train, test, names = folders.load(Path(root), section.seed)
    splits, notes = {}, []
    for what, listing, count in (("train", train, section.train), ("test", test, section.test)):
        chosen = listing.some(count, f"data.{what}", section.seed)
        splits[what], noted = chosen.read(what, request.side, request.report, request.check)
        notes.extend(noted)
    notes += _lacking(Path(root), splits["train"], names)
    shape = tuple(splits["test"].image(0).shape)
    name = Path(root).stem
    return Dataset(name, splits["train"], splits["test"], names, shape, tuple(notes))


def arrays(request: Request) -> Dataset:
    """Images and labels from a .npz file; see `workbench.data.arrays`."""
    section = request.data
    root = _root(section, "a .npz file with images and labels")
    train, test, names = array_files.load(Path(root), section.seed)
    return Dataset(
        Path(root).stem,
        _some(train, section.train, "data.train", section.seed),
        _first(test, section.test, "data.test"),
        names,
        tuple(train.images.shape[1:]),
    )


def _lacking(root: Path, train: Images, names: tuple[str, ...]) -> list[str]:
    """Notes about classes that nothing can be learned of."""
    counts = np.bincount(train.labels.numpy(), minlength=len(names))
    without = [name for name, count in zip(names, counts, strict=True) if not count]
    empty = folders.empty_folders(root)
    return [
        *([f"no training image of: {folders.some_names(without)}"] if without else []),
        *([f"empty folders are no classes: {folders.some_names(empty)}"] if empty else []),
    ]


LOADERS: dict[str, Callable[[Request], Dataset]] = {
    "digits": digits,
    "mnist": mnist,
    "fashion_mnist": fashion_mnist,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "imagenet": imagenet,
    "folder": folder,
    "arrays": arrays,
}


def _root(section: Data, holds: str) -> str:
    if section.root is None:
        raise InputError(
            f"data.root = null: {section.dataset} needs {holds}; give it with "
            "--set data.root=FOLDER"
        )
    return section.root


def _torchvision():
    """torchvision's datasets; seconds to import."""
    from workbench.data import torchvision_compat

    torchvision_compat.ensure()
    from torchvision import datasets

    return datasets


def _cifar(request: Request, kind: str) -> Dataset:
    section = request.data
    root = _root(section, "the folder that torchvision keeps it in")
    make = getattr(_torchvision(), kind)
    request.report(f"Reading {section.dataset}")
    try:
        train, test = (make(root, train=train, download=False) for train in (True, False))
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        raise InputError(
            f"data.root = {root!r}: must hold {make.base_folder}, whole; download it with "
            f"`workbench download {section.dataset} --to {root}` ({error})"
        ) from None
    splits = [Split(torch.from_numpy(s.data), torch.tensor(s.targets)) for s in (train, test)]
    return Dataset(
        section.dataset,
        _some(splits[0], section.train, "data.train", section.seed),
        _first(splits[1], section.test, "data.test"),
        tuple(train.classes),
        (32, 32, 3),
    )


def _idx(request: Request, kind: str, names: tuple[str, ...]) -> Dataset:
    section = request.data
    root = _root(section, f"the folder that holds {kind}/raw")
    train, test = (_idx_split(root, kind, train) for train in (True, False))
    return Dataset(
        section.dataset,
        _some(train, section.train, "data.train", section.seed),
        _first(test, section.test, "data.test"),
        names,
        tuple(train.images.shape[1:]),
    )


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


_IDX_FILES = {  # and the number of their dimensions
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}


def _idx_split(root: str, kind: str, train: bool) -> Split:
    raw = Path(root) / kind / "raw"
    absent = [name for name in _IDX_FILES if not os.path.isfile(raw / name)]
    if absent:
        raise InputError(
            f"data.root = {root!r}: must hold the four unpacked files of {kind} in {kind}/raw; "
            f"missing: {', '.join(absent)}"
        )
    damaged = [name for name, n in _IDX_FILES.items() if not _is_whole_idx(raw / name, n)]
    if damaged:
        raise InputError(
            f"data.root = {root!r}: not whole or not readable in {kind}/raw: {', '.join(damaged)}"
        )
    found = getattr(_torchvision(), kind)(root, train=train, download=False)
    if len(found.data) != len(found.targets) or int(found.targets.max()) > 9:
        raise InputError(
            f"data.root = {root!r}: {kind}/raw must hold one label from 0 to 9 for each image; "
            f"there are {len(found.data)} images and {len(found.targets)} labels up to "
            f"{int(found.targets.max())}"
        )
    return Split(found.data, found.targets)


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
