"""What the rows of a sweep say of its points, along the keys that were varied."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np

from workbench.analysis.sweep_axis import Axis, Measure
from workbench.engine.sweep_axes import Axes
from workbench.engine.sweep_store import DECODERS, Row
from workbench.parameters import Parameter

MOST_LISTED = 12  # different numbers, beyond which they may have been drawn
WIDE = 20.0  # largest over smallest value from which an axis is logarithmic


@dataclass(frozen=True)
class Column:
    """One number that a row has of its point."""

    title: str
    of: Callable[[Row], float | None]
    part: bool = False  # of 1, shown in percent

    def text(self, row: Row) -> str:
        """The number as a person writes it; empty where it is not known."""
        value = self.of(row)
        return "" if value is None else self.words(value)

    def words(self, value: float) -> str:
        """A number of this column."""
        return f"{100 * value:.4g} %" if self.part else f"{value:.4g}"


COLUMNS = (
    Column("accuracy", lambda row: row["decoder"] and row["accuracy"][row["decoder"]], True),
    *(Column(f"{d} decoder", lambda row, d=d: row["accuracy"][d], True) for d in DECODERS),
    Column("active", itemgetter("active_fraction"), True),
    Column("peak firing", itemgetter("peak_firing")),
    Column("final energy", itemgetter("final_energy")),
    Column("duality gap", itemgetter("duality_gap")),
    Column("converged", itemgetter("converged_fraction"), True),
    Column("seconds", itemgetter("seconds")),
)


def outcome(rows: Sequence[Row]) -> Measure:
    """What a sweep is judged by: the accuracy of each document's decoder, if there is any."""
    accuracy = numbers(row["accuracy"][row["decoder"]] for row in rows)
    if not np.isfinite(accuracy).any():
        return activity(rows)
    decoders = {row["decoder"] for row in rows}
    which = f"{decoders.pop()} decoder" if len(decoders) == 1 else "each point's decoder"
    return Measure(f"Accuracy, {which} (%)", accuracy)


def activity(rows: Sequence[Row]) -> Measure:
    """The mean part of the neurons that fire."""
    return Measure("Active fraction (%)", numbers(row["active_fraction"] for row in rows))


def numbers(values: Iterable[float | None]) -> np.ndarray:
    """NaN where one is not known."""
    return np.array([math.nan if value is None else value for value in values], dtype=float)


def axis_of(axes: Axes, key: str, rows: Sequence[Row]) -> Axis:
    """Where the rows are along a key of a sweep."""
    span = next((span for span in axes.ranges if span.key == key), None)
    values = [row["values"][key] for row in rows]
    if span is None:
        return listed_axis(axes.declared[key], values)
    return Axis(axis_label(axes.declared[key]), values, span.log, drawn=True)


def axis_found(declared: Parameter, values: Sequence[Any]) -> Axis:
    """Where values are of which nobody says whether they were listed or drawn."""
    axis = listed_axis(declared, values)
    different = len(set(values))
    return replace(axis, drawn=axis.numeric and MOST_LISTED < different > len(values) / 2)


def listed_axis(declared: Parameter, values: Sequence[Any]) -> Axis:
    """Where values are that were listed, not drawn."""
    axis = Axis(axis_label(declared), values)
    wide = axis.numeric and min(values) > 0 and max(values) >= WIDE * min(values)
    return replace(axis, log=wide)


def axis_label(declared: Parameter) -> str:
    """Name, symbol and unit."""
    label = " ".join(filter(None, (declared.label, declared.symbol)))
    return f"{label} ({declared.unit})" if declared.unit else label
