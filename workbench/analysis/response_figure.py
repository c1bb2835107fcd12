"""The f–I curve on paper."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from workbench.analysis.figures import add_caption, styled
from workbench.analysis.response import Curve
from workbench.palette import NEUTRAL, TERM_COLOURS


@styled
def response_figure(
    curve: Curve, currents: np.ndarray, rates: np.ndarray, caption: str = ""
) -> Figure:
    """Firing rate over input current: simulated, in closed form, and of neurons of a run.

    Args:
        curve: of a neuron.
        currents: [M], mean input current of each neuron of the run.
        rates: [M], its spikes per time unit.
        caption: small at the bottom.
    """
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(currents, rates, "o", ms=4.5, mew=0, alpha=0.6, color=TERM_COLOURS[0], label="run")
    axes.plot(curve.current, curve.simulated, color=TERM_COLOURS[1], label="simulated")
    dashed = {"color": NEUTRAL, "ls": (0, (4, 3)), "lw": 1.2}
    axes.plot(curve.closed_current, curve.closed, label="closed form, steady current", **dashed)
    axes.set(title="f–I curve", xlabel="Input current I", ylabel="Spikes per time unit f")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, float(max(curve.current[-1], currents.max(initial=0))) or 1.0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    axes.legend(loc="upper left", fontsize=8)
    add_caption(figure, caption)
    return figure
