"""A bar for each class."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench import palette
from workbench.desktop.theme import theme

MOST = 12  # bars; of more classes, or where there is less room, those with the most evidence


class Bars(QWidget):
    """One bar for each class at the cursor's step."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Evidence of each class")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._values = np.empty(0)
        self._names: tuple[str, ...] = ()
        self._truth: int | None = None
        self._ghost: np.ndarray | None = None

    def show_values(
        self,
        values: np.ndarray,
        names: tuple[str, ...],
        truth: int | None,
        ghost: np.ndarray | None = None,
    ) -> None:
        """Evidence [classes], the classes' names, the true class if known, and a ghost's values."""
        self._values, self._names, self._truth, self._ghost = values, names, truth, ghost
        self.update()

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font(11))
        count = len(self._values)
        if not count:
            return
        fits = max(1, min(MOST, self.height() // painter.fontMetrics().height()))
        order = range(count) if count <= fits else np.argsort(-self._values, kind="stable")[:fits]
        row = self.height() / len(order)
        wide = max(painter.fontMetrics().horizontalAdvance(self._names[c]) for c in order) + 8
        room = self.width() - wide - painter.fontMetrics().horizontalAdvance("0.0e+00") - 12
        most = float(np.nanmax(self._values)) or 1.0
        if self._ghost is not None:
            most = max(most, float(np.nan_to_num(self._ghost).max()))
        for place, label in enumerate(order):
            value = float(np.nan_to_num(self._values[label]))
            top = place * row
            truth = label == self._truth
            painter.setPen(QColor(theme.colours.text if truth else theme.colours.muted))
            name = QRectF(0, top, wide - 8, row)
            painter.drawText(
                name,
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                self._names[label],
            )
            thick = min(row * 0.68, theme.px(18))
            bar = QRectF(wide, top + (row - thick) / 2, room * value / most, thick)
            painter.fillRect(bar, QColor(palette.class_colour(label, count)))
            if value > 0:
                text = QRectF(bar.right() + 4, top, 80, row)
                painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, _short(value))
            if self._ghost is not None and 0 < self._ghost[label] < np.inf:
                end = wide + room * float(self._ghost[label]) / most
                painter.setPen(QPen(QColor(theme.colours.text), 1, Qt.PenStyle.DashLine))
                painter.drawRect(QRectF(wide, bar.top() - 1, end - wide, thick + 1))
            if truth:  # a mark beside the true class, so that colour is not the only sign
                painter.fillRect(QRectF(wide - 5, bar.top(), 2, thick), QColor(theme.colours.text))


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 1000 else f"{value:.1e}"
