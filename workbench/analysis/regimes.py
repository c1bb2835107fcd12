"""In what regime a network is: silent, sparse, dense, oscillating or divergent.

Judged from what was recorded of a run of K steps, by the first rule that holds. The *end* is the
last quarter of the steps; E₀ is the energy at step 0, that of silence; M neurons, N features.

    divergent     the energy is not finite at some step, or above 10 E₀ at the last
    silent        no neuron fires at any step
    oscillating   at the end the energy rises by more than 0.001 E₀ in a tenth of the steps (in 2 at
                  least), or a tenth of those that fire (0.5 at least) start or stop at each step,
                  beyond those by which their number grows or falls from its beginning to its end
    dense         at the end more than N neurons fire, or more than M / 4
    sparse        all else

A system without energy cannot be divergent. Its neurons fire in single spikes, so that they start
and stop all the time; it is oscillating where they fire in volleys: at the end the variance of the
number that fires is above twice its mean (the Fano factor; that of independent neurons is below 1).

The numbers are ours. 10 E₀: an overshoot that the network recovers from is over by the last step.
0.001 E₀ is where `stability` begins to call a rise a rise. More than N active atoms are linearly
dependent, and no solution of a Lasso in general position has so many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

REGIMES = ("silent", "sparse", "dense", "oscillating", "divergent")  # ever more goes on
SILENT, SPARSE, DENSE, OSCILLATING, DIVERGENT = range(len(REGIMES))
SIGNS = ("·", "s", "d", "~", "∞")  # of the regimes, where there is no room for a word

BLOWN_UP = 10.0  # times E₀
RISE = 1e-3  # of E₀
RISING = 0.1  # of the steps at the end
FEWEST_RISES = 2
FLICKER = 0.1  # of the neurons that fire, at each step
LEAST_FLICKER = 0.5  # neurons
MOST_ACTIVE = 0.25  # of all neurons
VOLLEYS = 2.0  # Fano factor


class Course(NamedTuple):
    """What was recorded of a batch of B runs at the steps 0..K."""

    counts: np.ndarray  # [K + 1, B], how many neurons fire
    switches: np.ndarray  # [K + 1, B], how many start or stop firing; 0 at step 0
    taking_part: np.ndarray  # [B], how many fire at the end, at one step at least
    energy: np.ndarray | None  # [K + 1, B], total; None: the system has none
    neurons: int
    features: int


def first_of_end(steps: int) -> int:
    """The step at which the last quarter of a run of so many steps begins: 76 of 100."""
    return min(3 * steps // 4 + 1, steps)


def classify(course: Course) -> np.ndarray:
    """The regime of each run, [B] int, an index of `REGIMES`."""
    end = slice(first_of_end(len(course.counts) - 1), None)
    found = np.full(course.counts.shape[1], SPARSE)
    most = min(course.features, MOST_ACTIVE * course.neurons)
    found[course.taking_part > most] = DENSE
    energy = course.energy
    swings = _in_volleys(course.counts[end]) if energy is None else _flickers(course, end)
    if energy is not None:
        swings |= _keeps_rising(energy, end)
    found[swings] = OSCILLATING
    found[(course.counts == 0).all(0)] = SILENT
    if energy is not None:
        with np.errstate(invalid="ignore"):
            blown_up = ~np.isfinite(energy).all(0) | (energy[-1] > BLOWN_UP * energy[0])
        found[blown_up] = DIVERGENT
    return found


def _keeps_rising(energy: np.ndarray, end: slice) -> np.ndarray:
    """Whether the energy rises again and again, [B] bool."""
    with np.errstate(invalid="ignore", over="ignore"):
        rises = np.diff(energy, axis=0, prepend=energy[:1])[end] > RISE * energy[0]
    return rises.sum(0) >= max(FEWEST_RISES, math.ceil(RISING * len(rises)))


def _flickers(course: Course, end: slice) -> np.ndarray:
    """Whether neurons start and stop firing all the time, [B] bool."""
    firing, switches = course.counts[end], course.switches[end]
    grown = abs(firing[-1] - firing[0])
    often = (switches[1:].sum(0) - grown) / max(len(switches) - 1, 1)
    return often >= np.maximum(LEAST_FLICKER, FLICKER * firing.mean(0))


def _in_volleys(counts: np.ndarray) -> np.ndarray:
    """Whether neurons fire together, [B] bool."""
    return counts.var(0) > VOLLEYS * counts.mean(0)


def overall(regimes: np.ndarray) -> int:
    """The regime of most of the runs [B]; of two that are as frequent, that in which more goes on.

    Raises:
        ValueError: there are none.
    """
    if not len(regimes):
        raise ValueError("there is no regime of no runs")
    votes = np.bincount(regimes, minlength=len(REGIMES))
    return int(np.flatnonzero(votes == votes.max())[-1])


Node = tuple[int, int]  # on a map: across, up


def next_node(found: np.ndarray, here: Node, spacing: int) -> Node | None:
    """The node of a map that is worth looking at next, or None where nothing is left to learn.

    First a coarse grid; then, square by square, the nodes halfway between those that differ, down
    to the finest. Of nodes that are as worthwhile the nearest to ``here``.

    Args:
        found: [n, n] int by across and up, the regime at each node; -1 where it is not known.
        here: the node to begin at.
        spacing: of the coarse grid, a power of two that divides n − 1.
    """
    wanted = np.zeros(found.shape, bool)
    wanted[::spacing, ::spacing] = True
    wanted &= found < 0
    side = spacing
    while side > 1 and not wanted.any():
        half = side // 2
        for across, up in _mixed_squares(found, side):
            wanted[across : across + side + 1 : half, up : up + side + 1 : half] = True
        wanted &= found < 0
        side = half
    if not wanted.any():
        return None
    nodes = np.argwhere(wanted)
    far = np.square(nodes - here).sum(1)
    return tuple(nodes[far.argmin()].tolist())


def _mixed_squares(found: np.ndarray, side: int) -> np.ndarray:
    """The lower left corners of the squares in which two known nodes differ, [m, 2]."""
    known = found >= 0
    low, high = np.where(known, found, len(REGIMES)), np.where(known, found, -1)
    least, most = (
        np.lib.stride_tricks.sliding_window_view(values, (side + 1, side + 1))[::side, ::side]
        for values in (low, high)
    )
    return side * np.argwhere(least.min((2, 3)) < most.max((2, 3)))


def areas(nodes: Sequence[Node], spacing: int) -> Iterator[tuple[Node, int]]:
    """Each known node with the side of the square around it that it stands for, the widest first.

    Drawn in this order, later over earlier, they fill the map from the first coarse node on.
    """
    sides = {node: _side(node, spacing) for node in nodes}
    yield from sorted(sides.items(), key=lambda item: -item[1])


def _side(node: Node, spacing: int) -> int:
    """The spacing of the widest grid that a node lies on."""
    while any(place % spacing for place in node):
        spacing //= 2
    return spacing
