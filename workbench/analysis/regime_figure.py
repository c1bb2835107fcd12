"""The figure of a map of regimes."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from workbench.analysis.figures import add_caption, styled
from workbench.analysis.regimes import REGIMES, SIGNS
from workbench.palette import REGIME_COLOURS

_INK = "#22252b"
Ticks = Sequence[tuple[float, str]]  # place in nodes, words


@styled
def regimes_figure(
    areas: Sequence[tuple[tuple[int, int], int, int]],
    axes_: Sequence[tuple[str, Ticks]],
    nodes: int,
    here: tuple[float, float],
    caption: str = "",
) -> Figure:
    """Squares of one regime each, and where the present values are.

    Args:
        areas: node (across, up), side in nodes, and regime; the widest first, see `regimes.areas`.
        axes_: label and ticks of the axis across and of the axis up.
        nodes: how many there are along an axis.
        here: the present values, in nodes.
    """
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)  # inches
    axes = figure.add_subplot()
    for (across, up), side, regime in areas:
        corner = (across - side / 2, up - side / 2)
        axes.add_patch(Rectangle(corner, side, side, color=REGIME_COLOURS[regime], lw=0))
    for (across, up), _, regime in areas:
        light = REGIME_COLOURS[regime] in REGIME_COLOURS[2:4]
        axes.text(
            across,
            up,
            SIGNS[regime],
            ha="center",
            va="center",
            fontsize=6,
            color=_INK if light else "white",
            clip_on=True,
        )
    axes.plot(*here, "o", ms=9, mfc="none", mec="white", mew=3.5)
    axes.plot(*here, "o", ms=9, mfc="none", mec=_INK, mew=1.5)
    edges = (-0.5, nodes - 0.5)
    axes.set(title="Map of regimes", xlim=edges, ylim=edges)
    for along, (label, ticks) in zip((axes.xaxis, axes.yaxis), axes_, strict=True):
        along.set_label_text(label)
        along.set_ticks([place for place, _ in ticks], [words for _, words in ticks])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    names = zip(REGIME_COLOURS, REGIMES, SIGNS, strict=True)
    patches = [Patch(color=colour, label=f"{sign}  {name}") for colour, name, sign in names]
    axes.legend(handles=patches, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderpad=0)
    add_caption(figure, caption)
    return figure
