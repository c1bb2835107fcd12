"""When a run decided for its class, and which neurons made it do so."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

MOST_NEURONS = 3  # that are named
ENOUGH = 0.7  # of the evidence; who adds to more than that is not named


class Decision(NamedTuple):
    """The last change of the leading class."""

    label: int  # the class that leads in the end
    step: int  # since which it leads
    before: int | None  # the class that led until then; None: none did
    neurons: tuple[int, ...]  # of the class, those with most evidence at that step
    part: float  # of the evidence for the class that these are, 0..1


def decided_at(evidence: np.ndarray) -> int | None:
    """The step from which on the leading class stays the same; None while all is silent.

    Args:
        evidence: [K + 1, classes].
    """
    if not len(evidence) or not evidence[-1].max() > 0:
        return None
    leader = _leaders(evidence)
    other = np.flatnonzero(leader != leader[-1])
    return int(other[-1]) + 1 if len(other) else 0


def decision(
    evidence: np.ndarray, code_at: Callable[[int], np.ndarray], labels: np.ndarray
) -> Decision | None:
    """Which class a run decided for, when, and by whom; None: it has not decided.

    Args:
        evidence: [K + 1, classes], summed activity |a| of the neurons of each class.
        code_at: gives the activations [M] at a step.
        labels: [M], the class of each neuron.
    """
    step = decided_at(evidence)
    if step is None:
        return None
    leader = _leaders(evidence)
    label, before = int(leader[-1]), int(leader[step - 1]) if step else -1
    activity = np.where(labels == label, np.abs(code_at(step)), 0.0).astype(float)
    order = np.argsort(-activity, kind="stable")[:MOST_NEURONS]
    reached = np.cumsum(activity[order]) / activity.sum()
    count = int(np.searchsorted(reached, ENOUGH)) + 1
    order = order[:count]
    named = order[activity[order] > 0]
    part = float(reached[len(named) - 1])
    return Decision(label, step, None if before < 0 else before, tuple(named.tolist()), part)


def _leaders(evidence: np.ndarray) -> np.ndarray:
    """The leading class at each step, [K + 1]; −1 where there is no evidence."""
    return np.where(evidence.max(1) > 0, evidence.argmax(1), -1)
