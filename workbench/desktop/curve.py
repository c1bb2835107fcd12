"""A small plot of a few numbers that grow while something is learned or trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.desktop.theme import theme

Line = tuple[str, Sequence[float], str]  # name, values, colour
HEIGHT = 56  # pixels at scale 1
MOST_POINTS = 400


class Curve(QWidget):
    """Lines over their index from 1 on, with the first and the last value written beside them."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._lines: list[Line] = []
        self._length, self._mark = 1, None
        self.rescale()
        theme.changed.connect(self.rescale)

    def rescale(self) -> None:
        """The height at the theme's scale."""
        self.setFixedHeight(theme.px(HEIGHT))

    def show_lines(self, lines: list[Line], length: int, mark: int | None = None) -> None:
        """Lines, the number of values that there may be at most, and an index to mark."""
        self._lines, self._length, self._mark = lines, length, mark
        words = [f"{name} {values[-1]:.3g}" for name, values, _ in lines if len(values)]
        self.setAccessibleDescription(", ".join(words))
        self.update()

    def paintEvent(self, event: Any) -> None:
        finite = [np.asarray(v, float) for _, v, _ in self._lines if len(v)]
        values = np.concatenate(finite) if finite else np.empty(0)
        values = values[np.isfinite(values)]
        if not len(values):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(11))
        metrics = painter.fontMetrics()
        names = max(metrics.horizontalAdvance(f"{n} 00.000") for n, _, _ in self._lines)
        place = QRectF(4, 6, self.width() - names - 16, self.height() - 12)
        low, high = float(values.min()), float(values.max())
        self._paint_mark(painter, place)
        ends = []
        for name, line, colour in self._lines:
            points = self._points(np.asarray(line, float), place, low, (high - low) or 1.0)
            painter.setPen(QPen(QColor(colour), 1.5))
            painter.drawPolyline(QPolygonF(points))
            ends.append((points[-1], f"{name} {line[-1]:.3g}", colour))
        self._paint_names(painter, ends)

    def _points(self, line: np.ndarray, place: QRectF, low: float, span: float) -> list[QPointF]:
        index = np.arange(len(line))
        if len(line) > MOST_POINTS:
            index = np.unique(np.linspace(0, len(line) - 1, MOST_POINTS).astype(int))
        across = place.left() + place.width() * index / max(self._length - 1, 1)
        up = place.bottom() - place.height() * (np.nan_to_num(line[index]) - low) / span
        return [QPointF(x, y) for x, y in zip(across, up, strict=True)]

    def _paint_mark(self, painter: QPainter, place: QRectF) -> None:
        if self._mark is None:
            return
        across = place.left() + place.width() * (self._mark - 1) / max(self._length - 1, 1)
        painter.setPen(QPen(QColor(theme.colours.faint), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(across, place.top()), QPointF(across, place.bottom()))

    def _paint_names(self, painter: QPainter, ends: list[tuple[QPointF, str, str]]) -> None:
        """Each name beside its line's end, below the one above it and inside the widget."""
        height = painter.fontMetrics().height()
        ends = sorted(ends, key=lambda end: end[0].y())
        tops: list[float] = []
        for end, _, _ in ends:
            top = max(end.y() - height / 2, tops[-1] + height if tops else 0.0)
            tops.append(top)
        over = max(tops[-1] + height - self.height(), 0.0)  # the last one hangs out below
        for (end, text, colour), top in zip(ends, tops, strict=True):
            painter.setPen(QColor(colour))
            box = QRectF(end.x() + 8, top - over, self.width() - end.x() - 8, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
