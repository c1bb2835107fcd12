"""The run as a path: in the plane of two neurons, or in that of its principal components."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.desktop.asking import Asker, answer
from workbench.desktop.planes import FlowWish
from workbench.desktop.theme import theme
from workbench.desktop.views.base import PlaneView, coloured, of_kind, quiet_combo
from workbench.desktop.views.phase_axes import PACE, ComponentAxes, NeuronAxes
from workbench.desktop.views.phase_plot import INKS, PhasePlot
from workbench.desktop.views.traces import TraceCache
from workbench.desktop.workspace import Workspace

REACH = 24  # pixels from the path within which a click finds it
STRIDE = 0.1  # of the range, by which it grows beyond what it must hold
MOST_POINTS = 2000  # of the path that are drawn


class PhaseView(PlaneView):
    """The first trace that has a threshold, of two neurons against each other."""

    name = "phase"
    title = "Phase plane"
    tab = "Phase"
    shows = (
        "The run as a path: the potential of one neuron against that of another, faint where it "
        "is long ago, with the cursor as a dot. Beyond a dashed line a neuron fires. Arrows show "
        "where the two would go if all others stayed as they are at the cursor, longer where they "
        "are faster; on a coloured line one of the two is at rest, so where the lines cross both "
        "are. Or the path of very many neurons, in the plane of their first two principal "
        "components."
    )
    equation = (
        "τ du/dt = b − u − Σ G a for the two, the others held; PC: the directions of most variance"
    )
    look_for = (
        "two neurons that rise together until one crosses its threshold and bends the path of "
        "the other back; a loop (the network swings); a path that ends where two lines cross (it "
        "has settled). Click the path to go to that step. Without a choice of your own it is the "
        "two strongest neurons, or the selected one and its strongest rival."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.pair, self.components = NeuronAxes(self), ComponentAxes(self)
        self.mode = quiet_combo("What the axes are", ["neurons", "components"])
        self.mode.currentIndexChanged.connect(self._mode_chosen)
        self.header.controls.addWidget(self.mode)
        self.choices = self.pair.row()
        for choice in (self.pair.across, self.pair.up):
            choice.currentIndexChanged.connect(self._pinned)
        self._layout.insertWidget(1, self.choices)
        self.drawing = PhasePlot(self.plot)
        self.flowing = Asker("flow")
        self._observable: Any = None
        self._origin: tuple = ()  # wiring and input that the axes were chosen for
        self._cache: TraceCache | None = None
        self._ghost_cache: TraceCache | None = None
        self._reading = False
        self._frames = 0
        self._steps, self._points = np.empty(0), np.empty((0, 2))
        self._box = (0.0, 1.0, 0.0, 1.0)
        workspace.experimentChanged.connect(self._let_go)
        workspace.closing.connect(self._stop)
        self.restyle()

    # -- what is drawn ---------------------------------------------------------------------------

    @property
    def by_components(self) -> bool:
        """Whether the axes are principal components."""
        return self.mode.currentIndex() == 1

    @property
    def axes(self) -> NeuronAxes | ComponentAxes:
        """What the axes are."""
        return self.components if self.by_components else self.pair

    def applies(self, system: type) -> bool:
        return _observable(system) is not None

    def needs(self, system: Any) -> set[str]:
        observable = _observable(system)
        return set() if observable is None or self.by_components else {observable.name}

    def depends_on(self, snapshot: Any) -> tuple:
        made = (self.pair.rivals.latest, self.components.asker.latest, self.flowing.latest)
        reading = self._frames if self._reading else 0
        return (*super().depends_on(snapshot), *made, reading, self.workspace.running)

    def _mode_chosen(self) -> None:
        self._recording = None

    def _pinned(self) -> None:
        self._drawn = None

    def reset(self, snapshot: Any) -> None:
        system = snapshot.experiment.system
        self._observable = _observable(system) if system.neurons > 1 else None
        if self._observable is None:
            self.show_empty(f"{system.title} has no two potentials to draw against each other.")
            return
        origin = (system.wiring, snapshot.input)
        if not self._origin or any(a is not b for a, b in zip(origin, self._origin, strict=True)):
            self._origin = origin
            for axes in (self.pair, self.components):
                axes.observable = self._observable
                axes.forget(system.neurons)
        self.choices.setVisible(not self.by_components)
        self.flowing.forget()
        self._cache, self._ghost_cache, self._reading = None, None, False
        self._fit_box(snapshot)

    def draw(self, snapshot: Any) -> None:
        if self._observable is None:
            return
        self._frames += 1
        neurons = self.axes.neurons(snapshot)
        if neurons is None:
            self._say_why()
            return
        if self._empty.isVisible():
            self.show_empty("")
            self.choices.setVisible(not self.by_components)
        if self._cache is None or not np.array_equal(self._cache.neurons, neurons):
            self._cache = TraceCache(snapshot.recording, self._observable.name, neurons)
            self._fit_box(snapshot)
        self._reading = not self._cache.read()
        here = self._here(snapshot)
        self._show_path(snapshot, self.axes.place(here[None])[0])
        self._show_ghost(snapshot)
        if not self.by_components:
            self._show_flow(snapshot)
        self._label_axes(snapshot)
        self.summarise(self.axes.summary(snapshot, here) + self._thinned(snapshot))

    def _label_axes(self, snapshot: Any) -> None:
        """In neuron mode in the colours of the lines on which each is at rest."""
        inks = [theme.colours.muted] * 2 if self.by_components else INKS
        across, up = self.axes.labels(snapshot)
        # Said once, where there is room for it: on a projector the plot is not high.
        self.label_bottom(
            across + (" · lines: at rest" if self.drawing.nullclines else ""), inks[0]
        )
        self.label_left(up, inks[1])

    def _say_why(self) -> None:
        """There is no plane to show."""
        if self.by_components:
            self._cache = None
            self.show_empty(self.components.missing)

    def _here(self, snapshot: Any) -> np.ndarray:
        """The potentials at the cursor of the neurons that are read."""
        system = snapshot.recording.observer(snapshot.step)
        name, neurons = self._observable.name, self._cache.neurons
        return system.observe_neurons(snapshot.state, name, neurons)[0].cpu().numpy()

    def _show_path(self, snapshot: Any, here: np.ndarray) -> None:
        steps, values = self._cache.values()
        points = self.axes.place(values) if len(steps) else np.empty((0, 2))
        finite = np.isfinite(points).all(1)
        self._steps, self._points = steps[finite], points[finite]
        steps, points = (part[:: self._stride] for part in (self._steps, self._points))
        past, there = steps <= snapshot.step, np.isfinite(here).all()
        shown = np.concatenate([points[past], here[None][: int(there)]])
        self._grow_box(np.concatenate([shown, points[~past]]))
        self.drawing.show_path(shown, points[~past], here if there else None)
        if not self.by_components:
            self._show_thresholds(snapshot, shown)

    def _show_ghost(self, snapshot: Any) -> None:
        """The path of the same neurons on the branch that the run is drawn over."""
        ghost = self.workspace.ghost
        if ghost is None or ghost.experiment.system.neurons != snapshot.experiment.system.neurons:
            self._ghost_cache = None
            self.drawing.show_ghost(np.empty((0, 2)))
            return
        kept, neurons = self._ghost_cache, self._cache.neurons
        if kept is None or kept.recording is not ghost.recording or kept.neurons is not neurons:
            self._ghost_cache = TraceCache(ghost.recording, self._observable.name, neurons)
        self._reading |= not self._ghost_cache.read()
        steps, values = self._ghost_cache.values()
        points = self.axes.place(values) if len(steps) else np.empty((0, 2))
        self.drawing.show_ghost(points[np.isfinite(points).all(1)][-MOST_POINTS:])

    def _show_thresholds(self, snapshot: Any, shown: np.ndarray) -> None:
        level, signed = self.pair.level(snapshot), self._observable.signed
        self.pair.reached |= bool((np.abs(shown) >= level).any())
        self.drawing.show_thresholds(level, signed)
        self.drawing.name_regions(level, signed, self._box, self.pair.names(snapshot))

    def _show_flow(self, snapshot: Any) -> None:
        """The flow at the cursor; while the network runs, the newest there is."""
        wish, made = self._flow_wish(snapshot), self.flowing.latest
        fresh = made is not None and made.wish.same(wish)
        if not fresh:
            self.ask(self.flowing, wish, PACE)
        fits = made is not None and made.wish.pair == self.pair.pair
        shown = fresh or (fits and self.workspace.running)
        self.drawing.show_flow(made.found if shown else None, self._box)

    def _flow_wish(self, snapshot: Any) -> FlowWish:
        return FlowWish(snapshot.state, snapshot.system, self.pair.pair, self._box)

    # -- ranges ----------------------------------------------------------------------------------

    def _fit_box(self, snapshot: Any) -> None:
        """Begin with what is always seen: silence and, of neurons, the threshold."""
        self.drawing.forget_regions()
        self.drawing.show_flow(None, self._box)
        if self.by_components:
            self.drawing.show_thresholds(None, False)
            self._box = (0.0, 0.0, 0.0, 0.0)
        else:
            top = 1.25 * self.pair.level(snapshot)
            self._box = (0.0, top, 0.0, top)
        self._set_ranges()

    def _grow_box(self, points: np.ndarray) -> None:
        """Widen the ranges to hold the points, with room so that it is not at each frame."""
        if not len(points):
            return
        (left, low), (right, high) = points.min(0).tolist(), points.max(0).tolist()
        old = self._box
        box = (*_wider(old[:2], left, right), *_wider(old[2:], low, high))
        if box != old:
            self._box = box
            self._set_ranges()

    def _set_ranges(self) -> None:
        left, right, low, high = self._box
        self.plot.setXRange(*_roomy(left, right), padding=0)
        self.plot.setYRange(*_roomy(low, high), padding=0)

    def fit(self) -> None:
        if self._observable is not None and self.workspace.snapshot is not None:
            self._fit_box(self.workspace.snapshot)
            self._drawn = None

    @property
    def _stride(self) -> int:
        """Of so many stored steps one is drawn."""
        return max(-(-len(self._steps) // MOST_POINTS), 1)

    def _thinned(self, snapshot: Any) -> str:
        """What is left out of the picture."""
        apart = snapshot.recording.spacing * self._stride
        if apart == 1:
            return ""
        return coloured(f" · one step in {apart} drawn", theme.colours.warning)

    # -- what the user does ----------------------------------------------------------------------

    def clicked(self, x: float, y: float) -> None:
        """A click near the path goes to the step that is nearest there."""
        if not len(self._points):
            return
        pixel = np.array(self.plot.getViewBox().viewPixelSize())
        away = (self._points - (x, y)) / pixel
        distance, part = _nearest(away, np.concatenate([away[1:], away[-1:]]))
        nearest = int(distance.argmin())
        if distance[nearest] <= theme.px(REACH):
            step = int(self._steps[nearest + int(part[nearest] > 0.5)])
            self.workspace.ask(lambda runner: runner.seek(step))

    def restyle(self) -> None:
        super().restyle()
        self.drawing.restyle()
        for choice in (self.pair.across, self.pair.up):
            choice.rescale()

    def _let_go(self, experiment: Any) -> None:
        """Other data: a view that nobody looks at does not keep the old ones in memory."""
        if self._origin and self._origin[0] is not experiment.system.wiring:
            for part in (self.pair.rivals, self.components.asker, self.flowing):
                part.forget()
            self._origin, self._cache, self._ghost_cache = (), None, None
            self._reading = False

    def _stop(self) -> None:
        for part in (self.pair.rivals, self.components.asker, self.flowing):
            part.close()

    # -- export ----------------------------------------------------------------------------------

    def figure(self) -> Any:
        if self._cache is None or not len(self._points):
            return None
        from workbench.analysis import phase_figure

        snapshot = self.workspace.snapshot
        threshold = flow = None
        if not self.by_components:
            threshold = self.pair.level(snapshot)
            flow = answer(self._flow_wish(snapshot)).found
        labels, signed = self.axes.labels(snapshot), self._observable.signed
        parts = (self._steps, self._points, labels, threshold, signed, flow, self.caption())
        return phase_figure.phase_figure(*parts)

    def table(self) -> tuple[list[str], np.ndarray] | None:
        if self._cache is None or not len(self._points):
            return None
        return ["step", *self.axes.columns()], np.column_stack([self._steps, self._points])


def _observable(system: Any) -> Any:
    """The first trace that has a threshold."""
    return next((o for o in of_kind(system, "trace") if o.threshold is not None), None)


def _wider(old: tuple[float, float], start: float, end: float) -> tuple[float, float]:
    """A range that holds another one."""
    room = STRIDE * (max(end, old[1]) - min(start, old[0]))
    return start - room if start < old[0] else old[0], end + room if end > old[1] else old[1]


def _roomy(start: float, end: float) -> tuple[float, float]:
    margin = 0.06 * (end - start or 1.0)
    return start - margin, end + margin


def _nearest(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the origin is from each line, start to end [n, 2], and where on it, 0..1."""
    way = ends - starts
    length = np.einsum("ij,ij->i", way, way)
    along = -np.einsum("ij,ij->i", starts, way)
    part = np.clip(np.divide(along, length, out=np.zeros_like(along), where=length > 0), 0, 1)
    return np.linalg.norm(starts + part[:, None] * way, axis=1), part
