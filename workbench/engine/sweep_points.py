"""Which documents a sweep runs: every combination of what it varies."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.document import Document
from workbench.document.schema import Scalar
from workbench.engine.sweep_axes import Axes
from workbench.errors import InputError

MOST_POINTS = 100_000


@dataclass(frozen=True)
class Point:
    """One run of a sweep."""

    asked: Mapping[str, Scalar]  # the varied keys
    document: Document | None  # None: these values make none
    name: str = ""  # of its files; empty where there is no document
    error: str = ""  # why there is no document, one line

    def data(self) -> str:
        """The same text for points on the same images or features."""
        return _text(self.document.model_dump(include={"data", "backbone"}))

    def dictionary(self) -> str:
        """The same text for points on the same images that share a dictionary, too."""
        return _text(self.document.model_dump(include={"signal", "dictionary", "run"}))


def count(axes: Axes) -> int:
    """How many points there are at most; drawn ones may be alike."""
    return math.prod(len(grid.values) for grid in axes.grids) * (axes.draws or 1)


def points(axes: Axes, document: Document, samples: int | None = None) -> list[Point]:
    """The points in order, each once; each draw is combined with every listed value.

    More draws with the same seed begin with the same ones.

    Raises:
        InputError: there are more than `MOST_POINTS`.
    """
    if count(axes) > MOST_POINTS:
        raise InputError(f"a sweep of {count(axes)} points: must be at most {MOST_POINTS}")
    uniform = random.Random(axes.seed).random
    drawn = [[r.draw(uniform()) for r in axes.ranges] for _ in range(axes.draws)] or [[]]
    listed = [grid.values for grid in axes.grids]
    found = {}
    for draw, values in itertools.product(drawn, itertools.product(*listed)):
        point = _point(document, dict(zip(axes.keys, (*values, *draw), strict=True)), samples)
        found.setdefault(point.name or _text(point.asked), point)
    return list(found.values())


def _point(document: Document, asked: Mapping[str, Scalar], samples: int | None) -> Point:
    # another kind of system starts from its defaults, so it is set before its parameters
    try:
        for key in sorted(asked, key=lambda key: key != "system.kind"):
            document = document.with_value(key, asked[key])
    except InputError as error:
        return Point(asked, None, error=str(error))
    identity = _text([document.model_dump(exclude={"branches"}), samples])
    name = hashlib.blake2b(identity.encode(), digest_size=10)
    return Point(asked, document, name.hexdigest())


def _text(values: Any) -> str:
    return json.dumps(values, sort_keys=True)
