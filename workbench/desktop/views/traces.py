"""Membrane potentials, or any other quantity of the neurons, over time."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGraphicsRectItem

from workbench import palette
from workbench.desktop.theme import theme
from workbench.desktop.views.base import (
    PlotView,
    class_pen,
    coloured,
    of_kind,
    quiet_combo,
    small_font,
)
from workbench.desktop.views.ghosts import BEHIND, faint
from workbench.desktop.workspace import Workspace

READ_FOR = 0.006  # seconds a frame, so that a long run does not hold up the window
RANK_EVERY = 15  # frames between two looks for the strongest neurons
PLAIN_COLOURS = 6  # that neurons without a class take turns in
ROLE_TIP = Qt.ItemDataRole.ToolTipRole
MOST_POINTS = 2000  # drawn per trace; beyond, minimum and maximum of each stretch are kept


class TraceCache:
    """The values of a few neurons at the stored steps, read a little at a time."""

    def __init__(self, recording: Any, name: str, neurons: np.ndarray) -> None:
        self.recording, self.name, self.neurons = recording, name, neurons
        self._steps: list[int] = []
        self._rows: list[np.ndarray] = []
        self._spacing = recording.spacing

    def read(self) -> bool:
        """Read on; False if more is stored than was read this time."""
        if self.recording.spacing != self._spacing:  # it was thinned; begin again
            self._spacing, self._steps, self._rows = self.recording.spacing, [], []
        start = self._steps[-1] + self._spacing if self._steps else 0
        head, until = self.recording.head, time.perf_counter() + READ_FOR
        for step in range(start, head + 1, self._spacing):
            state = self.recording.stored(step)
            if state is None:  # thinned meanwhile
                return False
            system = self.recording.observer(step)
            seen = system.observe_neurons(state, self.name, self.neurons)
            self._rows.append(seen[0].cpu().numpy())
            self._steps.append(step)
            if time.perf_counter() > until:
                return step + self._spacing > head
        return True

    def values(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps [n] and values [n, neurons]."""
        if not self._rows:
            return np.empty(0), np.empty((0, len(self.neurons)))
        return np.asarray(self._steps, float), np.stack(self._rows)


