"""A map of regimes, painted: squares of one colour and sign each, axes, and the present point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, qGray
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench.analysis.regimes import SIGNS, Node
from workbench.desktop.theme import theme
from workbench.palette import REGIME_COLOURS

Area = tuple[Node, int, int]  # node, side in nodes, regime
Ticks = Sequence[tuple[float, str]]  # place in nodes, words
MIDDLE = Qt.AlignmentFlag.AlignCenter
ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class RegimePlot(QWidget):
    """Nodes across and up; with the Tab key it takes the arrows, and Enter chooses."""

    chosen = Signal(object)  # Node, by click or Enter

    def __init__(self, describe: Callable[[Node], str]) -> None:
        super().__init__()
        self._describe = describe
        self.setAccessibleName("Map of regimes plot")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 100)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self._areas: list[Area] = []
        self._ticks: tuple[Ticks, Ticks] = ((), ())
        self._nodes = 0
        self._here = (0.0, 0.0)
        self._cursor: Node = (0, 0)  # where the arrow keys are

    def show_axes(self, across: Ticks, up: Ticks, nodes: int, cursor: Node) -> None:
        """Another map, empty at first."""
        self._ticks, self._nodes, self._areas, self._cursor = (across, up), nodes, [], cursor
        self.update()

    def show_areas(self, areas: list[Area], here: tuple[float, float]) -> None:
        """Squares, the widest first, and the present point in nodes."""
        self._areas, self._here = areas, here
        self.update()

    # -- geometry --------------------------------------------------------------------------------

    def _place(self) -> QRectF:
        """The map, without its ticks."""
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(words) for _, words in self._ticks[1]), default=0)
        left, below = widest + 10, theme.px(18)
        return QRectF(left, 4, max(self.width() - left - 8, 1), max(self.height() - below - 4, 1))

    def point(self, across: float, up: float) -> QPointF:
        """Where a place, in nodes, is on the widget."""
        place = self._place()
        x = place.left() + (across + 0.5) / self._nodes * place.width()
        return QPointF(x, place.bottom() - (up + 0.5) / self._nodes * place.height())

    def _node(self, point: QPointF) -> Node | None:
        """The node of the finest grid below a point of the widget."""
        place = self._place()
        if not self._nodes or not place.contains(point):
            return None
        across = (point.x() - place.left()) / place.width() * self._nodes
        up = (place.bottom() - point.y()) / place.height() * self._nodes
        return min(int(across), self._nodes - 1), min(int(up), self._nodes - 1)

    def _square(self, node: Node, side: float) -> QRectF:
        place, middle = self._place(), self.point(*node)
        size = QSizeF(place.width(), place.height()) * (side / self._nodes)
        corner = middle - QPointF(size.width() / 2, size.height() / 2)
        return QRectF(corner, size).intersected(place)

    # -- painting --------------------------------------------------------------------------------

    def changeEvent(self, event: Any) -> None:
        super().changeEvent(event)
        self.update()

    def paintEvent(self, event: Any) -> None:
        if not self._nodes:
            return
        painter = QPainter(self)
        painter.setFont(theme.font(11))
        painter.fillRect(self._place(), QColor(theme.colours.hairline))
        for node, side, regime in self._areas:
            painter.fillRect(self._square(node, side), QColor(REGIME_COLOURS[regime]))
        self._paint_signs(painter)
        self._paint_ticks(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_here(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.colours.accent), 2, Qt.PenStyle.DashLine))
            painter.drawRect(self._square(self._cursor, 1).adjusted(-2, -2, 2, 2))

    def _paint_signs(self, painter: QPainter) -> None:
        """A sign where a run was made, if there is room for it."""
        cell = self._square((1, 1), 1)
        if min(cell.width(), cell.height()) < theme.px(11):
            return
        for node, _, regime in self._areas:
            fill = QColor(REGIME_COLOURS[regime])
            painter.setPen(QColor("#000000" if qGray(fill.rgb()) > 150 else "#ffffff"))
            painter.drawText(self._square(node, 1), MIDDLE, SIGNS[regime])

    def _paint_ticks(self, painter: QPainter) -> None:
        painter.setPen(QColor(theme.colours.muted))
        place, metrics = self._place(), painter.fontMetrics()
        end = 0.0  # of the words before
        for at, words in self._ticks[0]:
            wide = metrics.horizontalAdvance(words)
            left = min(self.point(at, 0).x() - wide / 2, self.width() - wide)
            if left > end + 4:
                box = QRectF(left, place.bottom() + 2, wide + 1, theme.px(16))
                painter.drawText(box, MIDDLE, words)
                end = left + wide
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for at, words in self._ticks[1]:
            middle = self.point(0, at).y()
            box = QRectF(0, middle - metrics.height() / 2, place.left() - 6, metrics.height())
            painter.drawText(box, right, words)

    def _paint_here(self, painter: QPainter) -> None:
        """A ring that stands out on every colour."""
        middle, radius = self.point(*self._here), theme.px(7)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in (("#ffffff", 5.0), ("#15181c", 2.0)):
            painter.setPen(QPen(QColor(colour), width))
            painter.drawEllipse(middle, radius, radius)

    # -- mouse and keys --------------------------------------------------------------------------

    def mousePressEvent(self, event: Any) -> None:
        node = self._node(event.position())
        if node is not None and event.button() == Qt.MouseButton.LeftButton:
            self._cursor = node
            self.chosen.emit(node)

    def mouseMoveEvent(self, event: Any) -> None:
        node = self._node(event.position())
        text = "" if node is None else self._describe(node)
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def keyPressEvent(self, event: Any) -> None:
        """Arrows move over the map, Enter chooses; the rest is the window's."""
        by = ARROWS.get(event.key())
        if self._nodes and by is not None:
            self._move(*by)
        elif self._nodes and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(self._cursor)
        else:
            event.ignore()

    def _move(self, across: int, up: int) -> None:
        last, (x, y) = self._nodes - 1, self._cursor
        self._cursor = min(max(x + across, 0), last), min(max(y + up, 0), last)
        self.setAccessibleDescription(self._describe(self._cursor).replace("\n", ", "))
        self.update()
