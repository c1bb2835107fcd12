"""Two branches under one cursor: what sets them off, where they part, how far apart they go."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from workbench.desktop import comparing
from workbench.desktop.latest import Latest
from workbench.desktop.theme import theme
from workbench.desktop.views.base import PlotView, class_pen
from workbench.desktop.views.traces import TraceCache
from workbench.desktop.workspace import Workspace

log = logging.getLogger(__name__)
NEURONS = 12  # whose differences are drawn
PLAIN_COLOURS = 6  # that neurons without a class take turns in
HOW = (
    "Nothing to compare with. Go back and change a parameter, or fork (B), and the run before "
    "stays as a branch; or keep a run (Ctrl+P), or compare with a session (Branch menu)."
)


@dataclass(frozen=True, eq=False)
class Found:
    """Where two branches part, as far as is known."""

    a: Any
    b: Any
    parting: Any


def _work(wish: tuple[Any, Any, Any], stop: Any) -> Any:
    from workbench.engine.parting import Parting, partings  # with torch, which is loaded by now

    here, there, known = wish
    try:
        for parting in partings(here, there, stop, known or Parting(0)):
            yield Found(here, there, parting)
    except Exception:  # of a system; the window must go on
        log.exception("where two branches part could not be told")


class CompareView(PlotView):
    """The potentials of the run minus those of the branch that it is drawn over."""

    name = "compare"
    title = "Compare"
    shows = (
        "The run beside the branch that it is drawn over: the settings that differ, the first "
        "step at which a potential differs, and the difference of the potentials of the neurons "
        "that differ most at the cursor."
    )
    equation = "Δu = u here − u there"
    look_for = (
        "how long a change stays small before it tips a decision, and which neurons carry it. "
        "Both runs advance under one cursor. Click a curve to select its neuron, elsewhere to go "
        "to a step; right click a branch in the timeline to draw another one behind the run."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.words = QLabel(wordWrap=True)
        self.words.setProperty("role", "note")
        self.words.setMinimumWidth(1)  # a long word must not widen the view beyond its dock
        self.words.setAccessibleName("What sets the two runs apart")
        self.words.setTextFormat(Qt.TextFormat.RichText)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._layout.insertWidget(1, self.words)
        self._zero = pg.InfiniteLine(angle=0, pos=0)
        self.plot.addItem(self._zero, ignoreBounds=True)
        self._curves: list[pg.PlotCurveItem] = []
        self._neurons = np.empty(0, int)
        self._caches: tuple[TraceCache, ...] = ()
        self._reading, self._frames = False, 0
        self._worker: Latest[Any, Found] = Latest("parting", _work)
        self._asked: tuple[Any, ...] = ()  # the pair that was asked about last
        workspace.closing.connect(self._worker.close)
        self.restyle()

    # -- what is drawn ---------------------------------------------------------------------------

    def needs(self, system: Any) -> set[str]:
        quantity = _quantity(system)
        return {quantity.name} if quantity else set()

    def compares(self, system: Any) -> set[str]:
        return self.needs(system)

    def depends_on(self, snapshot: Any) -> tuple:
        reading = self._frames if self._reading else 0
        return (*super().depends_on(snapshot), snapshot.reference, self._worker.latest, reading)

    def reset(self, snapshot: Any) -> None:
        self._caches, self._neurons = (), np.empty(0, int)
        self.fit_steps(snapshot.experiment.steps)
        self.grow_range(-1e-3, 1e-3, fresh=True)
        quantity = _quantity(snapshot.experiment.system)
        if quantity is not None:
            self.label_left(f"Δ{quantity.symbol or quantity.title}")

    def draw(self, snapshot: Any) -> None:
        self._frames += 1
        reference = snapshot.reference
        self.show_empty("" if reference is not None else HOW)
        if reference is None:
            self._caches = ()  # nothing to export either
            return
        from workbench.engine.parting import comparable

        here, there = snapshot.branch, reference.branch
        alike, quantity = comparable(here, there), _quantity(snapshot.experiment.system)
        drawable = alike and quantity is not None
        self.widget.setVisible(drawable)
        found = self._parting(here, there) if alike else None
        names = [self.workspace.branching.name(branch) for branch in (here, there)]
        sentence = comparing.sentence(quantity, alike, found)
        table = comparing.settings_table(here, there, names, theme.colours.muted)
        self.words.setText(f"{table}<p>{escape(sentence)}</p>")
        if drawable:
            self._draw_differences(snapshot, reference, quantity)
        else:
            self._caches = ()
        self.summarise(self._line(there, alike, found))

    def _parting(self, here: Any, there: Any) -> Any:
        """What is known of where they part; asks for more where more can be known."""
        found = self._worker.latest
        known = found.parting if found and (found.a, found.b) == (here, there) else None
        last = min(here.recording.head, there.recording.head)
        more = known is None or not known.is_all_up_to(last)
        if more and not (self._worker.busy and self._asked == (here, there)):
            self._asked = (here, there)
            self._worker.want((here, there, known))
        return known

    def _draw_differences(self, snapshot: Any, reference: Any, quantity: Any) -> None:
        values = [seen.observed.get(quantity.name) for seen in (snapshot, reference)]
        if any(v is None for v in values):
            return
        self._choose_neurons(snapshot, reference, quantity, np.abs(values[0] - values[1]))
        self._reading = not all([cache.read() for cache in self._caches])
        (steps, here), (other_steps, there) = (cache.values() for cache in self._caches)
        common, mine, theirs = np.intersect1d(steps, other_steps, return_indices=True)
        difference = here[mine] - there[theirs]
        for curve, column in zip(self._curves, difference.T, strict=True):
            finite = np.isfinite(column)
            curve.setData(common[finite], column[finite].astype(float))
        bounded = difference[np.isfinite(difference)]
        if bounded.size:
            self.grow_range(float(bounded.min()), float(bounded.max()))
        self.cursor.setValue(snapshot.step)

    def _choose_neurons(
        self, snapshot: Any, reference: Any, quantity: Any, gap: np.ndarray
    ) -> None:
        """Those that differ most at the cursor, and the selected one."""
        count = min(NEURONS, len(gap))
        most = np.argpartition(np.nan_to_num(gap, nan=np.inf), len(gap) - count)[-count:]
        selected = self.workspace.neuron
        wanted = set(most.tolist())
        if selected is not None and selected < len(gap):
            wanted.add(selected)
        neurons = np.array(sorted(wanted), int)
        records = (snapshot.recording, reference.recording)
        kept = tuple(cache.recording for cache in self._caches)
        if np.array_equal(neurons, self._neurons) and kept == records:
            return
        self._neurons = neurons
        self._caches = tuple(TraceCache(record, quantity.name, neurons) for record in records)
        self._make_curves(snapshot.experiment.system.wiring)

    def _make_curves(self, wiring: Any) -> None:
        for curve in self._curves:
            self.plot.removeItem(curve)
        self._curves = []
        for neuron in self._neurons.tolist():
            plain = wiring.labels is None
            group = neuron % PLAIN_COLOURS if plain else int(wiring.labels[neuron])
            chosen = neuron == self.workspace.neuron
            pen = class_pen(group, PLAIN_COLOURS if plain else wiring.classes, 3 if chosen else 1)
            curve = pg.PlotCurveItem(pen=pen)
            curve.setZValue(20 if chosen else 0)
            self.plot.addItem(curve)
            self._curves.append(curve)

    def _line(self, there: Any, alike: bool, found: Any) -> str:
        name = self.workspace.branching.name(there)
        if not alike or found is None:
            return f"with {name}"
        if found.first is None and found.output is None:
            return f"with {name} · equal up to step {found.compared}"
        step = found.output if found.first is None else found.first.step
        return f"with {name} · part at step {step}"

    # -- interaction, looks and export -----------------------------------------------------------

    def _differences(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Steps [n] and differences [n, neurons]."""
        if not self._caches:
            return None
        (steps, here), (other_steps, there) = (cache.values() for cache in self._caches)
        common, mine, theirs = np.intersect1d(steps, other_steps, return_indices=True)
        return common, here[mine] - there[theirs]

    def clicked_at(self, step: int, value: float) -> None:
        """A click near a curve selects its neuron; elsewhere it moves the cursor."""
        drawn = self._differences()
        if drawn is not None and len(drawn[0]):
            steps, values = drawn
            distance = np.abs(values[int(np.abs(steps - step).argmin())] - value)
            nearest = int(np.nan_to_num(distance, nan=np.inf).argmin())
            if distance[nearest] < 0.03 * (self._range[1] - self._range[0]):
                self.workspace.select_neuron(int(self._neurons[nearest]))
                return
        super().clicked_at(step, value)

    def restyle(self) -> None:
        super().restyle()
        self._zero.setPen(pg.mkPen(theme.colours.faint, width=1))

    def figure(self) -> Any:
        drawn = self._differences()
        if drawn is None:
            return None
        from workbench.analysis import figures

        system = self.workspace.snapshot.experiment.system
        names = [f"neuron {neuron}" for neuron in self._neurons]
        colours = [curve.opts["pen"].color().name() for curve in self._curves]
        label = f"Δ{_quantity(system).symbol or _quantity(system).title}"
        caption = self.caption()
        return figures.traces_figure(
            *drawn, names, colours, signed=True, ylabel=label, caption=caption
        )

    def table(self) -> tuple[list[str], np.ndarray] | None:
        drawn = self._differences()
        if drawn is None:
            return None
        names = [f"difference of neuron {n}" for n in self._neurons.tolist()]
        return ["step", *names], np.column_stack(drawn)


def _quantity(system: Any) -> Any:
    from workbench.engine.parting import potential_of

    return potential_of(system)
