"""How far half precision moved the atoms of a dictionary, measured on those it was made from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from workbench.coding import dictionaries
from workbench.coding.dictionaries import Dictionary, Rows
from workbench.document.schema import Dictionary as Section
from workbench.systems.protocol import WHOLE, Shard

BLOCK = 512  # atoms at once


@dataclass(frozen=True)
class Rounding:
    """The largest changes; of all processes, where the atoms are spread over some."""

    atom: float  # ‖φ − φ̃‖
    drive: float  # |φᵀs − φ̃ᵀs| of the first test sample

    def with_(self, other: Rounding) -> Rounding:
        """The largest of both."""
        return Rounding(max(self.atom, other.atom), max(self.drive, other.drive))

    def note(self, storage: str) -> str:
        """One line for a person."""
        return (
            f"Atoms are kept in {storage}: rounding moved them by at most {self.atom:.2g} (of "
            f"length 1), and the drive of the first test sample by at most {self.drive:.2g}."
        )


def measured(
    dictionary: Dictionary,
    section: Section,
    vectors: Rows,
    signal: Tensor,
    first: int = 0,
    shard: Shard = WHOLE,
) -> Rounding:
    """Compare rounded atoms with what they were.

    Args:
        dictionary: whose atoms are rounded.
        section: what it was asked for as.
        vectors: the training vectors; exemplars are read again.
        signal: the first test sample [1, N] float32.
        first: the first atom to look at.
        shard: which atoms are here.
    """
    here = shard.part(len(dictionary))
    whole = _drawn(dictionary, section, here)
    largest = torch.zeros(2)
    for start in range(first, len(dictionary.atoms), BLOCK):
        rounded = dictionary.atoms[start : start + BLOCK].float()
        if whole is not None:
            was = whole[start : start + BLOCK]
        else:
            source = dictionary.source[here][start : start + BLOCK]
            was = functional.normalize(vectors.rows(source).float(), dim=1)
        moved = was - rounded
        seen = (torch.linalg.vector_norm(moved, dim=1).max(), (moved @ signal[0]).abs().max())
        largest = torch.maximum(largest, torch.stack(seen))
    return Rounding(*shard.max(largest).tolist())


def _drawn(dictionary: Dictionary, section: Section, here: slice) -> Tensor | None:
    """Atoms here that are no exemplars, as they were [m, N]; None for exemplars."""
    if dictionary.learned is not None:
        return dictionary.learned.atoms
    if section.kind == "random":
        features = dictionary.atoms.shape[1]
        return dictionaries.random(len(dictionary), features, section.seed).atoms[here]
    return None
