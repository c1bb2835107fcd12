"""How many images each class has: a bar for each, small enough for a thousand classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench import palette
from workbench.desktop.theme import theme

HEIGHT = 56  # pixels at scale 1: the count, the bar and the name


class Balance(QWidget):
    """One bar a class; a click chooses the class, a second one all of them again."""

    chosen = Signal(object)  # int | None, the class

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Images of each class")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self._counts = np.empty(0, int)
        self._names: tuple[str, ...] = ()
        self._chosen: int | None = None

    def show_counts(self, counts: np.ndarray, names: tuple[str, ...]) -> None:
        """Images [classes] of each class, and the classes' names."""
        self._counts, self._names, self._chosen = counts, names, None
        most, least = int(counts.max()), int(counts.min())
        words = f"{least} to {most}" if least != most else f"{most}"
        self.setAccessibleDescription(f"{len(names)} classes, {words} images each")
        self.update()

    def show_chosen(self, label: int | None) -> None:
        """The class that is filtered by stands out."""
        self._chosen = label
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(160), theme.px(HEIGHT))

    def _width(self) -> float:
        return self.width() / max(len(self._counts), 1)

    def _at(self, point: QPoint) -> int | None:
        label = int(point.x() // self._width())
        return label if 0 <= label < len(self._counts) else None

    def bar(self, label: int) -> QRectF:
        """Where the bar of a class is."""
        room = self.height() - 2 * theme.px(16)
        tall = max(room * self._counts[label] / max(self._counts.max(), 1), 1.0)
        width = self._width()
        gap = 2.0 if width > 6 else 0.0
        return QRectF(label * width, theme.px(16) + room - tall, max(width - gap, 0.5), tall)

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font(11))
        metrics, classes = painter.fontMetrics(), len(self._counts)
        widest = max((metrics.horizontalAdvance(str(n)) for n in self._counts), default=0)
        numbered, named = widest < self._width(), self._width() > theme.px(10)
        for label, count in enumerate(self._counts.tolist()):
            bar = self.bar(label)
            colour = QColor(palette.class_colour(label, classes))
            if self._chosen not in (None, label):
                colour.setAlphaF(0.35)
            painter.fillRect(bar, colour)
            stands_out = label == self._chosen
            painter.setPen(QColor(theme.colours.text if stands_out else theme.colours.muted))
            if numbered:
                above = QRectF(bar.x(), bar.y() - theme.px(15), bar.width(), theme.px(15))
                painter.drawText(above, Qt.AlignmentFlag.AlignCenter, str(count))
            if named:
                below = QRectF(bar.x(), bar.bottom(), bar.width(), theme.px(16))
                elide = Qt.TextElideMode.ElideRight
                name = metrics.elidedText(self._names[label], elide, round(bar.width()))
                painter.drawText(below, Qt.AlignmentFlag.AlignCenter, name)

    def mousePressEvent(self, event: Any) -> None:
        label = self._at(event.position().toPoint())
        if label is not None:
            self.chosen.emit(None if label == self._chosen else label)

    def mouseMoveEvent(self, event: Any) -> None:
        label = self._at(event.position().toPoint())
        if label is not None:
            text = f"{self._names[label]}: {self._counts[label]} images"
            QToolTip.showText(event.globalPosition().toPoint(), text, self)
