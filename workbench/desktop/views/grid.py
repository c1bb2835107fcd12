"""A grid of thumbnails that scrolls through any number of images; only what is visible is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

from workbench.desktop.theme import theme
from workbench.desktop.thumbnails import Thumbnails
from workbench.desktop.views.base import class_pen

TILE, PICTURE = 44, 36  # pixels at scale 1: a tile with its margin, the picture in it
Key = Qt.Key


class Grid(QAbstractScrollArea):
    """Thumbnails of some images of a split, row by row.

    The current one is where the arrow keys are; the marked one is what the window shows now.
    """

    chosen = Signal(int)  # an image, by click or Enter
    moved = Signal(int)  # the current image is another one

    def __init__(self, thumbnails: Thumbnails, describe: Callable[[int], str]) -> None:
        super().__init__()
        self._thumbnails, self._describe = thumbnails, describe
        self.images = np.empty(0, int)  # those that are shown, in order
        self._labels = np.empty(0, int)
        self._pens: list[QPen] = []  # of the classes
        self._dotted = np.empty(0, bool)
        self._marked: int | None = None
        self._current = 0  # a place in ``images``
        self.setAccessibleName("Images of the dataset")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.viewport().setMouseTracking(True)

    # -- what is shown ---------------------------------------------------------------------------

    def show_split(self, split: Any, labels: np.ndarray, classes: int) -> None:
        """Another split; ``labels`` [n] are its classes. `show_images` says which of it."""
        self._labels = labels
        self._pens = [class_pen(label, classes, width=2) for label in range(classes)]
        self._dotted = np.zeros(len(labels), bool)
        self._marked = None
        self._thumbnails.show_split(split, theme.px(PICTURE))

    def show_images(self, indices: np.ndarray) -> None:
        """The images to show, in this order; begins at the top."""
        self.images, self._current = indices, 0
        self._fit()
        self.verticalScrollBar().setValue(0)
        if self._marked is not None:
            self.go_to(self._marked)
        self.viewport().update()

    def dot(self, dotted: np.ndarray) -> None:
        """Put a dot on some images of the split, [n] bool."""
        self._dotted = dotted
        self.viewport().update()

    def mark(self, index: int | None) -> None:
        """Mark the image that the window shows, and bring it into sight."""
        if index != self._marked:
            self._marked = index
            if index is not None:
                self.go_to(index)
            self.viewport().update()

    def go_to(self, index: int) -> bool:
        """Make an image the current one and bring it into sight; False if it is not shown."""
        place = int(np.searchsorted(self.images, index))
        if place == len(self.images) or self.images[place] != index:
            return False
        self._move(place)
        return True

    @property
    def current(self) -> int | None:
        """The image that the arrow keys are at."""
        return int(self.images[self._current]) if len(self.images) else None

    @property
    def visible(self) -> list[int]:
        """The images on the screen, from top to bottom."""
        columns, side = self._columns, theme.px(TILE)
        top = self.verticalScrollBar().value()
        first = top // side * columns
        last = -(-(top + self.viewport().height()) // side) * columns
        return self.images[first:last].tolist()

    # -- geometry --------------------------------------------------------------------------------

    @property
    def _columns(self) -> int:
        return max(1, self.viewport().width() // theme.px(TILE))

    def _fit(self) -> None:
        """The scroll bar spans all rows."""
        rows, side = -(-len(self.images) // self._columns), theme.px(TILE)
        bar, height = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, rows * side - height))
        bar.setPageStep(height)
        bar.setSingleStep(side)

    def place(self, at: int) -> QRect:
        """Where the picture at a place of the order is, on the viewport."""
        row, column = divmod(at, self._columns)
        side, margin = theme.px(TILE), theme.px((TILE - PICTURE) / 2)
        top = row * side - self.verticalScrollBar().value()
        return QRect(column * side + margin, top + margin, theme.px(PICTURE), theme.px(PICTURE))

    def _at(self, point: QPoint) -> int | None:
        """The place in the order below a point of the viewport."""
        side = theme.px(TILE)
        column = point.x() // side
        at = (point.y() + self.verticalScrollBar().value()) // side * self._columns + column
        return at if 0 <= column < self._columns and 0 <= at < len(self.images) else None

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._fit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    # -- painting --------------------------------------------------------------------------------

    def paintEvent(self, event: Any) -> None:
        shown = self.visible
        self._thumbnails.want(shown)
        painter = QPainter(self.viewport())
        if not shown and len(self._labels):
            painter.setPen(QColor(theme.colours.muted))
            middle = Qt.AlignmentFlag.AlignCenter
            painter.drawText(self.viewport().rect(), middle, "There is no such image.")
        first = self._at_top()
        for at, index in enumerate(shown, start=first):
            self._paint(painter, self.place(at), index)
        if shown and self.hasFocus():
            ring = self.place(self._current).adjusted(-4, -4, 4, 4)
            painter.setPen(QPen(QColor(theme.colours.accent), 1, Qt.PenStyle.DashLine))
            painter.drawRect(ring)

    def _at_top(self) -> int:
        return self.verticalScrollBar().value() // theme.px(TILE) * self._columns

    def _paint(self, painter: QPainter, place: QRect, index: int) -> None:
        self._thumbnails.paint(painter, place, index)
        marked = index == self._marked
        label = int(self._labels[index])
        painter.setPen(QPen(QColor(theme.colours.text), 3) if marked else self._pens[label])
        painter.drawRect(place)
        if self._dotted[index]:
            painter.setPen(QPen(QColor(theme.colours.background), 1))
            painter.setBrush(QColor(theme.colours.accent))
            size = theme.px(8)
            painter.drawEllipse(place.right() - size + 2, place.top() - 1, size, size)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    # -- mouse and keys --------------------------------------------------------------------------

    def mousePressEvent(self, event: Any) -> None:
        at = self._at(event.position().toPoint())
        if at is not None and event.button() == Qt.MouseButton.LeftButton:
            self._move(at)
            self.chosen.emit(int(self.images[at]))

    def mouseMoveEvent(self, event: Any) -> None:
        at = self._at(event.position().toPoint())
        text = "" if at is None else self._describe(int(self.images[at]))
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def keyPressEvent(self, event: Any) -> None:
        """Arrows, Home, End and the page keys move; Enter chooses; the rest is the window's."""
        if not len(self.images):
            event.ignore()
            return
        page = max(1, self.viewport().height() // theme.px(TILE)) * self._columns
        by = {
            Key.Key_Left: -1,
            Key.Key_Right: 1,
            Key.Key_Up: -self._columns,
            Key.Key_Down: self._columns,
            Key.Key_PageUp: -page,
            Key.Key_PageDown: page,
            Key.Key_Home: -len(self.images),
            Key.Key_End: len(self.images),
        }.get(event.key())
        if by is not None:
            self._move(self._current + by)
        elif event.key() in (Key.Key_Return, Key.Key_Enter):
            self.chosen.emit(self.current)
        else:
            event.ignore()

    def _move(self, place: int) -> None:
        self._current = min(max(place, 0), len(self.images) - 1)
        side, bar = theme.px(TILE), self.verticalScrollBar()
        top = self._current // self._columns * side
        if top < bar.value():
            bar.setValue(top)
        elif top + side > bar.value() + self.viewport().height():
            bar.setValue(top + side - self.viewport().height())
        self.setAccessibleDescription(self._describe(self.current))
        self.viewport().update()
        self.moved.emit(self.current)