class TracesView(PlotView):
    """The strongest neurons and the selected one, in the colours of their classes."""

    name = "traces"
    title = "Membrane potential"
    tab = "Potentials"
    shows = (
        "The membrane potential of the strongest neurons and of the selected one, step by step. "
        "Beyond the dashed threshold a neuron is active and holds the others down. "
        "Colours are classes."
    )
    equation = "τ du/dt + u = b − Σ G a,  a = T(u)"
    look_for = (
        "who crosses the threshold first, who is pushed back below it, and whether the traces "
        "settle (a code), swing (the step is too large) or never reach the threshold (it is too "
        "high). Click a trace to select its neuron; double-click to fit the range."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.quantity = quiet_combo("Quantity to draw", [])
        self.top = quiet_combo("How many neurons", ["top 6", "top 12", "top 24", "top 64"])
        self.top.setCurrentIndex(1)
        for combo in (self.quantity, self.top):
            self.header.controls.addWidget(combo)
            combo.currentIndexChanged.connect(self._chosen)
        self._observables: list[Any] = []
        self._neurons = np.empty(0, int)
        self._cache: TraceCache | None = None
        self._frames = 0
        self._reading = False
        self._curves: dict[int, pg.PlotCurveItem] = {}
        self._labels: list[pg.TextItem] = []
        self._ghost_curves: dict[int, pg.PlotCurveItem] = {}
        self._ghost_cache: TraceCache | None = None
        self._selected_ghost = pg.PlotCurveItem(connect="all")
        self._selected = pg.PlotCurveItem(connect="all")
        self._selected.setZValue(20)
        self._selected_ghost.setZValue(19)
        self.plot.addItem(self._selected)
        self.plot.addItem(self._selected_ghost)
        self._band = QGraphicsRectItem()  # a plain item; pyqtgraph's region costs ten times as much
        self._band.setZValue(-20)
        self._lines = [pg.InfiniteLine(angle=0), pg.InfiniteLine(angle=0)]
        for item in (self._band, *self._lines):
            self.plot.addItem(item, ignoreBounds=True)
        self.restyle()

    # -- what is drawn ---------------------------------------------------------------------------

    @property
    def observable(self) -> Any:
        """The quantity in the choice, or None before a system is known."""
        index = max(self.quantity.currentIndex(), 0)
        return self._observables[index] if self._observables else None

    def needs(self, system: Any) -> set[str]:
        self._offer(system)
        return {self.observable.name} if self.observable else set()

    def depends_on(self, snapshot: Any) -> tuple:
        # while the record is still being read the picture is not complete: draw each frame
        reading = self._frames if self._reading else 0
        return (*super().depends_on(snapshot), reading, self.observable)

    def _offer(self, system: Any) -> None:
        observables = of_kind(system, "trace")
        if observables != self._observables:
            self._observables = observables
            self.quantity.blockSignals(True)
            self.quantity.clear()
            self.quantity.addItems([o.symbol or o.title for o in observables])
            for index, o in enumerate(observables):
                self.quantity.setItemData(index, f"{o.title}. {o.meaning}", ROLE_TIP)
            self.quantity.blockSignals(False)
            self.quantity.updateGeometry()

    def _chosen(self) -> None:
        self._recording = None

    # -- drawing ---------------------------------------------------------------------------------

    def reset(self, snapshot: Any) -> None:
        self._offer(snapshot.experiment.system)
        observable = self.observable
        if observable is None:
            self.show_empty("This system declares no quantity of its neurons.")
            return
        self.header.title.setText(observable.title)
        self._cache = self._ghost_cache = None
        self._neurons = np.empty(0, int)
        self.fit_steps(snapshot.experiment.steps)
        unit = f" ({observable.unit})" if observable.unit else ""
        self.label_left(f"{observable.symbol or observable.title}{unit}")
        self._make_curves(snapshot.experiment.system.wiring)
        low, high = self._threshold_range(snapshot, observable)
        self.grow_range(low, high, fresh=True)

    def _make_curves(self, wiring: Any) -> None:
        """One item for each class; drawing many traces as one item is what makes it fast."""
        for curve in (*self._curves.values(), *self._ghost_curves.values()):
            self.plot.removeItem(curve)
        groups = PLAIN_COLOURS if wiring.labels is None else wiring.classes
        self._curves = {
            group: pg.PlotCurveItem(pen=class_pen(group, groups)) for group in range(groups)
        }
        colours = [class_pen(group, groups).color() for group in range(groups)]
        self._ghost_curves = {
            group: pg.PlotCurveItem(pen=faint(colour, dashed=False))
            for group, colour in enumerate(colours)
        }
        for curve in self._ghost_curves.values():
            curve.setZValue(BEHIND)
        for curve in (*self._ghost_curves.values(), *self._curves.values()):
            self.plot.addItem(curve)

    def _threshold_range(self, snapshot: Any, observable: Any) -> tuple[float, float]:
        """Draw the threshold, where the quantity has one, and a first range around it."""
        shown = observable.threshold is not None
        for item in (self._band, *self._lines):
            item.setVisible(shown)
        if not shown:
            return (-1e-3, 1e-3)
        level = getattr(snapshot.experiment.system.params, observable.threshold)
        low = -level if observable.signed else 0.0
        steps = max(snapshot.experiment.steps, 1)
        self._band.setRect(-steps, low, 3 * steps, level - low)
        self._lines[0].setValue(level)
        self._lines[1].setValue(low)
        self._lines[1].setVisible(observable.signed)
        return (1.15 * low, 1.15 * level) if level else (-1e-3, 1e-3)

    def draw(self, snapshot: Any) -> None:
        observable = self.observable
        if observable is None or observable.name not in snapshot.observed:
            return
        values = snapshot.observed[observable.name]
        self._frames += 1
        self._choose_neurons(snapshot, values)
        self._reading = not self._cache.read()
        self._draw_ghost(snapshot)
        if observable.threshold:  # it may have changed in mid-run
            self._threshold_range(snapshot, observable)
        steps, traces = self._cache.values()
        self._draw_curves(snapshot, steps, traces)
        finite = traces[np.isfinite(traces)]
        if finite.size:
            self.grow_range(float(finite.min()), float(finite.max()))
        self._label_ends(snapshot, steps, traces)
        self.cursor.setValue(snapshot.step)
        self._summary(snapshot, values, len(steps))

    def _choose_neurons(self, snapshot: Any, values: np.ndarray) -> None:
        """The strongest and the selected one; not every frame, so that traces do not flicker."""
        count = int(self.top.currentText().split()[1])
        selected = self.workspace.neuron
        wanted = set() if selected is None or selected >= len(values) else {selected}
        stale = self._cache is None or not wanted <= set(self._neurons.tolist())
        if (
            stale
            or (self._frames % RANK_EVERY == 0 and self.workspace.running)
            or (not self.workspace.running)
        ):
            size = np.nan_to_num(np.abs(values), nan=np.inf)
            count = min(count, len(size))
            strongest = np.argpartition(size, len(size) - count)[-count:]
            neurons = np.array(sorted(wanted | set(strongest.tolist())), int)
            if self._cache is None or not np.array_equal(neurons, self._neurons):
                self._neurons = neurons
                self._cache = TraceCache(snapshot.recording, self.observable.name, neurons)

    def _draw_curves(self, snapshot: Any, steps: np.ndarray, traces: np.ndarray) -> None:
        groups = self._groups(snapshot)
        drawn = [i for i, n in enumerate(self._neurons) if n != self.workspace.neuron]
        for group, curve in self._curves.items():
            mine = [i for i in drawn if groups[i] == group]
            x, y, connect = _joined(steps, traces[:, mine])
            curve.setData(x, y, connect=connect)
        column = np.flatnonzero(self._neurons == self.workspace.neuron)
        if len(column) and len(steps):
            pen = class_pen(groups[column[0]], len(self._curves), width=3)
            self._selected.setData(steps, traces[:, column[0]], pen=pen)
        else:
            self._selected.setData([], [])

    def _draw_ghost(self, snapshot: Any) -> None:
        """The same neurons on the branch that the run is drawn over."""
        ghost, groups = self.workspace.ghost, self._groups(snapshot)
        if ghost is None or ghost.experiment.system.neurons != snapshot.experiment.system.neurons:
            self._ghost_cache = None
            for curve in (*self._ghost_curves.values(), self._selected_ghost):
                curve.setData([], [])
            return
        kept = self._ghost_cache
        same = kept is not None and kept.recording is ghost.recording
        if not same or kept.neurons is not self._neurons or kept.name != self.observable.name:
            self._ghost_cache = TraceCache(ghost.recording, self.observable.name, self._neurons)
        self._reading |= not self._ghost_cache.read()
        steps, traces = self._ghost_cache.values()
        selected = self._neurons == self.workspace.neuron
        for group, curve in self._ghost_curves.items():
            mine = [i for i in range(len(groups)) if groups[i] == group and not selected[i]]
            x, y, connect = _joined(steps, traces[:, mine])
            curve.setData(x, y, connect=connect)
        column = np.flatnonzero(selected)
        if len(column) and len(steps):
            pen = faint(class_pen(groups[column[0]], len(self._curves)).color())
            self._selected_ghost.setData(steps, traces[:, column[0]], pen=pen)
        else:
            self._selected_ghost.setData([], [])

    def _classes_of(self, snapshot: Any) -> list[int | None]:
        labels = snapshot.experiment.system.wiring.labels
        if labels is None:
            return [None] * len(self._neurons)
        return labels[self._neurons].tolist()

    def _groups(self, snapshot: Any) -> list[int]:
        """The colour of each drawn neuron: its class, or any where there are no classes."""
        if snapshot.experiment.system.wiring.labels is None:
            return (self._neurons % PLAIN_COLOURS).tolist()
        return self._classes_of(snapshot)

    def _label_ends(self, snapshot: Any, steps: np.ndarray, traces: np.ndarray) -> None:
        """The class beside the end of the strongest traces, where there is room for it."""
        for text in self._labels:
            self.plot.removeItem(text)
        self._labels = []
        wiring = snapshot.experiment.system.wiring
        if wiring.labels is None or not len(steps) or self.workspace.running:
            return
        names, classes = snapshot.experiment.dataset.class_names, self._classes_of(snapshot)
        room = 0.07 * (self._range[1] - self._range[0])
        taken: list[float] = []
        named: set[int] = set()
        for i in np.argsort(-np.abs(traces[-1])):
            y = float(traces[-1, i])
            crowded = any(abs(y - other) < room for other in taken)
            if not np.isfinite(y) or crowded or classes[i] in named:
                continue
            taken.append(y)
            named.add(classes[i])
            colour = palette.class_colour(classes[i], wiring.classes)
            text = pg.TextItem(names[classes[i]], color=colour, anchor=(0, 0.5))
            text.setFont(small_font())
            text.setPos(steps[-1], y)
            self.plot.addItem(text, ignoreBounds=True)
            self._labels.append(text)

    def _summary(self, snapshot: Any, values: np.ndarray, stored: int) -> None:
        text = f"{len(self._neurons)} of {len(values)} neurons"
        spacing = snapshot.recording.spacing
        if spacing > 1:
            text += coloured(f" · one step in {spacing} drawn", theme.colours.warning)
        elif stored > MOST_POINTS:
            text += coloured(" · decimated, extremes kept", theme.colours.warning)
        self.summarise(text)

    # -- interaction and looks -------------------------------------------------------------------

    def clicked_at(self, step: int, value: float) -> None:
        """A click near a trace selects its neuron; elsewhere it moves the cursor."""
        if self._cache is None:
            return
        steps, traces = self._cache.values()
        if len(steps):
            row = int(np.abs(steps - step).argmin())
            distance = np.abs(traces[row] - value)
            nearest = int(np.nanargmin(distance))
            if distance[nearest] < 0.03 * (self._range[1] - self._range[0]):
                self.workspace.select_neuron(int(self._neurons[nearest]))
                return
        super().clicked_at(step, value)

    def fit(self) -> None:
        if self._cache is not None:
            _, traces = self._cache.values()
            finite = traces[np.isfinite(traces)]
            if finite.size:
                self.grow_range(float(finite.min()), float(finite.max()), fresh=True)

    def restyle(self) -> None:
        super().restyle()
        colours = theme.colours
        fill = pg.mkColor(colours.accent)
        fill.setAlpha(16)
        self._band.setBrush(pg.mkBrush(fill))
        self._band.setPen(pg.mkPen(None))
        for line in self._lines:
            line.setPen(pg.mkPen(colours.muted, width=1, style=Qt.PenStyle.DashLine))

    def _exported(self) -> tuple[np.ndarray, np.ndarray] | None:
        return None if self._cache is None else self._cache.values()

    def figure(self) -> Any:
        if self._exported() is None:
            return None
        from workbench.analysis import figures

        snapshot, observable = self.workspace.snapshot, self.observable
        steps, values = self._exported()
        labels = self._classes_of(snapshot)
        classes = snapshot.experiment.dataset.class_names
        names = [
            f"neuron {n}" + ("" if label is None else f" ({classes[label]})")
            for n, label in zip(self._neurons, labels, strict=True)
        ]
        groups = len(self._curves)
        colours = [palette.class_colour(group, groups) for group in self._groups(snapshot)]
        params = snapshot.experiment.system.params
        threshold = getattr(params, observable.threshold) if observable.threshold else None
        ylabel = f"{observable.title} {observable.symbol}"
        return figures.traces_figure(
            steps, values, names, colours, threshold, observable.signed, ylabel, self.caption()
        )

    def table(self) -> tuple[list[str], np.ndarray] | None:
        if self._exported() is None:
            return None
        steps, values = self._exported()
        symbol = self.observable.symbol or self.observable.name
        return ["step", *(f"{symbol}_{n}" for n in self._neurons)], np.column_stack([steps, values])


def _joined(steps: np.ndarray, traces: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
    """Several traces [n, m] as one line with gaps: x, y, and where to connect."""
    if len(steps) > MOST_POINTS:
        steps, traces = _extremes(steps, traces)
    count, columns = traces.shape
    connect = np.ones((columns, count), bool)
    connect[:, -1:] = False
    y = np.ascontiguousarray(traces.T).ravel().astype(float)
    connect = connect.ravel() & np.isfinite(y)
    return np.tile(steps, columns), np.nan_to_num(y), connect


def _extremes(steps: np.ndarray, traces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minimum and maximum of each stretch, alternating, so that no spike is lost."""
    stretch = -(-len(steps) // (MOST_POINTS // 2))
    count = -(-len(steps) // stretch)
    short = count * stretch - len(steps)  # the last stretch is filled up with its last value
    kept = np.concatenate([traces, np.repeat(traces[-1:], short, 0)]).reshape(count, stretch, -1)
    out = np.stack([kept.min(1), kept.max(1)], 1).reshape(2 * count, -1)
    return np.repeat(steps[::stretch], 2), out
