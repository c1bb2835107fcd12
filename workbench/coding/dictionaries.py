"""Dictionaries: the unit-norm atoms that signals are coded with, one neuron each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workbench.data.datasets import Dataset, Split
from workbench.document.schema import Dictionary as Section
from workbench.errors import InputError


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Atoms [M, N] float32, unit-norm rows: the transpose of the papers' Φ."""

    atoms: Tensor
    labels: Tensor | None = None  # [M] int64, the class of each atom
    source: Tensor | None = None  # [M] int64, the training image each atom is
    notes: tuple[str, ...] = ()  # what a person should know about it, one line each


def build(section: Section, dataset: Dataset) -> Dictionary:
    """The dictionary a document asks for.

    Raises:
        InputError: its kind is not available, or the training images are too few.
    """
    if section.kind == "random":
        atoms = section.atoms or len(dataset.train)
        return random(atoms, int(np.prod(dataset.image_shape)), section.seed)
    if section.kind == "exemplar":
        classes = len(dataset.class_names)
        try:
            return exemplar(dataset.train, section.atoms, section.balanced, section.seed, classes)
        except ValueError as error:
            raise InputError(f"dictionary.{error}") from None
    raise InputError(
        f"dictionary.kind = {section.kind!r}: not available yet; available: exemplar, random"
    )


def exemplar(
    split: Split, atoms: int | None, balanced: bool, seed: int, classes: int
) -> Dictionary:
    """Training images, scaled to unit norm, are the atoms: equation (8) with f the identity.

    Args:
        split: the training images.
        atoms: how many to choose; None takes all.
        balanced: choose as many of each class as of any other, as far as there are enough.
        seed: of the choice. The chosen stay in the order they have in the split.
        classes: number of classes; one without an exemplar is noted.

    Raises:
        ValueError: fewer images are usable than asked for. Blank images have no direction.
    """
    usable = split.images.flatten(1).any(dim=1).nonzero().flatten().numpy()
    if len(usable) == 0 or (atoms is not None and atoms > len(usable)):
        raise ValueError(
            f"atoms = {atoms}: there are only {len(usable)} training images that are not blank"
        )
    labels = split.labels.numpy()
    source = torch.from_numpy(
        usable if atoms is None else _choose(usable, labels[usable], atoms, balanced, seed)
    )
    signals = split.signals(source)
    signals /= torch.linalg.vector_norm(signals, dim=1, keepdim=True)
    present = set(split.labels[source].tolist())
    notes = [f"class {c} has no exemplar" for c in range(classes) if c not in present]
    if blank := len(split) - len(usable):
        notes.insert(0, f"{blank} blank training images cannot be atoms")
    return Dictionary(signals, split.labels[source], source, tuple(notes))


def random(atoms: int, features: int, seed: int) -> Dictionary:
    """Atoms drawn from N(0, 1) in every feature, then scaled to unit norm."""
    drawn = np.random.default_rng(seed).standard_normal((atoms, features), dtype=np.float32)
    signals = torch.from_numpy(drawn)
    return Dictionary(signals / torch.linalg.vector_norm(signals, dim=1, keepdim=True))


def _choose(
    usable: np.ndarray, labels: np.ndarray, count: int, balanced: bool, seed: int
) -> np.ndarray:
    """``count`` of the usable indices, in order; ``labels`` are theirs."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(usable))
    if balanced:
        # Deal by turns: first one of every class, then a second of every class, and so on. Which
        # classes come first in a turn is drawn too, so that the odd ones out have no favourites.
        turn = np.empty(len(order), dtype=np.int64)
        for label in np.unique(labels):
            members = np.flatnonzero(labels[order] == label)
            turn[members] = np.arange(len(members))
        favour = generator.permutation(labels.max() + 1)
        order = order[np.lexsort((favour[labels[order]], turn))]
    return np.sort(usable[order[:count]])
