"""The decoders on codes that are given by their entries: as cheap as the codes are sparse.

For decisions at every step, where `decoders` on whole codes would cost a good part of it. Sums are
those of float64, so these may decide otherwise where two classes are equal to the last bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from workbench.coding.decoders import UNDECIDED


def by_max(
    sample: np.ndarray, neuron: np.ndarray, value: np.ndarray, samples: int, labels: np.ndarray
) -> np.ndarray:
    """Class of the neuron with the largest activation, of equal ones the first.

    Args:
        sample: [n], which code an entry belongs to, ascending.
        neuron: [n], which neuron, ascending within a code.
        value: [n], its activation, not zero.
        samples: how many codes there are.
        labels: [M], the class of each neuron.

    Returns:
        [samples] int64; −1 where no activation is positive.
    """
    decided = np.full(samples, UNDECIDED)
    if not len(sample):
        return decided
    begins = np.flatnonzero(np.diff(sample, prepend=-1))
    largest = np.maximum.reduceat(value, begins)
    per_entry = np.repeat(largest, np.diff(begins, append=len(sample)))
    winners = np.flatnonzero((value == per_entry) & (value > 0))
    who, first = np.unique(sample[winners], return_index=True)
    decided[who] = labels[neuron[winners[first]]]
    return decided


def by_sum(
    sample: np.ndarray,
    neuron: np.ndarray,
    value: np.ndarray,
    samples: int,
    labels: np.ndarray,
    classes: int,
) -> np.ndarray:
    """Class with the largest summed activity; arguments and result as `by_max`."""
    place = sample * classes + labels[neuron]
    evidence = np.bincount(place, np.abs(value), samples * classes).reshape(samples, classes)
    return np.where(evidence.max(1) > 0, evidence.argmax(1), UNDECIDED)


def by_perceptron(
    sample: np.ndarray, neuron: np.ndarray, value: np.ndarray, samples: int, perceptron: Any
) -> np.ndarray:
    """Class that a trained `perceptron.Perceptron` takes for the most probable; as `by_max`."""
    weight, bias = perceptron.weight.cpu().numpy(), perceptron.bias.cpu().numpy()
    begins = np.searchsorted(sample, np.arange(samples + 1))
    codes = csr_matrix((value, neuron, begins), shape=(samples, weight.shape[1]))
    return np.where(np.diff(begins) > 0, (codes @ weight.T + bias).argmax(1), UNDECIDED)
