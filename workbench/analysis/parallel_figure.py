"""Parallel coordinates: a sweep over many keys in one figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter

from workbench.analysis.figures import add_caption, styled
from workbench.analysis.sweep_axis import Axis, Measure, spread_heights

_MAP, _INK, _HAIRLINE = "viridis", "#22252b", "#d4d7dc"
_MOST_VECTOR = 2000  # lines up to which they are drawn as vectors


@styled
def parallel_figure(axes_: Sequence[Axis], outcome: Measure, caption: str = "") -> Figure:
    """Parallel coordinates: each point is a line through its values, coloured by its outcome.

    Lines through one listed value pass side by side, the best on top, so that none hides another.
    The best are drawn last; points without an outcome are left out.
    """
    figure = Figure(figsize=(1.6 + 1.5 * len(axes_), 3.8), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.15, h_pad=0.08)  # inches
    axes = figure.add_subplot()
    order = np.argsort(outcome.values, kind="stable")
    order = order[np.isfinite(outcome.values[order])]
    heights = np.stack([spread_heights(axis, order) for axis in axes_], 1)  # [points, keys]
    lines = [np.column_stack([np.arange(len(axes_)), row]) for row in heights]
    image = LineCollection(lines, cmap=_MAP, linewidths=1.2, alpha=0.8)
    image.set_array(outcome.values[order])
    image.set_rasterized(len(lines) > _MOST_VECTOR)
    axes.add_collection(image)
    for place, axis in enumerate(axes_):
        axes.axvline(place, color=_HAIRLINE, lw=1, zorder=0)
        for height, mark in axis.marks():
            axes.annotate(
                mark,
                (place, height),
                xytext=(-4, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=7,
                color=_INK,
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )
    axes.set(xlim=(-0.45, len(axes_) - 0.9), ylim=(-0.08, 1.08), yticks=[])
    axes.set_xticks(range(len(axes_)), [axis.label.replace(" (", "\n(") for axis in axes_])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, aspect=24, format=PercentFormatter(1))
    bar.outline.set_visible(False)
    bar.solids.set_alpha(1)
    bar.set_label(outcome.label)
    add_caption(figure, caption)
    return figure
