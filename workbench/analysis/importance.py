"""Which of several varied quantities an outcome depends on: permutation importance.

A random forest learns the outcome from the varied values. Then the values of one quantity are
shuffled among the points, and the importance of that quantity is how much the forest's R² falls
(Breiman, Machine Learning 45, 5-32, 2001). If the outcome is a sum of functions of independent
quantities, that is twice the part of its variance that each explains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FEWEST = 5  # points; of fewer nothing can be said
MOST = 2000  # points that are looked at; of more, so many are drawn
ENOUGH = 10  # points for each quantity, below which a warning is given
TREES, SHUFFLES = 200, 20
EXPLAINED = 0.5  # out-of-bag R² below which the forest has not understood the outcome


@dataclass(frozen=True)
class Importance:
    """How much the outcome depends on each quantity."""

    fall: Mapping[str, float]  # of R² when the quantity is shuffled, mean
    spread: Mapping[str, float]  # standard deviation over the shuffles
    explained: float  # R² of points on trees that did not see them
    caution: str  # why this may mislead; empty if nothing speaks against it


def importance(values: Mapping[str, Sequence[Any]], outcome: Sequence[float]) -> Importance | None:
    """Permutation importance of each quantity for the outcome.

    Args:
        values: by quantity, one value a point: numbers, or names, truths and None as categories.
        outcome: one finite number a point.

    Returns:
        None where the points are fewer than `FEWEST`, or their outcomes all equal. Of more than
        `MOST` points, so many are drawn.
    """
    target = np.asarray(outcome, dtype=float)
    if len(target) < FEWEST or np.ptp(target) == 0:
        return None
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    columns = np.stack([_numbers(column) for column in values.values()], 1)  # [points, quantities]
    if len(target) > MOST:
        drawn = np.random.default_rng(0).choice(len(target), MOST, replace=False)
        columns, target = columns[drawn], target[drawn]
    forest = RandomForestRegressor(TREES, oob_score=True, random_state=0).fit(columns, target)
    found = permutation_importance(forest, columns, target, n_repeats=SHUFFLES, random_state=0)
    explained = float(forest.oob_score_)
    return Importance(
        dict(zip(values, found.importances_mean.tolist(), strict=True)),
        dict(zip(values, found.importances_std.tolist(), strict=True)),
        explained,
        _caution(len(target), len(values), explained),
    )


def _numbers(column: Sequence[Any]) -> np.ndarray:
    """Numbers as they are; categories as numbers in the order they are met."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in column):
        return np.asarray(column, dtype=float)
    places: dict[Any, int] = {}
    return np.array([places.setdefault(value, len(places)) for value in column], dtype=float)


def _caution(points: int, quantities: int, explained: float) -> str:
    words = []
    if points < ENOUGH * quantities:
        words.append(f"only {points} points; {ENOUGH * quantities} or more would say it better")
    if explained < EXPLAINED:
        words.append(f"the forest explains little of the outcome (out-of-bag R² {explained:.2f})")
    return "; ".join(words)
