"""Which neuron fires when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor

from workbench import palette
from workbench.desktop.theme import theme
from workbench.desktop.views.base import PlotView, coloured, of_kind, quiet_combo
from workbench.desktop.workspace import Workspace

MOST_ROWS = 480  # rows of the picture; beyond, several neurons share one
MOST_COLUMNS = 1024  # likewise for steps
GHOST_ALPHA = 200  # of 255


class RasterView(PlotView):
    """The first observable of kind ``spikes``: neurons upwards, sorted by class, time rightwards.

    One image, written column by column as the run goes on, so that it costs the same whether
    three neurons fire or all of them.
    """

    name = "raster"
    title = "Raster"
    shows = "One mark for each neuron and step at which it fires. Colours are classes."
    look_for = (
        "marks that thin out to a few long lines: the neurons that won. Sorted by class, the "
        "winner's class stands out as a band. Click a mark to select its neuron, elsewhere to go "
        "to that step."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.order = quiet_combo("Order of the neurons", ["by class", "by index", "by first spike"])
        self.order.currentIndexChanged.connect(self._reordered)
        self.header.controls.addWidget(self.order)
        self._image = pg.ImageItem(axisOrder="row-major")
        self._image.setZValue(-10)
        self.plot.addItem(self._image)
        self._mark = pg.InfiniteLine(angle=0)
        self.plot.addItem(self._mark, ignoreBounds=True)
        self._observable: Any = None
        self._done = 0  # steps already in the picture
        self._ghost: tuple[Any, int] = (
            None,
            0,
        )  # drawn over: record and steps so far
        self.restyle()

    def depends_on(self, snapshot: Any) -> tuple:
        return (*super().depends_on(snapshot), self.order.currentText())

    def _reordered(self) -> None:
        self._recording = None

    def applies(self, system: type) -> bool:
        return bool(of_kind(system, "spikes"))

    def reset(self, snapshot: Any) -> None:
        system = snapshot.experiment.system
        declared = of_kind(system, "spikes")
        self._observable = declared[0] if declared else None
        if self._observable is None:
            self.show_empty(f"{system.title} has no spikes to show.")
            return
        labels = system.wiring.labels
        self._labels = None if labels is None else labels.cpu().numpy()
        self._classes = system.wiring.classes
        self._neurons, self._steps = system.neurons, snapshot.experiment.steps
        self._rank(snapshot)
        self._rows = min(MOST_ROWS, self._neurons)
        self._stride = -(-(self._steps + 1) // MOST_COLUMNS)
        columns = -(-(self._steps + 1) // self._stride)
        self._pixels = np.zeros((self._rows, columns, 4), np.uint8)
        self._done = 0
        self._ghost = (None, 0)
        self._fired = np.zeros(self._neurons, bool)  # at any step so far
        self._image.setImage(self._pixels, autoLevels=False, levels=(0, 255))
        self._image.setRect(-0.5, -0.5, columns * self._stride, self._neurons)
        self.fit_steps(self._steps)
        self.plot.setYRange(-0.5, self._neurons - 0.5, padding=0.02)
        self._label_axis(snapshot)

    def _rank(self, snapshot: Any) -> None:
        """The place of each neuron from below, in the chosen order."""
        order = np.arange(self._neurons)
        choice = self.order.currentText()
        if choice == "by class" and self._labels is not None:
            order = np.argsort(self._labels, kind="stable")
        elif choice == "by first spike":
            first = np.full(self._neurons, np.iinfo(np.int64).max)
            for step, neurons in reversed(list(enumerate(snapshot.recording.spikes()))):
                first[neurons] = step
            order = np.argsort(first, kind="stable")[::-1]
        self._order = order
        self._place = np.empty(self._neurons, np.int64)
        self._place[order] = np.arange(self._neurons)

    def _label_axis(self, snapshot: Any) -> None:
        """Class names up the side when sorted by class, else indices."""
        axis = self.plot.getAxis("left")
        if self.order.currentText() == "by class" and self._labels is not None:
            places = [
                (float(self._place[self._labels == c].mean()), name)
                for c, name in enumerate(snapshot.experiment.dataset.class_names)
                if (self._labels == c).any()
            ]
            axis.setTicks([places])
            self.label_left("class of the neuron")
        else:
            axis.setTicks(None)
            self.label_left("neuron i")

    def draw(self, snapshot: Any) -> None:
        if self._observable is None:
            return
        colours = self._colours()
        changed = self._draw_ghost()
        steps, neurons, end = snapshot.recording.spike_pairs(self._done)
        if self._done != end or changed:
            shown = colours[0] if self._labels is None else colours[self._labels[neurons]]
            self._pixels[self._row(neurons), steps // self._stride] = shown
            self._fired[neurons] = True
            self._done = end
            self._image.setImage(self._pixels, autoLevels=False, levels=(0, 255))
        self.cursor.setValue(snapshot.step)
        self._show_selected()
        self._summary()

    def _draw_ghost(self) -> bool:
        """Grey marks where the branch that the run is drawn over fires and the run does not.

        True if the picture changed.
        """
        ghost = self.workspace.ghost
        record = None
        if ghost is not None and ghost.experiment.system.neurons == self._neurons:
            record = ghost.recording
        before, done = self._ghost
        if record is not before:
            done, self._done = 0, 0  # everything is drawn again
            self._pixels[:] = 0
        end = done
        if record is not None:
            steps, neurons, end = record.spike_pairs(done)
            within = steps <= self._steps
            rows, columns = self._row(neurons[within]), steps[within] // self._stride
            free = self._pixels[rows, columns, 3] == 0
            grey = (*QColor(theme.colours.faint).getRgb()[:3], GHOST_ALPHA)
            self._pixels[rows[free], columns[free]] = grey
        self._ghost = (record, end)
        return record is not before or done != end

    def _row(self, neurons: np.ndarray) -> np.ndarray:
        """The rows of the picture that neurons are in."""
        return self._place[neurons] * self._rows // self._neurons

    def _colours(self) -> np.ndarray:
        """RGBA of each class, or of all neurons."""
        if self._labels is None:
            names = [theme.colours.accent]
        else:
            names = [palette.class_colour(c, self._classes) for c in range(self._classes)]
        return np.array([QColor(name).getRgb() for name in names], np.uint8)

    def _show_selected(self) -> None:
        neuron = self.workspace.neuron
        self._mark.setVisible(neuron is not None and neuron < self._neurons)
        if self._mark.isVisible():
            self._mark.setValue(float(self._place[neuron]))

    def _summary(self) -> None:
        text = f"{int(self._fired.sum())} of {self._neurons} neurons fired"
        shared = -(-self._neurons // self._rows)
        if shared > 1 or self._stride > 1:
            stretch = f"{shared} neurons" + (f" × {self._stride} steps" if self._stride > 1 else "")
            text += coloured(f" · decimated, {stretch} a dot", theme.colours.warning)
        self.summarise(text)

    def clicked_at(self, step: int, value: float) -> None:
        """Select the firing neuron next to the click; elsewhere move the cursor."""
        spikes = self.workspace.snapshot.recording.spikes()
        if 0 <= step < len(spikes) and len(spikes[step]):
            distance = np.abs(self._place[spikes[step]] - value)
            if distance.min() <= 0.015 * self._neurons + 0.5:
                self.workspace.select_neuron(int(spikes[step][distance.argmin()]))
                return
        super().clicked_at(step, value)

    def restyle(self) -> None:
        super().restyle()
        self._mark.setPen(pg.mkPen(theme.colours.text, width=1))

    def _points(self) -> np.ndarray:
        return np.column_stack(self.workspace.snapshot.recording.spike_pairs()[:2])

    def figure(self) -> Any:
        if self._observable is None:
            return None
        from workbench.analysis import figures

        points = self._points()
        steps, neurons = points.T
        colours = None
        if self._labels is not None:
            colours = [palette.class_colour(c, self._classes) for c in self._labels[neurons]]
        return figures.raster_figure(
            steps, self._place[neurons], self._steps, self._neurons, colours, self.caption()
        )

    def table(self) -> tuple[list[str], np.ndarray] | None:
        return None if self._observable is None else (["step", "neuron"], self._points())
