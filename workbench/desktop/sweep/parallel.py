"""A sweep over many keys: each point is a line through its values, coloured by what came out."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from workbench.analysis.sweep_axis import Axis, spread_heights
from workbench.desktop.sweep.chart import MIDDLE, RIGHT, Chart
from workbench.desktop.theme import theme

NEAR = 8  # pixels at scale 1: how near a click must be
MOST = 2000  # lines that are drawn
FINE = 200  # up to so many they are drawn fine; more would hold the window up


class Parallel(Chart):
    """The best lines last, and lines through one listed value side by side."""

    def paint(self, painter: QPainter, place: QRectF) -> None:
        place = self.paint_scale(painter, place)
        axes = self.points.axes
        margin = max(theme.px(48), place.width() / (2 * len(axes)))
        self._place = place.adjusted(margin, theme.px(8), -margin, -theme.px(26))
        order, x, y = self._lines()
        fine = len(order) <= FINE
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, fine)
        lines = zip(order.tolist(), y, strict=True)
        for point, line in sorted(lines, key=lambda item: self._is_selected(item[0])):
            marked, value = self._is_selected(point), self.points.values[point]
            colour = QColor(theme.colours.text) if marked else self.colour(value)
            painter.setPen(QPen(colour, 2.5 if marked else 1.2 if fine else 1.0))
            painter.drawPolyline([QPointF(a, b) for a, b in zip(x, line, strict=True)])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for at, axis in zip(x, axes, strict=True):
            self._paint_axis(painter, at, axis, place.width() / len(axes))
        if len(order) < int(self.points.known.sum()):
            painter.setPen(QColor(theme.colours.muted))
            words = f"{len(order)} of {int(self.points.known.sum())} points drawn"
            painter.drawText(QRectF(0, 0, self.width() - 8, theme.px(14)), RIGHT, words)

    def _paint_axis(self, painter: QPainter, at: float, axis: Axis, room: float) -> None:
        place = self._place
        painter.setPen(QPen(QColor(theme.colours.faint), 1))
        painter.drawLine(QPointF(at, place.top()), QPointF(at, place.bottom()))
        metrics = painter.fontMetrics()
        for height, words in axis.marks():
            y = self._height(height)
            short = metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, round(room / 2))
            wide = metrics.horizontalAdvance(short)
            box = QRectF(at - wide - 8, y - 8, wide + 4, 16)
            ground = QColor(theme.colours.surface)
            ground.setAlphaF(0.8)  # words over lines
            painter.fillRect(box, ground)
            painter.setPen(QColor(theme.colours.text))
            painter.drawText(box, RIGHT, short)
        painter.setPen(QColor(theme.colours.muted))
        name = metrics.elidedText(axis.label, Qt.TextElideMode.ElideRight, round(room - 8))
        below = QRectF(at - room / 2, place.bottom() + theme.px(8), room, theme.px(16))
        painter.drawText(below, MIDDLE, name)

    def _lines(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The points that are drawn, best last; x of the axes; y of each, [points, axes]."""
        values = self.points.values
        order = np.argsort(values, kind="stable")
        order = order[np.isfinite(values[order])]
        if len(order) > MOST:
            order = order[np.unique(np.linspace(0, len(order) - 1, MOST).astype(int))]
        heights = np.stack([spread_heights(axis, order) for axis in self.points.axes], 1)
        x = np.linspace(self._place.left(), self._place.right(), len(self.points.axes))
        return order, x, self._height(heights)

    def _height(self, part: Any) -> Any:
        """Where a height from 0 to 1 is; lines spread a little beyond."""
        return self._place.bottom() - (0.06 + 0.88 * part) * self._place.height()

    def _is_selected(self, point: int) -> bool:
        return self.points.rows[point] in self.selected

    def hit(self, point: QPointF) -> list[int]:
        order, x, y = self._lines()
        if not x[0] <= point.x() <= x[-1]:
            return []
        left = min(int(np.searchsorted(x, point.x(), "right")) - 1, len(x) - 2)
        part = (point.x() - x[left]) / (x[left + 1] - x[left])
        far = abs(y[:, left] + part * (y[:, left + 1] - y[:, left]) - point.y())
        nearest = len(far) - 1 - int(far[::-1].argmin())  # of equals the one on top
        return [int(order[nearest])] if far[nearest] < theme.px(NEAR) else []
