"""The terms of an energy over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from workbench import palette
from workbench.desktop.theme import theme
from workbench.desktop.views.base import PlotView, coloured, of_kind, quiet_combo, small_font
from workbench.desktop.views.ghosts import GhostCurves
from workbench.desktop.workspace import Workspace

GHOST_REACH = 3  # times the run's own range; one that explodes must not flatten it


class TermsView(PlotView):
    """One curve for each term of the first observable of kind ``terms``."""

    name = "terms"
    title = "Energy"
    shows = (
        "What the network minimises, step by step: the reconstruction error, the price of "
        "activity, and their sum. The dotted line is the optimum, found by another method. Once "
        "the test set is evaluated, its mean can be shown in place of this image's energy."
    )
    equation = "E = ½‖s − Φa‖² + λ Σ|a|"
    look_for = (
        "a total that only falls and then lies flat: the code has settled. A rising total means "
        "that the time step is too large for the neurons that compete. Click to go to a step."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.whose = quiet_combo("Whose energy", ["image", "test set"])
        self.whose.currentIndexChanged.connect(self._chosen)
        self.whose.hide()
        self.header.controls.addWidget(self.whose)
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
        first = self._values()[0]
        self.grow_range(0.0, float(np.nan_to_num(first).max()), fresh=True)

    def _chosen(self) -> None:
        self._recording = None

    @property
    def of_test_set(self) -> bool:
        """Whether the mean of the test images is shown."""
        return self.whose.currentIndex() == 1 and self._mean() is not None

    def _mean(self) -> np.ndarray | None:
        """The mean energy of the test images, [K + 1, terms]; None until they are evaluated."""
        evaluation, observable = self.workspace.evaluation, self._observable
        if evaluation is None or not evaluation.energy or observable is None:
            return None
        if tuple(evaluation.energy) != tuple(observable.labels):
            return None  # of another system
        return np.stack(list(evaluation.energy.values()), 1)

    def _values(self) -> np.ndarray:
        """What is shown, [K + 1, terms]."""
        if self.of_test_set:
            return self._mean()
        return self.workspace.snapshot.recording.summary(self._observable.name)

    def draw(self, snapshot: Any) -> None:
        if not self._curves:
            return
        self.whose.setVisible(self._mean() is not None)
        values = self._values()
        steps = np.arange(len(values), dtype=float)
        finite = np.isfinite(values).all(1)
        for curve, column in zip(self._curves, values.T, strict=True):
            curve.setData(steps[finite], column[finite].astype(float))
        if finite.any():
            self.grow_range(0.0, float(values[finite].max()))
        alone = self.of_test_set
        reach = self._ghosts.show(None if alone else self.ghost_rows(self._observable.name))
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
        known = (self.workspace.ledger.of(snapshot), self.workspace.evaluation)
        return (*super().depends_on(snapshot), *known)

    def _draw_optimum(self, snapshot: Any) -> None:
        """The lowest energy that there is, from the step on whose problem it belongs to."""
        ledger = self.workspace.ledger.of(snapshot)
        optimum = None if ledger is None or self.of_test_set else ledger.optimum
        for item in (self._lowest, self._lowest_name):
            item.setVisible(optimum is not None)
        if optimum is None:
            return
        steps, energy = snapshot.experiment.steps, optimum.energy
        self._lowest.setData([float(ledger.start), float(steps)], [energy, energy])
        self._lowest_name.setText(f"optimum {energy:.4g}")
        self._lowest_name.setPos(steps, energy)

    def fit(self) -> None:
        values = self._values()
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

        caption = self.caption()
        if self.of_test_set:
            caption = f"mean of {self.workspace.evaluation.done} test images; {caption}"
        return figures.energy_figure(self._values(), self._observable.labels, caption)

    def table(self) -> tuple[list[str], np.ndarray] | None:
        if not self._curves:
            return None
        values = self._values()
        return ["step", *self._observable.labels], np.column_stack([np.arange(len(values)), values])


def _short(label: str) -> str:
    """A label that fits into a header."""
    return label if len(label) <= 9 else f"{label[:5]}."
