"""What the run is drawn over: the same curves of another branch, faint and dashed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

ALPHA = 130  # of 255, of a ghost's curve
BEHIND = -5


def faint(colour: str, dashed: bool = True) -> Any:
    """The pen of a ghost in a colour. Long curves are drawn whole: dashes cost too much there."""
    shade = pg.mkColor(colour)
    shade.setAlpha(ALPHA)
    style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
    return pg.mkPen(shade, width=1, style=style)


class GhostCurves:
    """Curves over the steps, one for each column."""

    def __init__(self, plot: Any) -> None:
        self._plot = plot
        self._curves: list[pg.PlotCurveItem] = []
        self.shown = False

    def restyle(self, colours: Sequence[str]) -> None:
        """One curve for each of these colours."""
        for curve in self._curves:
            self._plot.removeItem(curve)
        self._curves = [pg.PlotCurveItem(pen=faint(colour)) for colour in colours]
        for curve in self._curves:
            curve.setZValue(BEHIND)
            self._plot.addItem(curve)

    def show(self, rows: np.ndarray | None) -> float | None:
        """Draw [K + 1, columns], or nothing; the largest value drawn."""
        if rows is not None and (rows.ndim != 2 or rows.shape[1] != len(self._curves)):
            rows = None  # of another kind of system
        if rows is None:
            if self.shown:
                for curve in self._curves:
                    curve.setData([], [])
            self.shown = False
            return None
        steps = np.arange(len(rows), dtype=float)
        finite = np.isfinite(rows).all(1)
        for curve, column in zip(self._curves, rows.T, strict=True):
            curve.setData(steps[finite], column[finite].astype(float))
        self.shown = True
        return float(rows[finite].max()) if finite.any() else None
