"""A map of regimes: a system under many values of two of its parameters, some images each.

Every cell is a run of its own from silence, over all steps, of the same few images in one batch.
The cells are those of a coarse grid first; then the map is refined where neighbours differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.analysis import regimes
from workbench.analysis.regimes import Course, Node
from workbench.engine.courses import course
from workbench.engine.experiment import Cancelled, Experiment
from workbench.engine.inputs import Input
from workbench.parameters import Parameter, declared
from workbench.systems.protocol import System

NODES = 17  # along an axis of the finest grid
COARSE = 4  # spacing of the first one: 5 × 5
IMAGES = 4
MOST_TICKS = 6  # on a linear axis


def offered(system: System) -> list[Parameter]:
    """The parameters that a map can be over: numbers with a range worth exploring."""
    values = system.params.model_dump()
    return [p for p in declared(system.Params) if p.slider is not None and p.applies(values)]


@dataclass(frozen=True)
class Axis:
    """One parameter of a map, and its values at the nodes."""

    declared: Parameter
    values: tuple[float, ...]  # ascending

    @classmethod
    def of(cls, declared: Parameter, now: float) -> Axis:
        """The range worth exploring, made wider where the present value lies outside of it."""
        low, high = declared.slider
        if now > 0 or not declared.log:
            low, high = min(low, now), max(high, now)
        parts = [i / (NODES - 1) for i in range(NODES)]
        if declared.log:
            values = [low * (high / low) ** part for part in parts]
        else:
            values = [low + (high - low) * part for part in parts]
        if declared.type == "int":
            return cls(declared, tuple(round(value) for value in values))
        inner = [float(f"{value:.3g}") for value in values[1:-1]]
        return cls(declared, (float(low), *inner, float(high)))

    @property
    def title(self) -> str:
        """Name, symbol and unit."""
        parameter = self.declared
        unit = f"({parameter.unit})" if parameter.unit else ""
        return " ".join(filter(None, (parameter.label, parameter.symbol, unit)))

    def place(self, value: float) -> float:
        """Where a value lies, in nodes from the first; at the end of the axis if it is beyond."""
        low, high = self.values[0], self.values[-1]
        value = min(max(value, low), high)
        if self.declared.log:
            part = math.log(value / low) / math.log(high / low)
        else:
            part = (value - low) / (high - low)
        return part * (NODES - 1)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values, as places in nodes and words."""
        low, high = self.values[0], self.values[-1]
        if self.declared.log:
            decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            digits = (1, 2, 5) if len(decades) <= 4 else (1,)
            round_ones = [digit * 10.0**decade for decade in decades for digit in digits]
        else:
            rough = (high - low) / MOST_TICKS
            power = 10.0 ** math.floor(math.log10(rough))
            step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
            first = math.ceil(low / step)
            round_ones = [step * (first + i) for i in range(MOST_TICKS + 1)]
        slack = 1e-9 * (high - low)
        inside = [value for value in round_ones if low - slack <= value <= high + slack]
        return [(self.place(value), f"{value:g}") for value in inside]


@dataclass(frozen=True, eq=False)
class Cell:
    """One node of the map; the arrays hold a number for each image."""

    regime: int  # an index of `regimes.REGIMES`
    regimes: np.ndarray  # [B]
    peak: np.ndarray  # [B], how many neurons fire at most
    last: np.ndarray  # [B], how many fire at the last step
    energy: np.ndarray | None  # [B], at the last step
    silence: np.ndarray | None  # [B], the energy at step 0

    @classmethod
    def of(cls, course: Course) -> Cell:
        """What a course comes to."""
        each, energy = regimes.classify(course), course.energy
        return cls(
            regimes.overall(each),
            each,
            course.counts.max(0),
            course.counts[-1],
            None if energy is None else energy[-1],
            None if energy is None else energy[0],
        )


@dataclass(frozen=True, eq=False)
class Wish:
    """What a map is of."""

    experiment: Experiment
    across: Axis
    up: Axis
    watched: Input  # the first of the images
    others: tuple[int, ...]  # test samples
    here: Node  # where to begin

    @classmethod
    def of(cls, experiment: Experiment, across: str, up: str, watched: Input) -> Wish:
        """The map over two parameters, around their present values."""
        params = experiment.system.params
        known = {p.name: p for p in offered(experiment.system)}
        axes = [Axis.of(known[name], getattr(params, name)) for name in (across, up)]
        here = [
            round(axis.place(getattr(params, name)))
            for axis, name in zip(axes, (across, up), strict=True)
        ]
        others = _others(len(experiment.dataset.test), watched.sample)
        return cls(experiment, *axes, watched, others, tuple(here))

    @property
    def names(self) -> tuple[str, str]:
        """The parameters, across and up."""
        return self.across.declared.name, self.up.declared.name

    @property
    def rest(self) -> dict[str, Any]:
        """The parameters that the map is not over."""
        values = self.experiment.system.params.model_dump()
        return {name: value for name, value in values.items() if name not in self.names}

    def same(self, other: Wish) -> bool:
        """Whether another wish has the same map; where to begin changes nothing."""
        mine, its = self.experiment, other.experiment
        return (
            mine.system.wiring is its.system.wiring
            and mine.vectors is its.vectors
            and torch.equal(self.watched.vector, other.watched.vector)
            and (self.across, self.up, self.rest) == (other.across, other.up, other.rest)
        )

    def values(self, node: Node) -> dict[str, float]:
        """The two parameters at a node, by name."""
        across, up = self.names
        return {across: self.across.values[node[0]], up: self.up.values[node[1]]}

    def at(self, node: Node) -> Experiment:
        """The experiment with the system of a node."""
        system = self.experiment.system
        there = system.with_params(system.params.changed(**self.values(node)))
        return replace(self.experiment, system=there)

    def vectors(self) -> Tensor:
        """The images as vectors [B, N], the watched one first."""
        rows = [self.watched.vector]
        if self.others:
            rows.append(self.experiment.vectors.test.rows(list(self.others)))
        return torch.cat(rows)


@dataclass(frozen=True, eq=False)
class Map:
    """The cells that are known so far."""

    wish: Wish
    cells: Mapping[Node, Cell] = field(default_factory=dict)
    whole: bool = False  # nothing is left to learn

    def at(self, across: float, up: float) -> tuple[Node, Cell] | None:
        """The cell whose area covers a place, in nodes from the lower left; None: none yet."""
        found = None
        for node, side in regimes.areas(tuple(self.cells), COARSE):
            if abs(across - node[0]) <= side / 2 and abs(up - node[1]) <= side / 2:
                found = node, self.cells[node]
        return found


def explore(wish: Wish, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Map]:
    """The map, ever finer; a map is given whenever a cell is known.

    Args:
        cancelled: asked before each time step; it may take its time.

    Raises:
        Cancelled: ``cancelled`` said so.
        InputError: the system refuses one of the images.
    """
    if cancelled():
        raise Cancelled
    vectors, cells = wish.vectors(), {}
    known = np.full((NODES, NODES), -1)
    while (node := regimes.next_node(known, wish.here, COARSE)) is not None:
        cells[node] = Cell.of(course(wish.at(node), vectors, cancelled))
        known[node] = cells[node].regime
        yield Map(wish, dict(cells))
    yield Map(wish, dict(cells), whole=True)


def _others(there: int, watched: int | None) -> tuple[int, ...]:
    """Test samples beside the watched one, spread over the test set."""
    first = watched or 0
    spread = [(first + i * there // IMAGES) % there for i in range(IMAGES)]
    return tuple(dict.fromkeys(s for s in spread if s != watched))[: IMAGES - 1]
