"""What a sweep keeps: a result and a session a point, and what is said of them in a row."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.document import Document, save
from workbench.engine import results
from workbench.engine.sweep_points import Point
from workbench.errors import InputError

Row = dict[str, Any]
POINTS, SESSIONS = "points", "sessions"  # sub-folders
DECODERS = ("max", "sum", "perceptron")
MEASURES = (
    "decoder",
    "accuracy",
    "active_fraction",
    "peak_firing",
    "final_energy",
    "duality_gap",
    "converged_fraction",
    "seconds",
    "fingerprint",
)


@dataclass(frozen=True)
class Store:
    """A folder of finished points: the result of each, and the session that gave it."""

    folder: Path

    def make(self) -> None:
        """Make the folders, if they are not there.

        Raises:
            InputError: one cannot be made, or cannot be written to.
        """
        for folder in (self.folder, self.folder / POINTS, self.folder / SESSIONS):
            results.make_folder(folder)

    def tidy(self) -> None:
        """Remove what processes that were ended in the middle of a file have left."""
        for folder in (POINTS, SESSIONS):
            for aside in (self.folder / folder).glob(".*.tmp"):
                aside.unlink(missing_ok=True)

    def result(self, name: str) -> Path:
        """The file with what ``workbench run --json`` prints."""
        return self.folder / POINTS / f"{name}.json"

    def session(self, name: str) -> Path:
        """The file that opens as a session and runs as this point."""
        return self.folder / SESSIONS / f"{name}.json"

    def read(self, name: str) -> dict[str, Any] | None:
        """The result of a point, if it is there and can be read."""
        try:
            found = json.loads(self.result(name).read_text("utf-8"))
            return found if found["fingerprint"] and self.session(name).exists() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, name: str, document: Document, found: dict[str, Any]) -> None:
        """Keep the result of a point; its session first, so that no result is without one."""
        save(document, self.session(name))
        write_whole(self.result(name), json.dumps(found, allow_nan=False) + "\n")


def write_whole(path: Path, text: str) -> Path:
    """Write a file, whole or not at all.

    Raises:
        InputError: it cannot be written; what was there before is still there.
    """
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with aside.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise InputError(f"{path}: not written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
    return path


def measures(found: dict[str, Any]) -> Row:
    """What a row says of a result, as ``workbench run --json`` prints it."""
    counts, total = found["firing_counts"], found["energy"]["total"]
    return {
        "decoder": found["document"]["decoder"]["kind"],
        "accuracy": dict.fromkeys(DECODERS) | found["accuracy"],
        "active_fraction": found["active_fraction"],
        "peak_firing": max(counts) if counts else None,
        "final_energy": total[-1] if total else None,
        "duality_gap": found["certificate"]["duality_gap"],
        "converged_fraction": found["certificate"]["converged_fraction"],
        "seconds": round(sum(found["seconds"].values()), 4),
        "fingerprint": found["fingerprint"],
    }


def row(point: Point, measured: Row | None, error: str) -> Row:
    """A point in a few numbers: what was asked, what was measured, where the rest is."""
    there = measured is not None
    nothing = dict.fromkeys(MEASURES) | {"accuracy": dict.fromkeys(DECODERS)}
    return {
        "values": dict(point.asked),
        **(measured or nothing),
        "error": error or None,
        "result": f"{POINTS}/{point.name}.json" if there else None,
        "session": f"{SESSIONS}/{point.name}.json" if there else None,
    }
