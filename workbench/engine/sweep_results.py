"""The results of a sweep as one JSON object, as a table and as figures."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from workbench.analysis import figures, sweep_figures
from workbench.analysis.importance import FEWEST, Importance, importance
from workbench.analysis.parallel_figure import parallel_figure
from workbench.analysis.sweep_axis import Axis, Measure, drawable
from workbench.engine.sweep_axes import Axes
from workbench.engine.sweep_store import DECODERS, Row, write_whole
from workbench.errors import InputError

WIDE = 20.0  # largest over smallest value from which an axis is logarithmic
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
    outcome = _outcome(done)
    found = _importance(axes, done, outcome)
    whole = as_object(axes, rows) | {"importance": _described(found, outcome, len(done))}
    text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    paths = [
        write_whole(folder / "sweep.json", text),
        write_whole(folder / "sweep.csv", _table(axes, rows)),
    ]
    for name in FIGURES:  # of a sweep before, over other keys
        (folder / f"{name}.svg").unlink(missing_ok=True)
    for name, figure in _figures(axes, done, found, outcome, about) if done else ():
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


def _outcome(rows: Sequence[Row]) -> Measure:
    """What a sweep is judged by: the accuracy of each document's decoder, if there is any."""
    accuracy = _numbers(row["accuracy"][row["decoder"]] for row in rows)
    if not np.isfinite(accuracy).any():
        return _activity(rows)
    decoders = {row["decoder"] for row in rows}
    which = f"{decoders.pop()} decoder" if len(decoders) == 1 else "each point's decoder"
    return Measure(f"Accuracy, {which} (%)", accuracy)


def _activity(rows: Sequence[Row]) -> Measure:
    return Measure("Active fraction (%)", _numbers(row["active_fraction"] for row in rows))


def _numbers(values: Iterator[float | None]) -> np.ndarray:
    return np.array([math.nan if value is None else value for value in values], dtype=float)


def _importance(axes: Axes, rows: Sequence[Row], outcome: Measure) -> Importance | None:
    known = np.flatnonzero(np.isfinite(outcome.values))
    values = {key: [rows[i]["values"][key] for i in known] for key in axes.keys}
    return importance(values, outcome.values[known])


def _described(found: Importance | None, outcome: Measure, points: int) -> dict[str, Any]:
    if found is None:
        few = f"fewer than {FEWEST} points" if points < FEWEST else "all points came out alike"
        return {"outcome": outcome.label, "keys": None, "caution": few}
    return {
        "outcome": outcome.label,
        "keys": {key: {"fall": found.fall[key], "spread": found.spread[key]} for key in found.fall},
        "explained": found.explained,
        "caution": found.caution or None,
    }


def _figures(
    axes: Axes, rows: Sequence[Row], found: Importance | None, outcome: Measure, about: str
) -> Iterator[tuple[str, Figure]]:
    """The figures by name, of points that ran."""
    shown = [outcome]
    if outcome.label != _activity(rows).label:
        shown.append(_activity(rows))
    over = {key: _axis(axes, key, rows) for key in axes.keys}
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
        yield "parallel", parallel_figure([*over.values()], outcome, caption)
    if found is not None:
        words = f"{caption}; out-of-bag R² of the forest {found.explained:.2f}"
        if found.caution:
            words += f"\nCaution: {found.caution}"
        fall, spread = (
            {over[key].label: by[key] for key in over} for by in (found.fall, found.spread)
        )
        title = f"What decides: {outcome.label.removesuffix(' (%)')}"
        yield "importance", sweep_figures.importance_figure(fall, spread, title, words)


def _axis(axes: Axes, key: str, rows: Sequence[Row]) -> Axis:
    declared, values = axes.declared[key], [row["values"][key] for row in rows]
    label = " ".join(filter(None, (declared.label, declared.symbol)))
    if declared.unit:
        label += f" ({declared.unit})"
    span = next((span for span in axes.ranges if span.key == key), None)
    if span is not None:
        return Axis(label, values, span.log, drawn=True)
    axis = Axis(label, values)
    wide = axis.numeric and min(values) > 0 and max(values) >= WIDE * min(values)
    return replace(axis, log=wide)
