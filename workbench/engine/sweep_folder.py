"""What a folder of results holds: the runs of one sweep or of several, however they ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.document import Document, load
from workbench.document.schema import Scalar
from workbench.engine.experiment import Cancelled
from workbench.engine.sweep_store import POINTS, SESSIONS, Row, Store, measures
from workbench.errors import InputError

SAMPLES = "samples"  # no key of a session, but runs may differ in it


@dataclass(frozen=True, eq=False)
class Found:
    """The runs of a folder."""

    keys: tuple[str, ...]  # those in which they differ
    rows: tuple[Row, ...]  # "values" holds every key of the session, and `SAMPLES`
    importance: dict[str, Any] | None  # as in ``sweep.json``, if it is of these runs


def read(folder: Path, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Found]:
    """Read all runs; gives one thing, at the end.

    Raises:
        Cancelled: ``cancelled`` said so.
        InputError: it holds none.
    """
    store, rows = Store(folder), []
    for path in sorted((folder / POINTS).glob("*.json")):
        if cancelled():
            raise Cancelled
        found = store.read(path.stem)
        if found is not None:
            rows.append(_row(path.stem, found, load(store.session(path.stem))))
    if not rows:
        raise InputError(f"{folder}: holds no results of a sweep; these are in {POINTS}/ of it")
    keys = _differing(rows)
    summary = _summary(folder)
    refused = [row for row in summary.get("points", ()) if row["error"]]
    same = len(rows) + len(refused) == len(summary.get("points", ()))
    yield Found(keys, (*rows, *refused), summary.get("importance") if same else None)


def settings(document: Document) -> dict[str, Scalar]:
    """Every key of a session that changes a result, with its value."""
    return {
        f"{section}.{key}": value
        for section, values in document.model_dump(
            exclude={"workbench", "view", "branches"}
        ).items()
        for key, value in values.items()
    }


def _row(name: str, found: dict[str, Any], document: Document) -> Row:
    return {
        "values": settings(document) | {SAMPLES: found["samples"]},
        **measures(found),
        "error": None,
        "result": f"{POINTS}/{name}.json",
        "session": f"{SESSIONS}/{name}.json",
    }


def _differing(rows: list[Row]) -> tuple[str, ...]:
    every = dict.fromkeys(key for row in rows for key in row["values"])
    values = {key: {json.dumps(row["values"].get(key)) for row in rows} for key in every}
    return tuple(key for key, there in values.items() if len(there) > 1)


def _summary(folder: Path) -> dict[str, Any]:
    """``sweep.json``, if the sweep came to its end."""
    try:
        found = json.loads((folder / "sweep.json").read_text("utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}
