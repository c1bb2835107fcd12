"""Images and labels from NumPy files.

A .npz holds ``images`` [n, H, W] or [n, H, W, 3] and ``labels`` [n] (a seeded split: four fifths
train), or ``train_images``, ``train_labels``, ``test_images`` and ``test_labels``. A .npy holds
the images, with the labels beside it in NAME_labels.npy. Pixels are whole numbers from 0 to 255
or numbers from 0 to 1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from workbench.data.splits import Split
from workbench.errors import InputError

SPLIT_KEYS = ("train_images", "train_labels", "test_images", "test_labels")


def load(path: Path, seed: int) -> tuple[Split, Split, tuple[str, ...]]:
    """Training split, test split and class names, which are the labels as text.

    Raises:
        InputError: the file is absent or damaged, or an array has another shape, type or range.
    """
    found = _read(path)
    if all(key in found for key in SPLIT_KEYS):
        train, test = (
            _split(found[f"{part}_images"], found[f"{part}_labels"], path)
            for part in ("train", "test")
        )
    elif "images" in found and "labels" in found:
        whole = _split(found["images"], found["labels"], path)
        order = torch.from_numpy(np.random.default_rng(seed).permutation(len(whole)))
        fifth = max(1, len(whole) // 5)
        train = whole.chosen(order[fifth:].sort().values)
        test = whole.chosen(order[:fifth].sort().values)
    else:
        raise InputError(
            f"data.root = {str(path)!r}: must hold images and labels, or {', '.join(SPLIT_KEYS)}; "
            f"it holds {', '.join(found) or 'nothing'}"
        )
    if train.images.shape[1:] != test.images.shape[1:]:
        raise InputError(
            f"data.root = {str(path)!r}: training images of {list(train.images.shape[1:])} and "
            f"test images of {list(test.images.shape[1:])}; they must be of one shape"
        )
    classes = 1 + int(max(train.labels.max(), test.labels.max()))
    return train, test, tuple(str(label) for label in range(classes))


def _read(path: Path) -> dict[str, np.ndarray]:
    beside = path.with_name(f"{path.stem}_labels.npy")
    try:
        if path.suffix == ".npy":
            return {
                "images": np.load(path, allow_pickle=False),
                "labels": np.load(beside, allow_pickle=False),
            }
        with np.load(path, allow_pickle=False) as found:
            return {key: found[key] for key in found.files}
    except FileNotFoundError as error:
        raise InputError(f"data.root: there is no file {error.filename}") from None
    except Exception as error:  # zip, header and pickle each raise their own
        raise InputError(
            f"data.root = {str(path)!r}: must be a whole .npz or .npy of plain numbers ({error})"
        ) from None


def _split(images: np.ndarray, labels: np.ndarray, path: Path) -> Split:
    place = f"data.root = {str(path)!r}"
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if len(images) == 0:
        raise InputError(f"{place}: holds no images")
    if images.dtype.kind == "f":
        if not np.isfinite(images).all() or images.min() < 0 or images.max() > 1:
            raise InputError(f"{place}: images of fractions must lie between 0 and 1, without NaN")
        images = images.astype(np.float32)
    elif images.dtype.kind in "ui":
        if images.min() < 0 or images.max() > 255:
            raise InputError(f"{place}: images of whole numbers must lie between 0 and 255")
        images = images.astype(np.uint8)
    else:
        raise InputError(f"{place}: images must be numbers, got {images.dtype}")
    if labels.dtype.kind not in "ui" or labels.ndim != 1 or (labels < 0).any():
        raise InputError(f"{place}: labels must be whole numbers of at least 0, one for each image")
    if labels.max() > 100_000:
        raise InputError(f"{place}: labels must be class numbers from 0 on; one is {labels.max()}")
    try:
        return Split(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)))
    except ValueError as error:
        raise InputError(f"{place}: {error}") from None
