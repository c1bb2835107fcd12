"""What the pictures of a sweep share: points with a value each, a colour scale, and clicks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench.analysis.sweep_axis import Axis
from workbench.desktop.pictures import lookup
from workbench.desktop.theme import theme

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
MIDDLE = Qt.AlignmentFlag.AlignCenter


@dataclass(frozen=True, eq=False)
class Points:
    """The points of a sweep that ran, and one number of each."""

    axes: Sequence[Axis] = ()  # a value a point
    values: np.ndarray = field(default_factory=lambda: np.empty(0))  # NaN where not known
    rows: Sequence[int] = ()  # their places among all rows
    title: str = ""
    words: Callable[[float], str] = str  # of a value

    @property
    def known(self) -> np.ndarray:
        """Which values are known, [points] bool."""
        return np.isfinite(self.values)

    @property
    def span(self) -> tuple[float, float]:
        """The smallest and the largest known value."""
        known = self.values[self.known]
        return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


class Chart(QWidget):
    """A picture of points; a click chooses some, a double click opens one."""

    chosen = Signal(list)  # rows
    opened = Signal(int)  # row

    def __init__(self, name: str, describe: Callable[[Sequence[int]], str]) -> None:
        """``describe`` says of rows what a person who points at them wants to know."""
        super().__init__()
        self._describe = describe
        self.points = Points()
        self._span = self.points.span
        self._place = QRectF()  # of the points, as they were last painted
        self._colours = [QColor(*colour) for colour in lookup(False).tolist()]
        self.selected: frozenset[int] = frozenset()  # rows
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(theme.px(200), theme.px(140))
        self.setMouseTracking(True)

    def show_points(self, points: Points) -> None:
        """Draw these."""
        self.points, self._span = points, points.span
        known = int(points.known.sum())
        self.setAccessibleDescription(f"{points.title} of {known} points")
        self.update()

    def show_selected(self, rows: frozenset[int]) -> None:
        """Mark the points of these rows."""
        if rows != self.selected:
            self.selected = rows
            self.update()

    # -- for subclasses --------------------------------------------------------------------------

    def paint(self, painter: QPainter, place: QRectF) -> None:
        """Draw the points into a place."""

    def hit(self, point: QPointF) -> list[int]:
        """The points (not rows) below a place of the widget, the best first."""
        return []

    def best_first(self, points: np.ndarray) -> list[int]:
        """Some points, the largest value first."""
        return points[np.argsort(-self.points.values[points], kind="stable")].tolist()

    def colour(self, value: float) -> QColor:
        """The colour of a value."""
        low, high = self._span
        part = (value - low) / (high - low) if high > low else 0.5
        return self._colours[round(255 * part)]

    def paint_scale(self, painter: QPainter, place: QRectF) -> QRectF:
        """A colour scale at the right; returns the room that is left."""
        low, high = self._span
        words = [self.points.words(value) for value in (high, low)]
        wide = max(map(painter.fontMetrics().horizontalAdvance, words)) + theme.px(20)
        bar = QRectF(place.right() - wide, place.top() + 4, theme.px(10), place.height() - 8)
        steps = 64
        for step in range(steps):
            part = QRectF(bar.left(), bar.top() + step * bar.height() / steps, bar.width(), 0)
            part.setHeight(bar.height() / steps + 1)
            painter.fillRect(part, self.colour(high - (high - low) * step / (steps - 1)))
        painter.setPen(QColor(theme.colours.muted))
        line = painter.fontMetrics().height()
        for top, text in ((bar.top(), words[0]), (bar.bottom() - line, words[1])):
            box = QRectF(bar.right() + 4, top, wide, line)
            painter.drawText(box, LEFT, text)
        return place.adjusted(0, 0, -wide - 12, 0)

    # -- events ----------------------------------------------------------------------------------

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font(11))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRectF(self.rect()).adjusted(8, 8, -8, -8)
        if self.points.known.any():
            self.paint(painter, place)
        else:
            painter.setPen(QColor(theme.colours.muted))
            painter.drawText(place, MIDDLE, "No point has been run yet.")

    def mousePressEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.points.known.any():
            self.chosen.emit([self.points.rows[p] for p in self.hit(event.position())])

    def mouseDoubleClickEvent(self, event: Any) -> None:
        found = self.hit(event.position()) if self.points.known.any() else []
        if event.button() == Qt.MouseButton.LeftButton and found:
            self.opened.emit(self.points.rows[found[0]])

    def mouseMoveEvent(self, event: Any) -> None:
        found = self.hit(event.position()) if self.points.known.any() else []
        text = self._describe([self.points.rows[p] for p in found]) if found else ""
        QToolTip.showText(event.globalPosition().toPoint(), text, self)
