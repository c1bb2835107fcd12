"""Which datasets and weights are at hand, and documents that point to them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from workbench.document import Document
from workbench.papers.claims import needs_of

# What torchvision's roots hold, and the zips of class folders that stand in for them.
_ROOTS = {
    "mnist": "MNIST/raw",
    "cifar10": "cifar-10-batches-py",
    "cifar100": "cifar-100-python",
    "imagenet": "meta.bin",
}
_ZIPS = {"cifar10": ("cifar10*.zip", "cifar-10*.zip"), "cifar100": ("cifar100*.zip",)}


def located(document: Document, folder: Path) -> Document:
    """The document with the data and the weights that lie in a folder filled in.

    What is not there stays as it is, and `missing` names it.
    """
    document = _with_weights(document, folder)
    dataset = document.data.dataset
    if dataset not in _ROOTS:  # it comes along
        return document
    for root in (folder, folder / dataset):
        if (root / _ROOTS[dataset]).exists():
            return document.with_value("data.root", str(root))
    for pattern in _ZIPS.get(dataset, ()):
        for path in sorted(folder.glob(pattern)):
            zipped = document.with_value("data.dataset", "folder")
            return zipped.with_value("data.root", str(path))
    return document


def missing(documents: Iterable[Document], folder: Path) -> tuple[str, ...]:
    """What the documents need and the folder, or torchvision's cache of weights, lacks."""
    absent: dict[str, None] = {}
    for document in documents:
        found = located(document, folder)
        for need in needs_of(document):
            weights = need.startswith("weights of ")
            if not (_has_weights(found) if weights else found.data.root is not None):
                absent[need] = None
    return tuple(absent)


def _with_weights(document: Document, folder: Path) -> Document:
    """A state dict in ``FOLDER/weights`` is taken in place of the published one."""
    if document.backbone.name == "none":
        return document
    for path in sorted((folder / "weights").glob(f"{document.backbone.name}*.pth")):
        return document.with_value("backbone.weights", str(path))
    return document


def _has_weights(document: Document) -> bool:
    if document.backbone.weights is not None:
        return True
    from workbench.data import backbones, torchvision_compat  # torch, seconds to import

    torchvision_compat.ensure()
    return backbones.published_file(document.backbone.name).is_file()
