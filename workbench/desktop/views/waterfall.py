"""Parts that add up: a bar for each from where the one before ended, and a threshold across."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench.desktop.theme import theme

ROW, LEAST_ROW = 24, 15  # pixels at scale 1
TOP = 16  # the threshold's name
_UNLIMITED = (1 << 24) - 1  # Qt's own
NEAR = 1.5  # a threshold within so many spans of the bars is drawn, another one is pointed at


@dataclass(frozen=True)
class Row:
    """One line: a bar from ``start`` that is ``value`` long, or a mark at ``start``."""

    label: str
    start: float
    value: float | None  # None: a level, no part
    colour: str
    tip: str = ""
    neuron: int | None = None  # whom a click selects
    picture: QImage | None = None

    @property
    def end(self) -> float:
        """Where the bar ends."""
        return self.start + (self.value or 0.0)


@dataclass(frozen=True)
class Limit:
    """The threshold."""

    value: float
    label: str


class Waterfall(QWidget):
    """Rows from top to bottom, each beginning where the one above ended."""

    chosen = Signal(int)  # a neuron

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Parts of the step")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.rows: list[Row] = []
        self.limit: Limit | None = None
        self._filling = True
        self._current: int | None = None  # the row that the keys are on

    def show_rows(self, rows: list[Row], limit: Limit | None) -> None:
        """The rows, and the threshold that is nearest."""
        if [row.neuron for row in rows] != [row.neuron for row in self.rows]:
            self._current = None
        self.rows, self.limit = rows, limit
        self._keep_to_rows()
        words = [f"{row.label} {_signed(row)}" for row in rows]
        self.setAccessibleDescription(", ".join(words))
        self.update()

    def fill(self, filling: bool) -> None:
        """Take all the room there is, since more rows could be shown; or no more than they need."""
        self._filling = filling
        self._keep_to_rows()

    def _keep_to_rows(self) -> None:
        needed = theme.px(TOP) + len(self.rows) * theme.px(ROW)
        self.setMaximumHeight(_UNLIMITED if self._filling or not self.rows else needed)

    @property
    def fits(self) -> int:
        """How many rows there is room for."""
        return (self.height() - theme.px(TOP)) // theme.px(LEAST_ROW + 3)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(160), theme.px(TOP + 8 * LEAST_ROW))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    # -- places ----------------------------------------------------------------------------------

    def row_place(self, index: int) -> QRectF:
        """Where a row is."""
        tall = min(theme.px(ROW), (self.height() - theme.px(TOP)) / max(len(self.rows), 1))
        return QRectF(0, theme.px(TOP) + index * tall, self.width(), tall)

    def _at(self, point: QPoint) -> int | None:
        for index in range(len(self.rows)):
            if self.row_place(index).contains(QPointF(point)):
                return index
        return None

    def _columns(self, painter: QPainter) -> tuple[float, float, float]:
        """Where labels begin, and where bars begin and end."""
        across = painter.fontMetrics().horizontalAdvance
        side = self.row_place(0).height()
        words = max(across(row.label) for row in self.rows) + theme.px(16)
        words = min(words, 0.45 * self.width())
        numbers = max(across(_signed(row)) for row in self.rows) + theme.px(8)
        return side, side + words, self.width() - numbers

    def _range(self) -> tuple[float, float]:
        """What the bars span, with the threshold if it is near."""
        levels = [level for row in self.rows for level in (row.start, row.end)]
        low, high = min(levels), max(levels)
        span = (high - low) or 0.1 * max(abs(high), 1.0)
        if self.limit and low - NEAR * span <= self.limit.value <= high + NEAR * span:
            low, high = min(low, self.limit.value), max(high, self.limit.value)
        margin = 0.04 * ((high - low) or span)
        return low - margin, high + margin

    # -- painting --------------------------------------------------------------------------------

    def paintEvent(self, event: Any) -> None:
        if not self.rows:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(theme.font(11))
        words, left, right = self._columns(painter)
        low, high = self._range()

        def x(level: float) -> float:
            return left + (level - low) / (high - low) * (right - left)

        if low < 0 < high:
            painter.fillRect(
                QRectF(x(0), theme.px(TOP), 1, self._bottom()), QColor(theme.colours.faint)
            )
        self._paint_limit(painter, x, left, right)
        for index, row in enumerate(self.rows):
            place = self.row_place(index)
            self._paint_bar(painter, place, row, x)
            if index + 1 < len(self.rows):  # the running total, on to the next row
                line = QRectF(x(row.end) - 0.5, place.center().y(), 1, place.height())
                painter.fillRect(line, QColor(theme.colours.muted))
            self._paint_words(painter, place, row, words, left, right)
            if self.hasFocus() and index == self._current:
                painter.setPen(QPen(QColor(theme.colours.accent), 1))
                painter.drawRect(place.adjusted(0, 0, -1, -1))

    def _bottom(self) -> float:
        """How far down the rows go, from their top."""
        return len(self.rows) * self.row_place(0).height()

    def _paint_limit(self, painter: QPainter, x: Any, left: float, right: float) -> None:
        if self.limit is None:
            return
        colour, place = QColor(theme.colours.text), x(self.limit.value)
        metrics, label = painter.fontMetrics(), self.limit.label
        painter.setPen(QColor(theme.colours.muted))
        wide = metrics.horizontalAdvance(label)
        if not left <= place <= right:
            label = f"{label} →" if place > right else f"← {label}"
            wide = metrics.horizontalAdvance(label)
            at = right - wide if place > right else left
            painter.drawText(QRectF(at, 0, wide + 2, theme.px(TOP)), label)
            return
        at = min(max(place - wide / 2, left), self.width() - wide - 2)
        painter.drawText(QRectF(at, 0, wide + 2, theme.px(TOP)), label)
        painter.setPen(QPen(colour, 1, Qt.PenStyle.DashLine))
        top = theme.px(TOP)
        painter.drawLine(QPointF(place, top), QPointF(place, top + self._bottom()))

    def _paint_bar(self, painter: QPainter, place: QRectF, row: Row, x: Any) -> None:
        tall = min(0.62 * place.height(), theme.px(14))
        top = place.center().y() - tall / 2
        if row.value is None:
            painter.fillRect(QRectF(x(row.start) - 1.5, top - 2, 3, tall + 4), QColor(row.colour))
            return
        begin, end = sorted((x(row.start), x(row.end)))
        bar = QRectF(begin, top, max(end - begin, 1.0), tall)
        painter.fillRect(bar, QColor(row.colour))

    def _paint_words(
        self, painter: QPainter, place: QRectF, row: Row, words: float, left: float, right: float
    ) -> None:
        if row.picture is not None:
            side = place.height() - 3
            size = row.picture.size().scaled(
                QSize(round(side), round(side)), Qt.AspectRatioMode.KeepAspectRatio
            )
            target = QRectF(0, 0, size.width(), size.height())
            target.moveCenter(QPointF(words / 2, place.center().y()))
            painter.drawImage(target, row.picture)
        strong = row.value is None
        painter.setPen(QColor(theme.colours.text if strong else theme.colours.muted))
        middle = Qt.AlignmentFlag.AlignVCenter
        room = QRectF(words + 4, place.top(), left - words - 8, place.height())
        elided = painter.fontMetrics().elidedText(
            row.label, Qt.TextElideMode.ElideRight, round(room.width())
        )
        painter.drawText(room, middle, elided)
        painter.setPen(QColor(theme.colours.text))
        numbers = QRectF(right, place.top(), self.width() - right - 2, place.height())
        painter.drawText(numbers, middle | Qt.AlignmentFlag.AlignRight, _signed(row))

    # -- mouse and keys --------------------------------------------------------------------------

    def mousePressEvent(self, event: Any) -> None:
        index = self._at(event.position().toPoint())
        if index is not None and self.rows[index].neuron is not None:
            self.chosen.emit(self.rows[index].neuron)

    def mouseMoveEvent(self, event: Any) -> None:
        index = self._at(event.position().toPoint())
        can = index is not None and self.rows[index].neuron is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if can else Qt.CursorShape.ArrowCursor)
        if index is not None:
            QToolTip.showText(event.globalPosition().toPoint(), self.rows[index].tip, self)

    def keyPressEvent(self, event: Any) -> None:
        """Up and down go through the neurons, Enter selects one."""
        able = [index for index, row in enumerate(self.rows) if row.neuron is not None]
        move = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(event.key())
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if move is not None and able:
            if self._current in able:
                self._current = able[(able.index(self._current) + move) % len(able)]
            else:
                self._current = able[0 if move > 0 else -1]
            self.update()
        elif enter and self._current in able:
            self.chosen.emit(self.rows[self._current].neuron)
        else:
            event.ignore()


def _signed(row: Row) -> str:
    """A level as it is, a part with its sign."""
    return f"{row.start:.4g}" if row.value is None else f"{row.value:+.3g}".replace("-", "−")
