"""``workbench sweep``: one session under many values of its parameters."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.document import Document
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.engine.sweep_points import Point
    from workbench.engine.sweep_store import Row

LARGEST = 2**31 - 1  # of a seed


class Progress(Protocol):
    """Where lines about the work go."""

    def say(self, line: str) -> None: ...
    def pass_on(self, line: str) -> None: ...
    def end(self) -> None: ...


def add_sweep(parser: argparse.ArgumentParser) -> None:
    """``workbench sweep SESSION --grid KEY=V1,V2 ... --out DIR``; the session is there already."""
    parser.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="KEY=V1,V2,...",
        help="values of a key, such as system.threshold=0.5,1,2; several make every combination; "
        "a value that holds a comma stands in double quotes",
    )
    parser.add_argument(
        "--range",
        action="append",
        default=[],
        metavar="KEY=LOW:HIGH[:log]",
        dest="ranges",
        help="draw the values of a key uniformly, or uniformly in their logarithm",
    )
    parser.add_argument(
        "--random", type=_count, metavar="N", help="how many times to draw from the ranges"
    )
    parser.add_argument("--seed", type=_seed, metavar="S", default=0, help="of the draws")
    parser.add_argument("--samples", type=_count, metavar="N", help="only the first N test images")
    parser.add_argument(
        "--jobs",
        type=_count,
        metavar="J",
        help="processes that share the cores (default: one a core; on a GPU, take fewer)",
    )
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="run the points on the Dask cluster with this scheduler, such as tcp://10.0.0.1:8786",
    )
    parser.add_argument(
        "--out",
        type=_folder,
        metavar="DIR",
        required=True,
        help="where results, sessions and figures go; what is there already is not run again",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object to stdout")


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or len(text) > 10 or int(text) > LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 0 to {LARGEST}")
    return int(text)


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("must name a folder, got an empty text")
    return Path(text)


def sweep(options: argparse.Namespace, document: Document, progress: Progress) -> int:
    """Run what is not there yet, and write the whole; returns the exit code.

    Raises:
        InputError: an option is wrong, or no point could be run.
        KeyboardInterrupt: it was stopped; what is done is kept, and was said.
    """
    from workbench.engine import sweep_axes, sweep_points, sweep_results  # torch
    from workbench.engine.sweep_store import Store

    given = (options.grid, options.ranges, options.random, options.seed)
    axes = sweep_axes.read_axes(document, *given)
    points = sweep_points.points(axes, document, options.samples)
    store = Store(options.out)
    store.make()
    rows = _run(points, store, options, progress)
    if not any(row["error"] is None for row in rows):
        raise InputError(f"all {len(rows)} points were refused; the first: {rows[0]['error']}")
    images = f"first {options.samples}" if options.samples else "all"
    about = f"{Path(options.session).stem}, {images} test images"
    for path in sweep_results.write(options.out, axes, rows, about):
        progress.say(f"Wrote {path}")
    progress.end()
    found = sweep_results.as_object(axes, rows)
    print(json.dumps(found, allow_nan=False) if options.json else _summary(found), flush=True)
    return 0


def _run(points: list[Point], store: Any, options: argparse.Namespace, progress: Progress) -> list:
    """The rows of all points, in order; tells how far it is."""
    from workbench.engine import sweep as engine
    from workbench.engine.sweep_progress import Pace

    rows: dict[int, Row] = {}
    pace = Pace(len(points))
    try:
        for place, row, now in engine.run(
            points,
            store,
            options.samples,
            options.jobs,
            report=lambda text: progress.pass_on(f"{text} …"),
            dask=options.dask,
        ):
            rows[place] = row
            pace.add(now, refused=row["error"] is not None)
            if now:
                tell = progress.pass_on if pace.done < pace.total else progress.say
                tell(pace.words())
    except KeyboardInterrupt:
        done = sum(row["error"] is None for row in rows.values())
        progress.say(f"{done} of {len(points)} points are done; the same command goes on from here")
        progress.end()
        raise
    if pace.there:
        progress.say(f"Found {pace.there} of {len(points)} points done already")
    return [rows[place] for place in range(len(points))]


def _summary(found: dict[str, Any]) -> str:
    """The best points in a few lines, and who was refused."""
    rows = found["points"]
    done = [row for row in rows if row["error"] is None]
    lines = [f"{len(done)} of {len(rows)} points over {', '.join(found['keys'])}"]
    known = [row for row in done if row["accuracy"][row["decoder"]] is not None]
    known.sort(key=lambda row: -row["accuracy"][row["decoder"]])
    for row in known[:3]:
        accuracy = row["accuracy"][row["decoder"]]
        values = ", ".join(f"{key}={json.dumps(v)}" for key, v in row["values"].items())
        lines.append(f"accuracy, {row['decoder']} decoder: {100 * accuracy:.2f} % at {values}")
    refused = next((row for row in rows if row["error"]), None)
    if refused:
        lines.append(f"{len(rows) - len(done)} refused; the first: {refused['error']}")
    return "\n".join(lines)
