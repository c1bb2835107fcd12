"""Figures of a sweep: what is measured over one key and over two, and which keys decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
)

from workbench.analysis.figures import add_caption, styled
from workbench.analysis.sweep_axis import MOST_TICKS, Axis, Measure, cell_means, word
from workbench.palette import NEUTRAL, TERM_COLOURS

_MAP = "viridis"
_INK, _QUIET = "#22252b", "#6b7078"
_MOST_WRITTEN = 80  # cells of a heatmap up to which each holds its number


@styled
def line_figure(axis: Axis, measures: Sequence[Measure], caption: str = "") -> Figure:
    """Each measure over one key, one plot below the other."""
    figure = Figure(figsize=(6.4, 0.6 + 2.3 * len(measures)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)  # inches
    each = figure.subplots(len(measures), 1, sharex=True, squeeze=False)[:, 0]
    places = axis.places()
    order = np.argsort(places, kind="stable")
    for axes, measure in zip(each, measures, strict=True):
        look = "o-" if axis.numeric else "o"
        axes.plot(places[order], measure.values[order], look, ms=4, color=TERM_COLOURS[0])
        axes.set_title(measure.label)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.margins(x=0.04, y=0.12)
    _scale(each[-1], axis, "x")
    add_caption(figure, caption)
    return figure


@styled
def heatmap_figure(
    across: Axis, down: Axis, measures: Sequence[Measure], caption: str = ""
) -> Figure:
    """Each measure over two keys: cells for listed values, dots where one was drawn.

    A cell is the mean of its points, over all that else was varied; one without any stays empty.
    """
    dots = across.drawn or down.drawn
    columns, rows = len(across.listed), len(down.listed)
    width = 3.6 if dots else min(7.0, max(3.4, 1.6 + 0.5 * columns))
    height = 3.6 if dots else min(7.0, max(2.8, 1.3 + 0.42 * rows))
    figure = Figure(figsize=(width * len(measures), height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)  # inches
    each = figure.subplots(1, len(measures), squeeze=False)[0]
    for axes, measure in zip(each, measures, strict=True):
        image = (_dots if dots else _cells)(axes, across, down, measure.values)
        axes.set_title(measure.label)
        axes.set(xlabel=across.label, ylabel=down.label)
        bar = figure.colorbar(image, ax=axes, aspect=24, format=PercentFormatter(1))
        bar.outline.set_visible(False)
        bar.locator = MaxNLocator(5)
    add_caption(figure, caption)
    return figure


def _dots(axes: Axes, across: Axis, down: Axis, values: np.ndarray) -> Any:
    axes.margins(0.06)
    known = np.isfinite(values)
    x, y = across.places(), down.places()
    image = axes.scatter(x[known], y[known], 26, values[known], cmap=_MAP)
    axes.scatter(x[~known], y[~known], 20, color=NEUTRAL, marker="x", linewidths=1)
    _scale(axes, across, "x")
    _scale(axes, down, "y")
    return image


def _cells(axes: Axes, across: Axis, down: Axis, values: np.ndarray) -> Any:
    columns, rows = across.listed, down.listed
    cells = np.ma.masked_invalid(cell_means(across, down, values))
    image = axes.imshow(cells, cmap=_MAP, aspect="auto", origin="lower")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    _name(axes, columns, "x")
    _name(axes, rows, "y")
    for row, column in np.ndindex(cells.shape) if cells.size <= _MOST_WRITTEN else ():
        empty = cells.mask[row, column] if np.ma.is_masked(cells) else False
        light = empty or image.norm(cells[row, column]) > 0.6
        axes.text(
            column,
            row,
            "–" if empty else f"{100 * cells[row, column]:.3g}",
            ha="center",
            va="center",
            fontsize=7,
            color=_INK if light else "white",
        )
    return image


@styled
def importance_figure(
    fall: Mapping[str, float], spread: Mapping[str, float], title: str, caption: str = ""
) -> Figure:
    """How much R² falls when each key is shuffled, the largest on top; whiskers: one deviation."""
    names = sorted(fall, key=fall.get)
    figure = Figure(figsize=(6.4, 1.3 + 0.34 * len(names)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)  # inches
    axes = figure.add_subplot()
    axes.barh(
        names,
        [fall[name] for name in names],
        xerr=[spread[name] for name in names],
        height=0.6,
        color=TERM_COLOURS[0],
        error_kw={"ecolor": _QUIET, "elinewidth": 1, "capsize": 2},
    )
    axes.set(title=title, xlabel="Fall of R² when the values are shuffled; 2 if they decide alone")
    axes.set_xlim(left=min(0.0, *axes.get_xlim()))
    add_caption(figure, caption)
    return figure


def _scale(axes: Axes, axis: Axis, which: str) -> None:
    """Scale, ticks and label of an axis that holds places."""
    along = axes.xaxis if which == "x" else axes.yaxis
    along.set_label_text(axis.label)
    if not axis.numeric:
        _name(axes, axis.listed, which)
        return
    if axis.log:
        axes.set(**{f"{which}scale": "log"})
        along.set_major_locator(LogLocator(subs=(1, 2, 5)))
        along.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if not axis.drawn and len(axis.listed) <= MOST_TICKS:
        along.set_ticks(axis.listed, [word(value) for value in axis.listed])
    along.set_minor_formatter(NullFormatter())
    along.set_tick_params(which="minor", length=0)


def _name(axes: Axes, values: Sequence[Any], which: str) -> None:
    """Name places 0, 1, ... by their values, some of them where they are many."""
    every = -(-len(values) // MOST_TICKS)
    places, words = range(0, len(values), every), [word(value) for value in values[::every]]
    if which == "y":
        axes.set_yticks(places, words)
        return
    long = sum(map(len, words)) > 36
    axes.set_xticks(places, words, rotation=45 if long else 0, ha="right" if long else "center")
