"""What is coded: the pixels of a dataset, or the features of a backbone, as vectors."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from workbench import folders
from workbench.coding.dictionaries import Rows
from workbench.data import backbones
from workbench.data.backbones import Backbone
from workbench.data.datasets import Dataset
from workbench.data.features import Features, Pixels, Progress
from workbench.document import Document
from workbench.errors import InputError

FEATURE_NORM = 10.0  # features are rescaled to it, so that one threshold suits every backbone


@dataclass(frozen=True, eq=False)
class Vectors:
    """Training and test vectors of one dataset."""

    train: Rows
    test: Rows
    size: int  # N
    backbone: Backbone | None = None


def of_document(
    document: Document,
    dataset: Dataset,
    samples: int | None,
    report: Callable[[str], None],
    check: Callable[[], None],
) -> Vectors:
    """The vectors a document asks for; features are computed or taken from the cache.

    Args:
        samples: only this many test vectors are needed; None means all.
        report: told in words how far it is.
        check: called between batches; raises to call the work off.

    Raises:
        InputError: backbone or weights are wrong or absent, or the cache cannot be written to.
    """
    if document.backbone.name == "none":
        return Vectors(Pixels(dataset.train), Pixels(dataset.test), _pixels(dataset))
    report(f"Building {document.backbone.name}")
    backbone = backbones.load(document.backbone)
    wanted = document.backbone.weights_hash
    if wanted is not None and wanted != backbone.weights_hash:
        raise InputError(
            f"backbone.weights_hash = {wanted!r}: the weights found have "
            f"{backbone.weights_hash!r}; these are not the ones the session was made with "
            "(null takes any)"
        )
    cache = folders.cache() / "features"
    train, test = (Features(split, backbone, cache) for split in (dataset.train, dataset.test))
    found = Vectors(train, test, backbone.size, backbone)
    complete(found, samples, report, check)
    return found


def complete(
    found: Vectors,
    samples: int | None,
    report: Callable[[str], None],
    check: Callable[[], None],
) -> None:
    """Compute what is missing of features; the arguments are those of `of_document`."""
    if found.backbone is not None:
        for what, features, count in (
            ("training", found.train, None),
            ("test", found.test, samples),
        ):
            features.compute(count, _teller(what, report), check)


def scaled(vectors: Tensor, norm: float | str) -> Tensor:
    """Vectors [B, N] at a length, or as they are for "none"; what is blank stays blank."""
    if isinstance(norm, str):
        return vectors
    length = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return torch.where(length > 0, vectors * (norm / length), vectors)


def _pixels(dataset: Dataset) -> int:
    """N; training and test images must have the same."""
    train, test = (split.signals([0]).shape[1] for split in (dataset.train, dataset.test))
    if train != test:
        raise InputError(
            f"backbone.image_size = null: training images have {train} values and test images "
            f"{test}; give the side of the square that all are to be resized to, or take a backbone"
        )
    return test


def _teller(what: str, report: Callable[[str], None]) -> Callable[[Progress], None]:
    """Tells of progress in words, a few times a second."""
    told = 0.0

    def tell(progress: Progress) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= 0.25 or progress.done == progress.total:
            told = now
            report(
                f"Features of the {what} images: {progress.done} of {progress.total}, "
                f"{progress.seconds_left:.0f} s left"
            )

    return tell
