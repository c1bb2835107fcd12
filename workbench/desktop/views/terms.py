"""The terms of an energy over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from workbench import palette
from workbench.desktop.theme import theme
from workbench.desktop.views.base import PlotView, coloured, of_kind, small_font
from workbench.desktop.views.ghosts import GhostCurves
from workbench.desktop.workspace import Workspace

GHOST_REACH = 3  # times the run's own range; one that explodes must not flatten it


class TermsView(PlotView):
    """One curve for each term of the first observable of kind ``terms``."""

    name = "terms"
    title = "Energy"
    shows = (
        "What the network minimises, step by step: the reconstruction error, the price of "
        "activity, and their sum. The dotted line is the optimum, found by another method."
    )
    equation = "E = ½‖s − Φa‖² + λ Σ|a|"
    look_for = (
        "a total that only falls and then lies flat: the code has settled. A rising total means "
        "that the time step is too large for the neurons that compete. Click to go to a step."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._observable: Any = None
        self._curves: list[pg.PlotCurveItem] = []
        self._colours: tuple[str, ...] = ()
        self._ghosts = GhostCurves(self.plot)
        self._lowest = pg.PlotCurveItem()
        self._lowest_name = pg.TextItem(anchor=(1, 1))
        for item in (self._lowest, self._lowest_name):
            self.plot.addItem(item, ignoreBounds=True)
        self.restyle()

    def applies(self, system: type) -> bool:
        return bool(of_kind(system, "terms"))

    def reset(self, snapshot: Any) -> None:
        system = snapshot.experiment.system
        for curve in self._curves:
            self.plot.removeItem(curve)
        self._curves = []
        declared = of_kind(system, "terms")
        if not declared:
            self.show_empty(f"{system.title} descends no energy.")
            return
        self._observable = declared[0]
        # the sum, last, in the colour of text: it is what is minimised
        parts = palette.TERM_COLOURS[: len(self._observable.labels) - 1]
        self._colours = (*parts, theme.colours.text)
        self._curves = [pg.PlotCurveItem(pen=pg.mkPen(colour)) for colour in self._colours]
        for curve in self._curves:
            self.plot.addItem(curve)
        self._ghosts.restyle(self._colours)
        self.label_left(self._observable.symbol)
        self.fit_steps(snapshot.experiment.steps)
        first = snapshot.recording.summary(self._observable.name)[0]
        self.grow_range(0.0, float(np.nan_to_num(first).max()), fresh=True)

    def draw(self, snapshot: Any) -> None:
        if not self._curves:
            return
        values = snapshot.recording.summary(self._observable.name)
        steps = np.arange(len(values), dtype=float)
        finite = np.isfinite(values).all(1)
        for curve, column in zip(self._curves, values.T, strict=True):
            curve.setData(steps[finite], column[finite].astype(float))
        if finite.any():
            self.grow_range(0.0, float(values[finite].max()))
        reach = self._ghosts.show(self.ghost_rows(self._observable.name))
        if reach is not None:
            self.grow_range(0.0, min(reach, GHOST_REACH * self._range[1]))
        self._draw_optimum(snapshot)
        self.cursor.setValue(snapshot.step)
        now = values[min(snapshot.step, len(values) - 1)]
        self.summarise(
            " &nbsp;".join(
                coloured(f"{_short(label)} {value:.3g}", colour)
                for label, value, colour in zip(
                    self._observable.labels, now, self._colours, strict=True
                )
            )
        )

    def depends_on(self, snapshot: Any) -> tuple:
        return (*super().depends_on(snapshot), self.workspace.ledger.of(snapshot))

    def _draw_optimum(self, snapshot: Any) -> None:
        """The lowest energy that there is, from the step on whose problem it belongs to."""
        ledger = self.workspace.ledger.of(snapshot)
        optimum = None if ledger is None else ledger.optimum
        for item in (self._lowest, self._lowest_name):
            item.setVisible(optimum is not None)
        if optimum is None:
            return
        steps, energy = snapshot.experiment.steps, optimum.energy
        self._lowest.setData([float(ledger.start), float(steps)], [energy, energy])
        self._lowest_name.setText(f"optimum {energy:.4g}")
        self._lowest_name.setPos(steps, energy)

    def fit(self) -> None:
        values = self.workspace.snapshot.recording.summary(self._observable.name)
        self.grow_range(0.0, float(values[np.isfinite(values)].max()), fresh=True)

    def restyle(self) -> None:
        super().restyle()
        accent = theme.colours.accent
        self._lowest.setPen(pg.mkPen(accent, width=1, style=Qt.PenStyle.DotLine))
        self._lowest_name.setColor(accent)
        self._lowest_name.setFont(small_font())

    def figure(self) -> Any:
        if not self._curves:
            return None
        from workbench.analysis import figures

        values = self.workspace.snapshot.recording.summary(self._observable.name)
        return figures.energy_figure(values, self._observable.labels, self.caption())

    def table(self) -> tuple[list[str], np.ndarray] | None:
        if not self._curves:
            return None
        values = self.workspace.snapshot.recording.summary(self._observable.name)
        return ["step", *self._observable.labels], np.column_stack([np.arange(len(values)), values])


def _short(label: str) -> str:
    """A label that fits into a header."""
    return label if len(label) <= 9 else f"{label[:5]}."
