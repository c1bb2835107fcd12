"""A sweep in a process of its own, for a window: one line of JSON comes in, lines of JSON go out.

    {"keys": [...], "total": 12}                   before anything is run
    {"text": "Loading mnist"}                      what is done before the first point
    {"place": 3, "row": {...}, "now": true}        a point; not ``now``: it was there already
    {"importance": {...}}                          at the end: as in ``sweep.json``
    {"error": "system.threshold = -1: must ..."}   the user's input is wrong

When its input is closed it stops, as after Ctrl-C: so it ends with the window, however that ends.
It steps back behind whoever else wants the cores.
"""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Self

from workbench.document import Document
from workbench.engine import sweep, sweep_axes, sweep_points, sweep_results
from workbench.engine.sweep_store import Store
from workbench.errors import InputError

STOPPED = 130  # exit code, as of a shell after Ctrl-C
NICENESS = 10
PATIENCE = 5.0  # seconds to end in good order


@dataclass(frozen=True)
class Request:
    """What is to be run; the fields are those of ``workbench sweep``."""

    document: dict[str, Any]
    folder: str
    about: str  # under the figures
    grids: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    draws: int | None = None
    seed: int = 0
    samples: int | None = None
    jobs: int | None = None
    dask: str | None = None

    def to_line(self) -> str:
        """One line of text."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        """The request that a line holds."""
        return cls(**json.loads(line))


def serve(request: Request, tell: Callable[[dict[str, Any]], None]) -> None:
    """Run what is not there yet and write the whole.

    Raises:
        InputError: the user's input is wrong, or no point could be run.
    """
    document = Document.parse(request.document)
    given = (request.grids, request.ranges, request.draws, request.seed)
    axes = sweep_axes.read_axes(document, *given)
    points = sweep_points.points(axes, document, request.samples)
    tell({"keys": axes.keys, "total": len(points)})
    store = Store(Path(request.folder))
    store.make()
    rows = {}
    for place, row, now in sweep.run(
        points,
        store,
        request.samples,
        request.jobs,
        report=lambda text: tell({"text": text}),
        dask=request.dask,
    ):
        rows[place] = row
        tell({"place": place, "row": row, "now": now})
    whole = [rows[place] for place in range(len(points))]
    if not any(row["error"] is None for row in whole):
        raise InputError(f"all {len(whole)} points were refused; the first: {whole[0]['error']}")
    sweep_results.write(store.folder, axes, whole, request.about)
    written = json.loads((store.folder / "sweep.json").read_text("utf-8"))
    tell({"importance": written["importance"]})


def main(asks: IO[str], answers: IO[str]) -> int:
    """Serve one request; the exit code is that of the command line."""
    request = Request.from_line(asks.readline())
    threading.Thread(target=_stop_with, args=(asks,), daemon=True).start()

    def tell(line: dict[str, Any]) -> None:
        answers.write(json.dumps(line, allow_nan=False) + "\n")
        answers.flush()

    try:
        serve(request, tell)
    except InputError as error:
        tell({"error": str(error)})
        return 2
    except (KeyboardInterrupt, BrokenPipeError):
        return STOPPED
    return 0


def _stop_with(asks: IO[str]) -> None:
    """Wait for the end of the input; then interrupt the work, and end if that does not help."""
    while os.read(asks.fileno(), 4096):  # the file object would hold its lock at the very end
        pass
    _thread.interrupt_main()
    threading.Event().wait(PATIENCE)
    os._exit(STOPPED)


if __name__ == "__main__":
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
    sys.exit(main(sys.stdin, sys.stdout))
