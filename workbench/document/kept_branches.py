"""The branches of a run as a session keeps them: from which step on which parameters acted."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from workbench.errors import InputError

Values = dict[str, Any]
MOST_BRANCHES, MOST_TURNS, MOST_EDITS = 64, 1000, 100
LAST_STEP = 1_000_000


@dataclass(frozen=True)
class Turn:
    """From a step on: a system under parameters, and what was edited there."""

    step: int
    system: Values  # kind and parameters, as the system section of a document
    edits: tuple[Values, ...] = ()  # kind and values of each


@dataclass(frozen=True)
class KeptBranch:
    """One branch: all its turns from step 0 on, and where it left its parent."""

    parent: int | None  # the place of another one before it in the list
    step: int  # the last one shared with it
    turns: tuple[Turn, ...]
    title: str = ""
    current: bool = False  # the cursor is on it

    @classmethod
    def parse_all(cls, values: Any, where: str) -> tuple[Self, ...]:
        """Build from plain values, as JSON gives them.

        Raises:
            InputError: one line with the place, what came and what is allowed.
        """
        rows = _list(values, where, MOST_BRANCHES)
        return tuple(cls._parse(row, i, f"{where}[{i}]") for i, row in enumerate(rows))

    @classmethod
    def _parse(cls, row: Any, index: int, where: str) -> Self:
        row = _known(row, where, ("parent", "step", "turns", "title", "current"))
        parent = row.get("parent")
        if parent is not None:
            _whole(parent, f"{where}.parent", index - 1)
        turns = _list(row.get("turns"), f"{where}.turns", MOST_TURNS)
        if not turns:
            raise InputError(f"{where}.turns = []: must hold at least one turn, at step 0")
        step = _whole(row.get("step", 0), f"{where}.step", LAST_STEP)
        parsed = tuple(_turn(turn, f"{where}.turns[{i}]") for i, turn in enumerate(turns))
        steps = [turn.step for turn in parsed]
        if steps[0] != 0 or steps != sorted(set(steps)):
            raise InputError(f"{where}.turns are at steps {steps}: must begin at 0 and ascend")
        title, current = row.get("title", ""), row.get("current", False)
        if not isinstance(title, str) or not isinstance(current, bool):
            raise InputError(f"{where}: title must be a text, current true or false")
        return cls(parent, step, parsed, title, current)

    def plain(self) -> Values:
        """As JSON takes it, without what is as usual."""
        usual = {"title": "", "current": False}
        values = {k: v for k, v in asdict(self).items() if usual.get(k, ...) != v}
        values["turns"] = [
            {k: v for k, v in asdict(turn).items() if k != "edits" or v} for turn in self.turns
        ]
        return values


def _turn(row: Any, where: str) -> Turn:
    row = _known(row, where, ("step", "system", "edits"))
    step = _whole(row.get("step"), f"{where}.step", LAST_STEP)
    system = _scalars(row.get("system"), f"{where}.system")
    edits = _list(row.get("edits", []), f"{where}.edits", MOST_EDITS)
    return Turn(
        step, system, tuple(_scalars(e, f"{where}.edits[{i}]") for i, e in enumerate(edits))
    )


def _scalars(values: Any, where: str) -> Values:
    """Plain values with a kind."""
    if not isinstance(values, Mapping) or not isinstance(values.get("kind"), str):
        raise InputError(f"{where} = {reprlib.repr(values)}: must be an object with a kind")
    for key, value in values.items():
        finite = not isinstance(value, float) or math.isfinite(value)
        if not isinstance(value, (bool, int, float, str, type(None))) or not finite:
            raise InputError(f"{where}.{key} = {reprlib.repr(value)}: must be a plain value")
    return {str(key): value for key, value in values.items()}


def _known(row: Any, where: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(row, Mapping):
        raise InputError(f"{where} = {reprlib.repr(row)}: must be an object of {', '.join(keys)}")
    for key in row:
        if key not in keys:
            raise InputError(f"{where}.{key}: unknown key; known here: {', '.join(keys)}")
    return row


def _list(values: Any, where: str, most: int) -> Sequence[Any]:
    if not isinstance(values, (list, tuple)):
        raise InputError(f"{where} = {reprlib.repr(values)}: must be a list of at most {most}")
    if len(values) > most:
        raise InputError(f"{where} has {len(values)} entries: must be a list of at most {most}")
    return values


def _whole(value: Any, where: str, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        allowed = f"a whole number from 0 to {most}" if most >= 0 else "null, for it is the first"
        raise InputError(f"{where} = {reprlib.repr(value)}: must be {allowed}")
    return value
