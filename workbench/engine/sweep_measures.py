"""What the rows of a sweep say of its points, along the keys that were varied."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.analysis.sweep_axis import Axis, Measure
from workbench.engine.sweep_axes import Axes
from workbench.engine.sweep_store import Row
from workbench.parameters import Parameter

WIDE = 20.0  # largest over smallest value from which an axis is logarithmic


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


def listed_axis(declared: Parameter, values: Sequence[Any]) -> Axis:
    """Where values are that were listed, not drawn."""
    axis = Axis(axis_label(declared), values)
    wide = axis.numeric and min(values) > 0 and max(values) >= WIDE * min(values)
    return replace(axis, log=wide)


def axis_label(declared: Parameter) -> str:
    """Name, symbol and unit."""
    label = " ".join(filter(None, (declared.label, declared.symbol)))
    return f"{label} ({declared.unit})" if declared.unit else label
