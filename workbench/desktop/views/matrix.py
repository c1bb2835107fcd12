"""A confusion matrix, painted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench.desktop.pictures import lookup
from workbench.desktop.theme import theme

ELIDE = Qt.TextElideMode.ElideRight
Key = Qt.Key
Cell = tuple[int, int]  # true class, decided class; the last decided one is "undecided"


class Matrix(QWidget):
    """True classes downwards, decided classes rightwards, one more column for "undecided".

    Arrow keys go from cell to cell, Enter or a click chooses one.
    """

    chosen = Signal(int, int)  # true class, decided class

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Confusion matrix")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._counts = np.zeros((0, 1), int)
        self._names: tuple[str, ...] = ()
        self._marked: Cell | None = None
        self._current: Cell = (0, 0)  # where the arrow keys are

    def mark(self, cell: Cell | None) -> None:
        """Frame a cell."""
        if cell != self._marked:
            self._marked = cell
            self.update()

    def show_counts(self, counts: np.ndarray, names: tuple[str, ...]) -> None:
        """Counts [classes, classes + 1] and the classes' names."""
        if names != self._names:
            self._current = (0, 0)
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
        self._paint_cells(painter, left, top, side)
        self._paint_names(painter, left, top, side)
        if self._marked is not None:
            painter.setPen(QPen(QColor(theme.colours.text), 2))
            painter.drawRect(self.place(*self._marked))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.colours.accent), 1, Qt.PenStyle.DashLine))
            painter.drawRect(self.place(*self._current).adjusted(-1, -1, 1, 1))

    def _paint_cells(self, painter: QPainter, left: float, top: float, side: float) -> None:
        """All as one picture, however many; then what can be read of them."""
        counts = self._counts
        shades = (255 * (counts / max(int(counts.max()), 1)) ** 0.5).astype(int)
        colours = lookup(False)[shades]
        colours[counts == 0] = QColor(theme.colours.hairline).getRgb()[:3]
        rows, columns = counts.shape
        rgb = np.ascontiguousarray(colours, np.uint8)
        picture = QImage(rgb.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
        painter.drawImage(QRectF(left, top, side * columns, side * rows), picture)
        if side > theme.px(4):
            painter.setPen(QPen(QColor(theme.colours.surface), 1))
            ends = left + side * columns, top + side * rows
            for i in range(1, columns + 1):
                painter.drawLine(QLineF(left + i * side, top, left + i * side, ends[1]))
            for i in range(1, rows + 1):
                painter.drawLine(QLineF(left, top + i * side, ends[0], top + i * side))
        if side > theme.px(15):
            for true, decided in np.argwhere(counts).tolist():
                fill = QColor(*colours[true, decided].tolist())
                painter.setPen(QColor("#000000" if fill.lightnessF() > 0.5 else "#ffffff"))
                text = str(counts[true, decided])
                painter.drawText(self.place(true, decided), Qt.AlignmentFlag.AlignCenter, text)

    def place(self, true: int, decided: int) -> QRectF:
        """Where a cell is."""
        left, top, side = self._cells()
        return QRectF(left + decided * side, top + true * side, side - 1, side - 1)

    def _paint_names(self, painter: QPainter, left: float, top: float, side: float) -> None:
        painter.setPen(QColor(theme.colours.muted))
        bottom, metrics = top + side * len(self._names) - 1, painter.fontMetrics()
        every = self.named_every(side)
        room = side * every
        for label, name in list(enumerate((*self._names, "–")))[::every]:
            middle = side * (label + 0.5)
            under = QRectF(left + middle - room / 2, bottom, room, theme.px(16))
            short = metrics.elidedText(name, ELIDE, round(room))
            painter.drawText(under, Qt.AlignmentFlag.AlignCenter, short)
            if label < len(self._names):
                beside = QRectF(0, top + middle - room / 2, left - 6, room)
                flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                wide = metrics.elidedText(name, ELIDE, round(left - 8))
                painter.drawText(beside, flags, wide)
        width = side * (len(self._names) + 1)
        words = QRectF(left, bottom + theme.px(14), width, theme.px(16))
        long = "decided (– undecided)"
        fits = painter.fontMetrics().horizontalAdvance(long) <= width
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, long if fits else "decided")

    def named_every(self, side: float) -> int:
        """Of so many classes one is named where there is no line for each."""
        return math.ceil(QFontMetricsF(theme.font(11)).height() / (side + 1))

    def _at(self, event: Any) -> Cell | None:
        """The cell below the mouse."""
        if not self._names:
            return None
        left, top, side = self._cells()
        decided = int((event.position().x() - left) // side)
        true = int((event.position().y() - top) // side)
        inside = 0 <= true < len(self._names) and 0 <= decided <= len(self._names)
        return (true, decided) if inside else None

    def words(self, cell: Cell) -> str:
        """What a cell counts."""
        names = (*self._names, "undecided")
        true, decided = cell
        return f"{self._counts[cell]} images of {names[true]} decided {names[decided]}"

    def mouseMoveEvent(self, event: Any) -> None:
        cell = self._at(event)
        if cell is None:
            return
        more = "; click to see them" if self._counts[cell] else ""
        QToolTip.showText(event.globalPosition().toPoint(), self.words(cell) + more, self)

    def mousePressEvent(self, event: Any) -> None:
        cell = self._at(event)
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go_to(*cell)
            self.chosen.emit(*cell)

    def keyPressEvent(self, event: Any) -> None:
        """Arrows move, Enter chooses; the rest is the window's."""
        by = {
            Key.Key_Left: (0, -1),
            Key.Key_Right: (0, 1),
            Key.Key_Up: (-1, 0),
            Key.Key_Down: (1, 0),
        }.get(event.key())
        if by is not None and self._names:
            self._go_to(self._current[0] + by[0], self._current[1] + by[1])
        elif event.key() in (Key.Key_Return, Key.Key_Enter) and self._names:
            self.chosen.emit(*self._current)
        else:
            event.ignore()

    def _go_to(self, true: int, decided: int) -> None:
        last = len(self._names)
        self._current = (min(max(true, 0), last - 1), min(max(decided, 0), last))
        self.setAccessibleDescription(self.words(self._current))
        self.update()
