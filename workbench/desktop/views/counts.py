"""How many neurons fire at each step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg

from workbench.desktop.theme import theme
from workbench.desktop.views.base import PlotView, of_kind
from workbench.desktop.views.ghosts import GhostCurves
from workbench.desktop.workspace import Workspace


class CountsView(PlotView):
    """The first observable of kind ``count``, as steps with an area below."""

    name = "counts"
    title = "Firing neurons per step"
    tab = "Firing"
    shows = "How many neurons fire at each time step."
    look_for = (
        "silence, then a rise as the first neurons reach the threshold, a peak, and a fall as "
        "they silence each other. Thousands at once mean that the threshold is far too low or "
        "the step far too large; none at all, that the threshold is too high. Click to go to a "
        "step."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._observable: Any = None
        self._curve = pg.PlotCurveItem([-0.5, 0.5], [0.0], stepMode="center", fillLevel=0)
        self.plot.addItem(self._curve)
        self._ghosts = GhostCurves(self.plot)
        self.restyle()

    def applies(self, system: type) -> bool:
        return bool(of_kind(system, "count"))

    def reset(self, snapshot: Any) -> None:
        system = snapshot.experiment.system
        declared = of_kind(system, "count")
        self._observable = declared[0] if declared else None
        if self._observable is None:
            self.show_empty(f"{system.title} counts nothing.")
            return
        self.header.title.setText(self._observable.title)
        self.label_left(self._observable.unit or "neurons")
        self.fit_steps(snapshot.experiment.steps)
        self._ghosts.restyle((theme.colours.text,))
        self.grow_range(0.0, 4.0, fresh=True)

    def draw(self, snapshot: Any) -> None:
        if self._observable is None:
            return
        counts = snapshot.recording.summary(self._observable.name).astype(float)
        edges = np.arange(len(counts) + 1) - 0.5
        self._curve.setData(edges, counts)
        peak = int(counts.argmax())
        self.grow_range(0.0, float(counts[peak]))
        before = self.ghost_rows(self._observable.name)
        reach = self._ghosts.show(None if before is None else before[:, None].astype(float))
        if reach is not None:
            self.grow_range(0.0, reach)
        self.cursor.setValue(snapshot.step)
        neurons = snapshot.experiment.system.neurons
        now = counts[min(snapshot.step, len(counts) - 1)]
        self.summarise(
            f"{now:.0f} now · peak {counts[peak]:.0f} "
            f"({100 * counts[peak] / neurons:.3g} %) at step {peak}"
        )

    def fit(self) -> None:
        counts = self.workspace.snapshot.recording.summary(self._observable.name)
        self.grow_range(0.0, float(max(counts.max(), 1)), fresh=True)

    def restyle(self) -> None:
        super().restyle()
        fill = pg.mkColor(theme.colours.accent)
        self._curve.setPen(pg.mkPen(fill))
        fill.setAlpha(70)
        self._curve.setBrush(fill)

    def figure(self) -> Any:
        if self._observable is None:
            return None
        from workbench.analysis import figures

        snapshot = self.workspace.snapshot
        counts = snapshot.recording.summary(self._observable.name)
        return figures.counts_figure(counts, snapshot.experiment.system.neurons, self.caption())

    def table(self) -> tuple[list[str], np.ndarray] | None:
        if self._observable is None:
            return None
        counts = self.workspace.snapshot.recording.summary(self._observable.name)
        return ["step", "count"], np.column_stack([np.arange(len(counts)), counts])
