"""Dictionaries: the unit-norm atoms that signals are coded with, one neuron each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from workbench.document.schema import Dictionary as Section
from workbench.errors import InputError


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Atoms [M, N] float32, unit-norm rows: the transpose of the papers' Φ."""

    atoms: Tensor
    labels: Tensor | None = None  # [M] int64, the class of each atom
    source: Tensor | None = None  # [M] int64, the training image each atom is
    notes: tuple[str, ...] = ()  # what a person should know about it, one line each


class Rows(Protocol):
    """Training vectors that are fetched as they are needed."""

    def rows(self, index: Any) -> Tensor:
        """Vectors [B, N] of the indexed training images."""


def build(
    section: Section, vectors: Rows, labels: Tensor, features: int, classes: int
) -> Dictionary:
    """The dictionary a document asks for.

    Args:
        section: of the document.
        vectors: the training images, as pixels or as features of a backbone.
        labels: [n] int64, their classes.
        features: N, the length of a vector.
        classes: number of classes.

    Raises:
        InputError: its kind is not available, or the training images are too few.
    """
    if section.kind == "random":
        return random(section.atoms or len(labels), features, section.seed)
    if section.kind == "exemplar":
        choice = (section.atoms, section.balanced, section.seed)
        try:
            return exemplar(vectors, labels, *choice, classes)
        except ValueError as error:
            raise InputError(f"dictionary.{error}") from None
    raise InputError(
        f"dictionary.kind = {section.kind!r}: not available yet; available: exemplar, random"
    )


def exemplar(
    vectors: Rows, labels: Tensor, atoms: int | None, balanced: bool, seed: int, classes: int
) -> Dictionary:
    """Training vectors, scaled to unit norm, are the atoms: equation (8).

    Args:
        vectors: the training images, as pixels or as features of a backbone.
        labels: [n] int64, their classes.
        atoms: how many to choose; None takes all.
        balanced: choose as many of each class as of any other, as far as there are enough.
        seed: of the choice. The chosen stay in the order they have in the split.
        classes: number of classes; one without an exemplar is noted.

    Raises:
        ValueError: fewer images are usable than asked for. Blank images have no direction.
    """
    usable, blanks = np.arange(len(labels)), 0
    while True:
        if len(usable) == 0 or (atoms is not None and atoms > len(usable)):
            raise ValueError(
                f"atoms = {atoms}: there are only {len(usable)} training images that are not blank"
            )
        source = usable
        if atoms is not None:
            source = _choose(usable, labels.numpy()[usable], atoms, balanced, seed)
        signals = vectors.rows(torch.from_numpy(source)).float()
        norms = torch.linalg.vector_norm(signals, dim=1, keepdim=True)
        blank = (norms[:, 0] == 0).numpy()
        if not blank.any():
            break
        blanks += int(blank.sum())
        usable = np.setdiff1d(usable, source[blank])  # choose again without them
    chosen = torch.from_numpy(source)
    present = set(labels[chosen].tolist())
    notes = [f"class {c} has no exemplar" for c in range(classes) if c not in present]
    if blanks:
        notes.insert(0, f"{blanks} blank training images cannot be atoms")
    return Dictionary(signals.div_(norms), labels[chosen], chosen, tuple(notes))


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
