"""What a sweep varies: listed values of some keys, ranges that others are drawn from."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.document import Document, parsed, sections
from workbench.document.schema import Scalar
from workbench.errors import InputError
from workbench.parameters import Parameter, declared, unknown_key
from workbench.systems import kinds

KIND = Parameter("kind", "choice", "lca", "which dynamical system", "System")


@dataclass(frozen=True)
class Grid:
    """Listed values of one key."""

    key: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Range:
    """An interval that values of one key are drawn from, ends included."""

    key: str
    low: float
    high: float
    log: bool = False  # the logarithm is uniform
    whole: bool = False  # whole numbers only

    def draw(self, uniform: float) -> float:
        """The value at a place in 0..1, uniformly distributed where that is.

        Of a logarithmic range of whole numbers, k is drawn with a probability that goes as
        log(1 + 1/k), so that small ones are met as often, decade by decade.
        """
        low, high = self.low, self.high + self.whole
        if self.log:
            value = math.exp(math.log(low) + uniform * (math.log(high) - math.log(low)))
        else:
            value = low + uniform * (high - low)
        if not self.whole:
            return min(max(value, self.low), self.high)
        return min(max(math.floor(value), int(self.low)), int(self.high))


@dataclass(frozen=True)
class Axes:
    """What is varied, and how that is declared."""

    grids: tuple[Grid, ...]
    ranges: tuple[Range, ...]
    draws: int  # from the ranges
    seed: int
    declared: Mapping[str, Parameter]  # by key

    @property
    def keys(self) -> list[str]:
        """The varied keys: listed ones first, in the order given."""
        return [axis.key for axis in (*self.grids, *self.ranges)]


def read_axes(
    document: Document,
    grids: Sequence[str],
    ranges: Sequence[str] = (),
    draws: int | None = None,
    seed: int = 0,
) -> Axes:
    """Axes from their texts, ``KEY=V1,V2`` and ``KEY=LOW:HIGH[:log]``.

    Args:
        document: what is varied.
        draws: how many times to draw from the ranges.
        seed: of the draws.

    Raises:
        InputError: one line on what is wrong with a text, or with them together.
    """
    if bool(ranges) != (draws is not None):
        raise InputError("--random N and --range KEY=LOW:HIGH belong together; one is missing")
    texts = [("--grid", *_split("--grid", text)) for text in grids]
    texts += [("--range", *_split("--range", text)) for text in ranges]
    if not texts:
        raise InputError("nothing is varied; give --grid KEY=V1,V2,... or --random and --range")
    keys = [key for _, key, _ in texts]
    for option, key, _ in texts:
        if keys.count(key) > 1:
            raise InputError(f"{option} {key}: is varied twice; each key is varied once")
    listed = [_grid(key, text) for option, key, text in texts if option == "--grid"]
    known = {key: _declaration(key, _kinds(document, listed)) for key in keys}
    spans = [_range(key, text, known[key]) for option, key, text in texts if option == "--range"]
    return Axes(tuple(listed), tuple(spans), draws or 0, seed, known)


def _split(option: str, text: str) -> tuple[str, str]:
    key, equals, values = text.partition("=")
    if not equals:
        like = "KEY=V1,V2,..." if option == "--grid" else "KEY=LOW:HIGH or KEY=LOW:HIGH:log"
        raise InputError(f"{option} {text!r}: must be {like}, such as system.threshold={_EG[like]}")
    return key.strip(), values


_EG = {"KEY=V1,V2,...": "0.5,1,2", "KEY=LOW:HIGH or KEY=LOW:HIGH:log": "0.1:10:log"}


def _grid(key: str, text: str) -> Grid:
    try:
        texts = next(csv.reader([text], skipinitialspace=True), [])  # quoted, it may hold a comma
    except csv.Error as error:
        raise InputError(
            f"--grid {key}: must be values with commas between them: {error}"
        ) from None
    if not texts or not all(value.strip() for value in texts):
        raise InputError(
            f"--grid {key}={text}: must list one value or more between commas, none of them empty"
        )
    return Grid(key, tuple({json.dumps(v): v for v in (parsed(key, t) for t in texts)}.values()))


def _range(key: str, text: str, parameter: Parameter) -> Range:
    place, parts = f"--range {key}={text}", text.split(":")
    if parameter.type not in ("float", "int"):
        raise InputError(f"{place}: the key must take numbers, and takes {parameter.allowed}")
    try:
        low, high = (float(part) for part in parts[:2])
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high)) or parts[2:] not in ([], ["log"]):
        raise InputError(f"{place}: must be LOW:HIGH or LOW:HIGH:log, both finite numbers")
    log, whole = len(parts) == 3, parameter.type == "int"
    if low >= high:
        raise InputError(f"{place}: LOW must be less than HIGH")
    if log and low <= 0:
        raise InputError(f"{place}: LOW of a logarithmic range must be above 0")
    if whole and not (low.is_integer() and high.is_integer()):
        raise InputError(f"{place}: must run between whole numbers; {key} is {parameter.allowed}")
    return Range(key, low, high, log, whole)


def varied(document: Document) -> dict[str, Parameter]:
    """Every key that can be varied and changes a result, and how it is declared."""
    known = {"system.kind": KIND}
    models = {"system": kinds()[document.system["kind"]].Params} | sections()
    for section, model in models.items():
        known |= {f"{section}.{p.name}": p for p in declared(model) if section != "view"}
    return known


def _kinds(document: Document, grids: Sequence[Grid]) -> set[Scalar]:
    """The kinds of system that the points are of."""
    listed = next((grid.values for grid in grids if grid.key == "system.kind"), ())
    return set(listed) or {document.system["kind"]}


def _declaration(place: str, among: set[Scalar]) -> Parameter:
    """How a key is declared, for the systems of these kinds."""
    section, _, key = place.partition(".")
    parsed(place, "")  # refuses a section that is not there
    if section == "system":
        models = [kinds()[kind].Params for kind in kinds() if kind in among]
        known = {p.name: p for model in models for p in declared(model)} | {"kind": KIND}
    else:
        known = {p.name: p for p in declared(sections()[section])}
    if key not in known:
        raise InputError(unknown_key(place, key, known))
    return known[key]
