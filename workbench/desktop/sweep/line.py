"""A sweep over one key: the value of each point over it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from workbench.desktop.sweep.chart import MIDDLE, RIGHT, Chart
from workbench.desktop.theme import theme

DOT, NEAR = 4, 12  # pixels at scale 1: radius of a dot, and how near a click must be


class Line(Chart):
    """Dots, joined where the key takes numbers."""

    def paint(self, painter: QPainter, place: QRectF) -> None:
        axis, (low, high) = self.points.axes[0], self.points.span
        metrics = painter.fontMetrics()
        levels = (low, (low + high) / 2, high) if high > low else (low,)
        words = [self.points.words(level) for level in levels]
        left = max(map(metrics.horizontalAdvance, words)) + 8
        self._place = place.adjusted(left, theme.px(20), -8, -theme.px(36))
        x, y = self._dots()
        painter.setPen(QColor(theme.colours.muted))
        for level, text in zip(levels, words, strict=True):
            at = self._height(np.array([level]))[0]
            painter.setPen(QColor(theme.colours.hairline))
            painter.drawLine(QPointF(self._place.left(), at), QPointF(self._place.right(), at))
            painter.setPen(QColor(theme.colours.muted))
            painter.drawText(QRectF(0, at - 8, self._place.left() - 6, 16), RIGHT, text)
        for height, text in axis.marks():
            wide = metrics.horizontalAdvance(text) + 2
            middle = self._place.left() + height * self._place.width()
            corner = min(max(middle - wide / 2, 0), self.width() - wide)
            box = QRectF(corner, self._place.bottom() + 6, wide, theme.px(14))
            painter.drawText(box, MIDDLE, text)
        below = QRectF(place.left(), place.bottom() - theme.px(14), place.width(), theme.px(14))
        painter.drawText(below, MIDDLE, axis.label)
        self._paint_points(painter, x, y)

    def _paint_points(self, painter: QPainter, x: np.ndarray, y: np.ndarray) -> None:
        colour = QColor(theme.colours.accent)
        order = [p for p in np.argsort(x, kind="stable").tolist() if self.points.known[p]]
        corners = [QPointF(x[p], y[p]) for p in order]
        if self.points.axes[0].numeric:
            painter.setPen(QPen(colour, 1.5))
            painter.drawPolyline(QPolygonF(corners))
        for point, corner in zip(order, corners, strict=True):
            marked = self.points.rows[point] in self.selected
            painter.setPen(QPen(QColor(theme.colours.text if marked else colour), 2))
            painter.setBrush(colour)
            painter.drawEllipse(corner, theme.px(DOT), theme.px(DOT))

    def _dots(self) -> tuple[np.ndarray, np.ndarray]:
        across = self._place.left() + self.points.axes[0].heights() * self._place.width()
        return across, self._height(self.points.values)

    def _height(self, values: np.ndarray) -> np.ndarray:
        low, high = self.points.span
        part = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
        return self._place.bottom() - part * self._place.height()

    def hit(self, point: QPointF) -> list[int]:
        x, y = self._dots()
        far = np.hypot(x - point.x(), y - point.y())
        far[~self.points.known] = np.inf
        nearest = int(far.argmin())
        return [nearest] if far[nearest] < theme.px(NEAR) else []
