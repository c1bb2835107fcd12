"""A sweep over two keys: cells where values were listed, dots where one was drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from workbench.analysis.sweep_axis import Axis, cell_means, word
from workbench.desktop.sweep.chart import MIDDLE, RIGHT, Chart
from workbench.desktop.theme import theme

FINE = 500  # dots up to which they are drawn fine; more would hold the window up
DOT, NEAR = 5, 12  # pixels at scale 1: radius of a dot, and how near a click must be


class Heatmap(Chart):
    """The first axis across, the second up; a cell is the mean of its points."""

    def paint(self, painter: QPainter, place: QRectF) -> None:
        across, up = self.points.axes[:2]
        place = self._inner(painter, self.paint_scale(painter, place))
        if self._dotted:
            self._paint_dots(painter, place)
        else:
            self._paint_cells(painter, place)
        painter.setPen(QColor(theme.colours.muted))
        for at, words in self._marks(across):
            x = place.left() + at * place.width()
            wide = painter.fontMetrics().horizontalAdvance(words) + 2
            left = min(max(x - wide / 2, 0), self.width() - wide)
            painter.drawText(QRectF(left, place.bottom() + 2, wide, theme.px(14)), MIDDLE, words)
        for at, words in self._marks(up):
            y = place.bottom() - at * place.height()
            painter.drawText(QRectF(0, y - 8, place.left() - 6, 16), RIGHT, words)
        below = QRectF(place.left(), place.bottom() + theme.px(16), place.width(), theme.px(16))
        painter.drawText(below, MIDDLE, across.label)
        above = QRectF(4, 0, self.width(), place.top() - 2)
        painter.drawText(above, Qt.AlignmentFlag.AlignVCenter, f"↑ {up.label}")

    @property
    def _dotted(self) -> bool:
        return any(axis.drawn for axis in self.points.axes[:2])

    def _inner(self, painter: QPainter, place: QRectF) -> QRectF:
        """The room for the cells, between the words; kept for clicks."""
        metrics = painter.fontMetrics()
        marks = [words for _, words in self._marks(self.points.axes[1])]
        left = max(map(metrics.horizontalAdvance, marks), default=0) + 14
        self._place = place.adjusted(left, theme.px(16), 0, -theme.px(32))
        return self._place

    def _marks(self, axis: Axis) -> list[tuple[float, str]]:
        """Places from 0 to 1 and words along an axis."""
        if self._dotted:
            return [(0.04 + 0.92 * height, words) for height, words in axis.marks()]
        listed = axis.listed
        every = -(-len(listed) // 10)
        return [((i + 0.5) / len(listed), word(listed[i])) for i in range(0, len(listed), every)]

    def _cell(self, place: QRectF, column: int, row: int, shape: tuple[int, int]) -> QRectF:
        wide, high = place.width() / shape[1], place.height() / shape[0]
        corner = QPointF(place.left() + column * wide, place.bottom() - (row + 1) * high)
        return QRectF(corner.x(), corner.y(), wide - 1, high - 1)

    def _paint_cells(self, painter: QPainter, place: QRectF) -> None:
        across, up = self.points.axes[:2]
        means = cell_means(across, up, self.points.values)
        marked = set(zip(*self._columns_and_rows(self._selected_points()), strict=True))
        for row, column in np.ndindex(means.shape):
            cell, value = self._cell(place, column, row, means.shape), means[row, column]
            known = bool(np.isfinite(value))
            fill = self.colour(value) if known else QColor(theme.colours.hairline)
            painter.fillRect(cell, fill)
            words = self.points.words(value).removesuffix(" %") if known else ""
            if painter.fontMetrics().horizontalAdvance(words) < cell.width() - 4:
                painter.setPen(QColor("#000000" if fill.lightnessF() > 0.5 else "#ffffff"))
                painter.drawText(cell, MIDDLE, words)
            if (column, row) in marked:
                painter.setPen(QPen(QColor(theme.colours.text), 2))
                painter.drawRect(cell.adjusted(1, 1, -1, -1))

    def _paint_dots(self, painter: QPainter, place: QRectF) -> None:
        x, y = self._dots(place)
        radius = theme.px(DOT)
        marked = set(self._selected_points().tolist())
        order = np.argsort(np.nan_to_num(self.points.values, nan=-np.inf), kind="stable")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, len(order) <= FINE)
        for point in order.tolist():  # the best on top
            value = self.points.values[point]
            known = bool(np.isfinite(value))
            painter.setBrush(self.colour(value) if known else Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(theme.colours.muted) if not known else Qt.PenStyle.NoPen)
            if point in marked:
                painter.setPen(QPen(QColor(theme.colours.text), 2))
            painter.drawEllipse(QPointF(x[point], y[point]), radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _dots(self, place: QRectF) -> tuple[np.ndarray, np.ndarray]:
        across, up = (0.04 + 0.92 * axis.heights() for axis in self.points.axes[:2])
        return place.left() + across * place.width(), place.bottom() - up * place.height()

    def _selected_points(self) -> np.ndarray:
        return np.flatnonzero(np.isin(self.points.rows, list(self.selected)))

    def _columns_and_rows(self, points: Any) -> tuple[list[int], list[int]]:
        """The cells that some points are in."""
        found = []
        for axis in self.points.axes[:2]:
            listed = {value: place for place, value in enumerate(axis.listed)}
            found.append([listed[axis.values[point]] for point in points])
        return found[0], found[1]

    def hit(self, point: QPointF) -> list[int]:
        place = self._place
        if self._dotted:
            x, y = self._dots(place)
            far = np.hypot(x - point.x(), y - point.y())
            nearest = int(far.argmin())
            return [nearest] if far[nearest] < theme.px(NEAR) else []
        if not place.contains(point):
            return []
        shape = [len(axis.listed) for axis in self.points.axes[:2]]
        column = int((point.x() - place.left()) / place.width() * shape[0])
        row = int((place.bottom() - point.y()) / place.height() * shape[1])
        columns, rows = self._columns_and_rows(range(len(self.points.rows)))
        inside = (np.array(columns) == column) & (np.array(rows) == row)
        return self.best_first(np.flatnonzero(inside & self.points.known))
