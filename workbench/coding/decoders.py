"""Decoders: from a sparse code to a class. A sample that nothing speaks for is undecided, −1."""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.systems.protocol import WHOLE, Shard, summed_by_class

UNDECIDED = -1


def by_max(activation: Tensor, labels: Tensor, shard: Shard = WHOLE) -> Tensor:
    """Class of the neuron with the largest activation, equation (9); of equal ones the first.

    Args:
        activation: [B, M].
        labels: [M] int64, the class of each atom.
        shard: which of the neurons these are; all processes decide together.

    Returns:
        [B] int64; −1 where no activation is positive.
    """
    _check(activation, labels)
    here, winner = activation.max(dim=1)
    largest = shard.max(here)
    # A process has the neurons before those of the next: of equal ones the first decides.
    rank = -shard.max(-torch.where(here == largest, shard.rank, shard.processes))
    label = shard.sum(torch.where(rank == shard.rank, labels[winner], 0))
    return torch.where(largest > 0, label, UNDECIDED)


def evidence(activation: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Summed activity |a| of the neurons of each class, [B, ``classes``]."""
    _check(activation, labels)
    return summed_by_class(activation, labels, classes)


def largest(activation: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Largest activation of the neurons of each class, at least 0, [B, ``classes``].

    `by_max` decides for the class where it is largest.
    """
    _check(activation, labels)
    found = activation.new_zeros(len(activation), classes)
    index = labels.expand(len(activation), -1)
    return found.scatter_reduce_(1, index, activation.clamp(min=0), "amax")


def by_sum(evidence: Tensor) -> Tensor:
    """Class with the most evidence, equation (10).

    Args:
        evidence: [B, classes], from `evidence`.

    Returns:
        [B] int64; −1 where there is no evidence at all.
    """
    most, winner = evidence.max(dim=1)
    return torch.where(most > 0, winner, UNDECIDED)


def confusion(true: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """How often each class was taken for which, [classes, classes + 1] int64.

    Row: the true class. Column: the predicted class; the last one counts the undecided.
    """
    column = torch.where(predicted == UNDECIDED, classes, predicted)
    cells = torch.bincount(true * (classes + 1) + column, minlength=classes * (classes + 1))
    return cells.reshape(classes, classes + 1)


def _check(activation: Tensor, labels: Tensor) -> None:
    if activation.ndim != 2 or labels.shape != activation.shape[1:]:
        raise ValueError(
            f"activation must be [B, M] and labels [M], got {list(activation.shape)} and "
            f"{list(labels.shape)}"
        )
