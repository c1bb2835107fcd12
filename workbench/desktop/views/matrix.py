"""A confusion matrix, painted."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench.desktop.pictures import lookup
from workbench.desktop.theme import theme

ELIDE = Qt.TextElideMode.ElideRight


class Matrix(QWidget):
    """True classes downwards, decided classes rightwards, one more column for "undecided"."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Confusion matrix")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)
        self.setMouseTracking(True)
        self._counts = np.zeros((0, 1), int)
        self._names: tuple[str, ...] = ()

    def show_counts(self, counts: np.ndarray, names: tuple[str, ...]) -> None:
        """Counts [classes, classes + 1] and the classes' names."""
        self._counts, self._names = counts, names
        self.update()

    def _cells(self) -> tuple[float, float, float]:
        """Left and top of the cells and their side."""
        metrics = QFontMetricsF(theme.font(11))
        widest = max(metrics.horizontalAdvance(name) for name in self._names)
        margin = min(max(widest + 12, theme.px(28)), theme.px(88))
        columns = len(self._names) + 1
        below = theme.px(38)  # two lines of small type
        side = min((self.width() - margin) / columns, (self.height() - below) / len(self._names))
        return margin, theme.px(4), max(side, 1.0)

    def paintEvent(self, event: Any) -> None:
        if not self._names:
            return
        painter = QPainter(self)
        painter.setFont(theme.font(11))
        left, top, side = self._cells()
        most = max(int(self._counts.max()), 1)
        colours = lookup(False)
        for true, row in enumerate(self._counts):
            for decided, count in enumerate(row.tolist()):
                cell = QRectF(left + decided * side, top + true * side, side - 1, side - 1)
                shade = colours[int(255 * (count / most) ** 0.5)] if count else None
                fill = QColor(*shade.tolist()) if count else QColor(theme.colours.hairline)
                painter.fillRect(cell, fill)
                if count and side > theme.px(15):
                    painter.setPen(QColor("#000000" if fill.lightnessF() > 0.5 else "#ffffff"))
                    painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, str(count))
        self._paint_names(painter, left, top, side)

    def _paint_names(self, painter: QPainter, left: float, top: float, side: float) -> None:
        painter.setPen(QColor(theme.colours.muted))
        bottom = top + side * len(self._names) - 1
        for label, name in enumerate((*self._names, "–")):
            under = QRectF(left + label * side, bottom, side, theme.px(16))
            short = painter.fontMetrics().elidedText(name, ELIDE, round(side))
            painter.drawText(under, Qt.AlignmentFlag.AlignCenter, short)
            if label < len(self._names):
                beside = QRectF(0, top + label * side, left - 6, side)
                flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                wide = painter.fontMetrics().elidedText(name, ELIDE, round(left - 8))
                painter.drawText(beside, flags, wide)
        width = side * (len(self._names) + 1)
        words = QRectF(left, bottom + theme.px(14), width, theme.px(16))
        long = "decided (– undecided)"
        fits = painter.fontMetrics().horizontalAdvance(long) <= width
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, long if fits else "decided")

    def mouseMoveEvent(self, event: Any) -> None:
        if not self._names:
            return
        left, top, side = self._cells()
        decided = int((event.position().x() - left) // side)
        true = int((event.position().y() - top) // side)
        if 0 <= true < len(self._names) and 0 <= decided <= len(self._names):
            names = (*self._names, "undecided")
            text = f"{self._counts[true, decided]} images of {names[true]} decided {names[decided]}"
            QToolTip.showText(event.globalPosition().toPoint(), text, self)
