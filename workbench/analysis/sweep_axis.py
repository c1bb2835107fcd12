"""What the figures of a sweep are drawn over: the values of a varied key at the points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_TICKS = 12
LONGEST = 30  # characters of a name
SPREAD = 0.1  # of the height of an axis, for the lines through one listed value


@dataclass(frozen=True)
class Axis:
    """A varied key: one value a point."""

    label: str  # name, symbol and unit
    values: Sequence[Any]
    log: bool = False
    drawn: bool = False  # from a range, so that hardly two points share a value

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers."""
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in self.values)

    @property
    def listed(self) -> list[Any]:
        """The values that occur: numbers ascending, names in the order they are met."""
        found = list(dict.fromkeys(self.values))
        return sorted(found) if self.numeric else found

    def places(self) -> np.ndarray:
        """Where the points are on the axis: their numbers, or the places of their names."""
        if self.numeric:
            return np.asarray(self.values, dtype=float)
        listed = self.listed
        return np.array([listed.index(value) for value in self.values], dtype=float)

    def heights(self) -> np.ndarray:
        """The same from 0 to 1, on a logarithmic scale where the axis has one."""
        places = np.log(self.places()) if self.log else self.places()
        low, high = places.min(), places.max()
        return (places - low) / (high - low) if high > low else np.full(len(places), 0.5)

    def marks(self) -> list[tuple[float, str]]:
        """Height and words of the values to name: all where they are few, else the ends."""
        heights = dict(zip(self.values, self.heights(), strict=True))
        listed = self.listed
        if len(listed) > MOST_TICKS or (self.drawn and len(listed) > 2):
            listed = [listed[0], listed[-1]] if self.numeric else listed[:MOST_TICKS]
        return [(float(heights[value]), word(value)) for value in listed]


def cell_means(across: Axis, down: Axis, values: np.ndarray) -> np.ndarray:
    """The mean of the known values of the points in each cell, [rows, columns]; NaN: none are.

    Columns are the listed values of ``across``, rows those of ``down``.
    """
    columns, rows = ({v: i for i, v in enumerate(axis.listed)} for axis in (across, down))
    sums, counts = np.zeros((2, len(rows), len(columns)))
    for x, y, value in zip(across.values, down.values, values, strict=True):
        if np.isfinite(value):
            sums[rows[y], columns[x]] += value
            counts[rows[y], columns[x]] += 1
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def spread_heights(axis: Axis, order: np.ndarray) -> np.ndarray:
    """Heights of the points in order, those of one listed value spread a little around it."""
    heights = axis.heights()[order]
    if axis.drawn:
        return heights
    there, which, counts = np.unique(heights, return_inverse=True, return_counts=True)
    width = min(SPREAD, 0.4 * np.diff(there).min(initial=1.0))
    ranks = np.empty(len(heights))
    for place, count in enumerate(counts):
        ranks[which == place] = (np.arange(count) + 0.5) / count - 0.5
    return heights + width * ranks


@dataclass(frozen=True)
class Measure:
    """What was measured at each point, a part of 1; NaN where it is not known."""

    label: str
    values: np.ndarray


def word(value: Any) -> str:
    """A value as a person writes it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    return drawable(text if len(text) <= LONGEST else f"…{text[1 - LONGEST :]}")


def drawable(text: str) -> str:
    """The text as a figure can hold it: no formula, and bytes that are no text escaped."""
    return text.encode("utf-8", "backslashreplace").decode().replace("$", r"\$")
