"""Tolerances that come from statistics, not from taste."""

from __future__ import annotations

import math
from collections.abc import Sequence

Z = 2.0  # standard errors a number may be off: 1 in 22 true ones is then refused by chance
Z_TREND = 3.0  # standard errors a trend must reach: 1 in 700 is taken for one by chance


def standard_error(part: float, *samples: int) -> float:
    """Of a part of 0..1, or the difference of two, measured on so many images each (binomial)."""
    return math.sqrt(part * (1 - part) * sum(1 / count for count in samples))


def trend(parts: Sequence[float], samples: int) -> float:
    """How steeply parts of 0..1, each measured on ``samples`` images, rise; in standard errors.

    The slope of the straight line through equally spaced points, divided by its error if there
    were no trend (Cochran and Armitage). 0 where all parts are equal, NaN where one is NaN.
    """
    mean = sum(parts) / len(parts)
    middle = (len(parts) - 1) / 2
    away = [i - middle for i in range(len(parts))]
    rise = sum(x * part for x, part in zip(away, parts, strict=True))
    error = standard_error(mean, samples) * math.sqrt(sum(x * x for x in away))
    return rise / error if error else 0.0
