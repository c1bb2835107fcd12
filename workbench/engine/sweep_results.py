"""The results of a sweep as one JSON object, as a table and as figures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from workbench.analysis import figures, sweep_figures
from workbench.analysis.importance import FEWEST, Importance, importance
from workbench.analysis.parallel_figure import parallel_figure
from workbench.analysis.sweep_axis import Measure, drawable
from workbench.engine.sweep_axes import Axes
from workbench.engine.sweep_measures import activity, axis_of, outcome
from workbench.engine.sweep_store import DECODERS, Row, write_whole
from workbench.errors import InputError

ONCE = ("active_fraction", "peak_firing", "final_energy", "duality_gap", "converged_fraction")
FIGURES = ("line", "heatmap", "parallel", "importance")
LAST = ("seconds", "fingerprint", "error", "result", "session")


def as_object(axes: Axes, rows: Sequence[Row]) -> dict[str, Any]:
    """What ``workbench sweep --json`` prints: the varied keys, and a row a point."""
    return {"keys": axes.keys, "points": list(rows)}


def write(folder: Path, axes: Axes, rows: Sequence[Row], about: str) -> list[Path]:
    """Write ``sweep.json``, ``sweep.csv`` and the figures; returns what was written.

    ``about`` says under the figures what was varied.

    ``importance`` in ``sweep.json`` says by how much the R² of a random forest falls when the
    values of each key are shuffled; of the accuracy, or of the active fraction where there is none.

    Raises:
        InputError: the folder cannot be written to.
    """
    done = [row for row in rows if row["error"] is None]
    judged = outcome(done)
    found = _importance(axes, done, judged)
    whole = as_object(axes, rows) | {"importance": _described(found, judged, len(done))}
    text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    paths = [
        write_whole(folder / "sweep.json", text),
        write_whole(folder / "sweep.csv", _table(axes, rows)),
    ]
    for name in FIGURES:  # of a sweep before, over other keys
        (folder / f"{name}.svg").unlink(missing_ok=True)
    for name, figure in _figures(axes, done, found, judged, about) if done else ():
        try:
            paths.append(figures.save_figure(figure, folder / f"{name}.svg"))
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"{folder / name}.svg: not written: {why}") from error
    return paths


def _table(axes: Axes, rows: Sequence[Row]) -> str:
    """A line a point; a value is written as ``--set`` takes it, what is not known is empty."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([*axes.keys, *(f"accuracy_{name}" for name in DECODERS), *ONCE, *LAST])
    for row in rows:
        values = (row["values"][key] for key in axes.keys)
        texts = (value if isinstance(value, str) else json.dumps(value) for value in values)
        accuracy = (row["accuracy"][name] for name in DECODERS)
        writer.writerow([*texts, *accuracy, *(row[name] for name in (*ONCE, *LAST))])
    return file.getvalue()


def _importance(axes: Axes, rows: Sequence[Row], judged: Measure) -> Importance | None:
    known = np.flatnonzero(np.isfinite(judged.values))
    values = {key: [rows[i]["values"][key] for i in known] for key in axes.keys}
    return importance(values, judged.values[known])


def _described(found: Importance | None, judged: Measure, points: int) -> dict[str, Any]:
    if found is None:
        few = f"fewer than {FEWEST} points" if points < FEWEST else "all points came out alike"
        return {"outcome": judged.label, "keys": None, "caution": few}
    return {
        "outcome": judged.label,
        "keys": {key: {"fall": found.fall[key], "spread": found.spread[key]} for key in found.fall},
        "explained": found.explained,
        "caution": found.caution or None,
    }


def _figures(
    axes: Axes, rows: Sequence[Row], found: Importance | None, judged: Measure, about: str
) -> Iterator[tuple[str, Figure]]:
    """The figures by name, of points that ran."""
    shown = [judged]
    if judged.label != activity(rows).label:
        shown.append(activity(rows))
    over = {key: axis_of(axes, key, rows) for key in axes.keys}
    caption = f"{drawable(about)}, {len(rows)} points"
    if len(over) == 1:
        yield "line", sweep_figures.line_figure(*over.values(), shown, caption)
        return
    first, second, *others = over
    mean = (
        f", mean over {', '.join(others)}"
        if others and not (over[first].drawn or over[second].drawn)
        else ""
    )
    two = (over[first], over[second])
    yield "heatmap", sweep_figures.heatmap_figure(*two, shown, caption + mean)
    if others:
        yield "parallel", parallel_figure([*over.values()], judged, caption)
    if found is not None:
        words = f"{caption}; out-of-bag R² of the forest {found.explained:.2f}"
        if found.caution:
            words += f"\nCaution: {found.caution}"
        fall, spread = (
            {over[key].label: by[key] for key in over} for by in (found.fall, found.spread)
        )
        title = f"What decides: {judged.label.removesuffix(' (%)')}"
        yield "importance", sweep_figures.importance_figure(fall, spread, title, words)
