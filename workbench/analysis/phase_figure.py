"""A phase plane on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from workbench.analysis.figures import add_caption, styled
from workbench.palette import TERM_COLOURS

_MAP, _INK, _QUIET, _FAINT = "viridis", "#22252b", "#6b7078", "#b4b8bf"
_MOST_VECTOR = 2000  # steps up to which the path is drawn as vectors


@styled
def phase_figure(
    steps: np.ndarray,
    points: np.ndarray,
    labels: Sequence[str],
    threshold: float | None = None,
    signed: bool = False,
    flow: Any = None,
    caption: str = "",
) -> Figure:
    """A path [n, 2] over ``steps`` [n], coloured by step, from its open end to its full one.

    Args:
        steps: ascending.
        points: of the path.
        labels: of the two axes.
        threshold: dashed on both axes; None: there is none.
        signed: it holds on the negative side, too.
        flow: a `phase.Flow`: arrows, and lines on which one of the two is at rest.
        caption: small at the bottom.
    """
    figure = Figure(figsize=(5.6, 4.6), layout="constrained")
    axes = figure.add_subplot()
    _draw_flow(axes, flow)
    path = LineCollection(np.stack([points[:-1], points[1:]], 1), cmap=_MAP, linewidths=2, zorder=3)
    path.set_array(np.asarray(steps[1:], float))
    path.set_clim(float(steps[0]), float(max(steps[-1], steps[0] + 1)))
    path.set_rasterized(len(steps) > _MOST_VECTOR)
    axes.add_collection(path)
    axes.plot(*points[0], "o", ms=5, color="white", mec=_INK, zorder=4)
    axes.plot(*points[-1], "o", ms=5, color=_INK, zorder=4)
    axes.margins(0.06)
    axes.autoscale_view()
    for level in () if threshold is None else (threshold, -threshold)[: 1 + signed]:
        _draw_threshold(axes, level)
    axes.set(title="Phase plane", xlabel=labels[0], ylabel=labels[1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    bar = figure.colorbar(path, ax=axes, aspect=28, ticks=MaxNLocator(5, integer=True))
    bar.outline.set_visible(False)
    bar.set_label("Step k")
    add_caption(figure, caption)
    return figure


def _draw_threshold(axes: Any, level: float) -> None:
    """Dashed lines at a level, where the picture reaches it."""
    dashed = {"color": _QUIET, "lw": 1, "ls": (0, (4, 3)), "zorder": 1}
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    if left <= level <= right:
        axes.axvline(level, **dashed)
    if low <= level <= high:
        axes.axhline(level, **dashed)


def _draw_flow(axes: Any, flow: Any) -> None:
    if flow is None:
        return
    (x, y), (across, up) = flow.points.T, flow.rates.T
    size = np.ptp(flow.points, axis=0)
    speed = np.hypot(across / size[0], up / size[1])
    shown = np.divide(1.0, np.sqrt(speed), out=np.zeros_like(speed), where=speed > 0)
    axes.quiver(x, y, across * shown, up * shown, color=_FAINT, angles="xy", width=0.003, zorder=0)
    for lines, colour in zip(flow.nullclines, TERM_COLOURS, strict=False):
        for line in lines:
            axes.plot(*line.T, color=colour, lw=1.2, zorder=2)
