"""Accuracy over time steps: how early the network could have been asked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from workbench.analysis.figures import add_caption, styled
from workbench.palette import NEUTRAL, class_colour

SETTLED = 0.005  # so near to its final value an accuracy has settled
DECODERS = ("max", "sum", "perceptron")


def settled_at(accuracy: np.ndarray, within: float = SETTLED) -> int:
    """The step from which on an accuracy [K + 1] stays within some distance of its last value."""
    away = np.flatnonzero(np.abs(accuracy - accuracy[-1]) > within + 1e-9)
    return int(away[-1]) + 1 if len(away) else 0


def decoder_colour(decoder: str) -> str:
    """The colour of a decoder's curve, whichever others there are."""
    return class_colour(DECODERS.index(decoder), len(DECODERS))


@styled
def anytime_figure(accuracy: Mapping[str, np.ndarray], caption: str = "") -> Figure:
    """Accuracy (0..1) at the steps 0..K ([K + 1]), by decoder, and where each has settled."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    last = max(max(len(curve) for curve in accuracy.values()) - 1, 1)
    for name, curve in accuracy.items():
        colour, step = decoder_colour(name), settled_at(curve)
        words = f"{name} {curve[-1]:.1%}, from step {step} on"
        axes.plot(np.arange(len(curve)), curve, color=colour, label=words)
        axes.plot(step, curve[step], "o", ms=5, color=colour)
    axes.set(title="Accuracy at each step", xlabel="Step k", ylabel="Right", xlim=(0, last))
    axes.set_ylim(0, 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.axhline(1, color=NEUTRAL, lw=0.5, zorder=0)
    axes.legend(loc="lower right", fontsize=8, title="dot: stays within 0.5 %", title_fontsize=8)
    add_caption(figure, caption)
    return figure
