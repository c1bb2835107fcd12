"""The f–I curve: how often a neuron fires under a constant input current."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from workbench import palette
from workbench.desktop.asking import Asker, Stopped, Wish, answer
from workbench.desktop.theme import theme
from workbench.desktop.views.base import PlaneView, of_kind, quiet_legend, style_legend
from workbench.desktop.workspace import Workspace

REACH = 16  # pixels from a dot within which a click finds it
PACE = 0.1  # seconds between two curves while the network runs


@dataclass(frozen=True, eq=False)
class CurveWish(Wish):
    """The f–I curve under the parameters of a system, up to a signal."""

    system: Any
    largest: float

    @property
    def title(self) -> str:
        return "the f–I curve"

    def same(self, other: Wish) -> bool:
        """The curve depends on nothing but the parameters."""
        mine = (type(self.system), self.system.params, self.largest)
        return mine == (type(other.system), other.system.params, other.largest)

    def find(self, stopped: Callable[[], bool]) -> Any:
        """Simulate it; takes a fraction of a second."""
        from workbench.analysis.response import f_i_curve  # with torch, which is loaded by now

        curve = f_i_curve(self.system, self.largest, stopped)
        if curve is None:
            raise Stopped
        return curve


class ResponseView(PlaneView):
    """Firing rate over input current: simulated, in closed form, and of the neurons of the run."""

    name = "fi"
    title = "f–I curve"
    tab = "f–I"
    shows = (
        "How often a neuron fires under a constant input current: as its own steps make it, under "
        "the present parameters (line), and in closed form for a steady current in continuous "
        "time (dashed). Dots are the neurons of this run: their input current, which is the mean "
        "of a random one, and their spikes so far over the time passed."
    )
    equation = "f = 1 / (t_ref + (τ/g) ln(I / (I − g V_θ))) for I > g V_θ, else 0"
    look_for = (
        "the current at which firing begins, the bend towards 1 / t_ref, and stairs: spikes come "
        "at whole steps. With random input neurons fire below the threshold current, too. Dots "
        "settle on the curve as time passes. Click one to select its neuron."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.asker = Asker("response")
        self._responds = False
        self._counts = _Counts()
        self._largest, self._time_step = 1.0, 1.0
        self._currents, self._rates = np.empty(0), np.empty(0)
        self._top = 0.0  # of the vertical range
        self._dots = pg.ScatterPlotItem(size=7, pen=None)
        self._selected = pg.ScatterPlotItem(size=12)
        self._simulated = pg.PlotCurveItem()
        self._closed = pg.PlotCurveItem()
        drawn = (self._closed, self._simulated, self._dots, self._selected)
        for depth, item in enumerate(drawn):
            item.setZValue(depth)
            self.plot.addItem(item, ignoreBounds=True)
        self._legend = quiet_legend(self.plot, (0, 0))
        names = ("simulated", "closed form, steady I", "neurons of this run")
        for item, words in zip((self._simulated, self._closed, self._dots), names, strict=True):
            self._legend.addItem(item, words)
        workspace.experimentChanged.connect(self._let_go)
        workspace.closing.connect(self.asker.close)
        self.restyle()

    # -- drawing ---------------------------------------------------------------------------------

    def applies(self, system: type) -> bool:
        return system.responds

    def depends_on(self, snapshot: Any) -> tuple:
        return (*super().depends_on(snapshot), self.asker.latest)

    def reset(self, snapshot: Any) -> None:
        system = snapshot.experiment.system
        self._responds = system.responds and bool(of_kind(system, "spikes"))
        if not self._responds:
            self.show_empty(f"{system.title} has no firing rate that follows from a current.")
            return
        signal = snapshot.experiment.scaled(snapshot.input.vector)
        self._largest = max(1.0, float(signal.max()))
        response = system.response(signal)
        self._currents = response.current[0].cpu().double().numpy()
        self._time_step = response.time_step
        self.label_bottom("input current I")
        self.label_left("spikes per time unit f")
        right = float(self._currents.max(initial=0.0)) or 1.0
        self.plot.setXRange(-0.02 * right, 1.05 * right, padding=0)
        self._top = 0.0
        self._grow(1e-3)

    def draw(self, snapshot: Any) -> None:
        if not self._responds:
            return
        wish, made = CurveWish(snapshot.experiment.system, self._largest), self.asker.latest
        if made is None or not made.wish.same(wish):
            self.ask(self.asker, wish, PACE)
        if made is not None and made.found is not None:
            self._draw_curve(made.found)
        self._measure(snapshot)
        self._dots.setData(self._currents, self._rates)
        selected = self.workspace.neuron
        shown = [selected] if selected is not None and selected < len(self._rates) else []
        self._selected.setData(self._currents[shown], self._rates[shown])
        self._grow(float(self._rates.max(initial=0.0)))
        self._summary(snapshot, made)

    def _draw_curve(self, curve: Any) -> None:
        self._simulated.setData(curve.current, curve.simulated)
        self._closed.setData(curve.closed_current, curve.closed)
        right = float(max(curve.current[-1], self._currents.max(initial=0.0))) or 1.0
        self.plot.setXRange(-0.02 * right, 1.05 * right, padding=0)
        self._grow(float(max(curve.simulated.max(), curve.closed.max())))

    def _measure(self, snapshot: Any) -> None:
        """The rate of each neuron since the parameters are what they are."""
        recording, step = snapshot.recording, snapshot.step
        since = recording.course_start
        since = max(since, 1) if since <= step else 1
        spikes = self._counts.between(recording, since, step, len(self._currents))
        self._rates = spikes / (max(step + 1 - since, 1) * self._time_step)

    def _summary(self, snapshot: Any, made: Any) -> None:
        fired = int((self._rates > 0).sum())
        words = f"{fired} of {len(self._rates)} neurons fired up to step {snapshot.step}"
        if made is None:
            words += " · simulating …"
        elif made.error:
            words += f" · no curve: {made.error}"
        self.summarise(words)

    def _grow(self, top: float) -> None:
        """Widen the vertical range to hold a rate."""
        if top > self._top:
            self._top = top
            self.plot.setYRange(-0.03 * top, 1.15 * top, padding=0)

    def fit(self) -> None:
        self._recording = None

    # -- the rest --------------------------------------------------------------------------------

    def clicked(self, x: float, y: float) -> None:
        """A click near a dot selects its neuron."""
        if not len(self._rates):
            return
        wide, high = self.plot.getViewBox().viewPixelSize()
        away = np.hypot((self._currents - x) / wide, (self._rates - y) / high)
        if away.min() <= theme.px(REACH):
            self.workspace.select_neuron(int(away.argmin()))

    def restyle(self) -> None:
        super().restyle()
        colours, ink = theme.colours, pg.mkColor(palette.TERM_COLOURS[0])
        ink.setAlpha(150)
        self._dots.setBrush(pg.mkBrush(ink))
        self._selected.setBrush(pg.mkBrush(None))
        self._selected.setPen(pg.mkPen(colours.text, width=2))
        self._simulated.setPen(pg.mkPen(palette.TERM_COLOURS[1], width=2))
        self._closed.setPen(pg.mkPen(colours.muted, width=1.5, style=Qt.PenStyle.DashLine))
        style_legend(self._legend)

    def _let_go(self, experiment: Any) -> None:
        """Another system: its curve is another one."""
        made = self.asker.latest
        if made is not None and type(made.wish.system) is not type(experiment.system):
            self.asker.forget()

    def _curve(self) -> Any:
        """The curve of what is on the screen, made now if it is not there yet."""
        if self.workspace.snapshot is None or not self._responds:
            return None
        wish = CurveWish(self.workspace.experiment.system, self._largest)
        made = self.asker.latest
        return (made if made is not None and made.wish.same(wish) else answer(wish)).found

    def figure(self) -> Any:
        curve = self._curve()
        if curve is None:
            return None
        from workbench.analysis.response_figure import response_figure

        return response_figure(curve, self._currents, self._rates, self.caption())

    def table(self) -> tuple[list[str], np.ndarray] | None:
        curve = self._curve()
        if curve is None:
            return None
        rows = [["simulated", "", *row] for row in zip(curve.current, curve.simulated, strict=True)]
        closed = zip(curve.closed_current, curve.closed, strict=True)
        rows += [["closed form", "", *row] for row in closed]
        dots = zip(self._currents, self._rates, strict=True)
        rows += [["run", neuron, *row] for neuron, row in enumerate(dots)]
        return ["of", "neuron", "current", "rate"], np.array(rows, dtype=object)


class _Counts:
    """How often each neuron fired between two steps; goes on from where it ended."""

    def __init__(self) -> None:
        self._recording: Any = None
        self._first, self._last = 0, 0
        self._counts = np.empty(0, int)

    def between(self, recording: Any, first: int, last: int, neurons: int) -> np.ndarray:
        """Spikes of each neuron at the steps ``first`` to ``last``, [neurons]."""
        if (recording, first) != (self._recording, self._first) or last < self._last:
            self._recording, self._first, self._last = recording, first, first - 1
            self._counts = np.zeros(neurons, int)
        steps, fired, _ = recording.spike_pairs(self._last + 1)
        self._counts += np.bincount(fired[steps <= last], minlength=neurons)
        self._last = max(last, self._last)
        return self._counts
