"""Which keys decide what comes out: bars with whiskers, and a caution where there is cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.desktop.theme import theme

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
WAITING = "Which keys decide is worked out when every point is there."


class ImportanceBars(QWidget):
    """How far the R² of a random forest falls when the values of a key are shuffled."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Importance of each key")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(theme.px(200), theme.px(140))
        self._found: Mapping[str, Any] | None = None
        self._labels: Mapping[str, str] = {}
        self.show_importance(None, {})

    def show_importance(self, found: Mapping[str, Any] | None, labels: Mapping[str, str]) -> None:
        """What ``sweep.json`` says of it, and what the keys are called; None: not known yet."""
        self._found, self._labels = found, labels
        self.setAccessibleDescription(", ".join(self._lines()) or self._foot())
        self.update()

    def _bars(self) -> list[tuple[str, float, float]]:
        keys = (self._found or {}).get("keys") or {}
        bars = [(self._labels.get(k, k), v["fall"], v["spread"]) for k, v in keys.items()]
        return sorted(bars, key=lambda bar: -bar[1])

    def _lines(self) -> list[str]:
        return [f"{name} {fall:.2f}" for name, fall, _ in self._bars()]

    def _foot(self) -> str:
        found = self._found
        if found is None:
            return WAITING
        if not found["keys"]:
            return f"Nothing can be said: {found['caution']}."
        words = f"{found['outcome']}; out-of-bag R² of the forest {found['explained']:.2f}"
        return words + (f". Caution: {found['caution']}" if found["caution"] else "")

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font(11))
        metrics, bars = painter.fontMetrics(), self._bars()
        foot = QRectF(8, self.height() - theme.px(40), self.width() - 16, theme.px(36))
        painter.setPen(QColor(theme.colours.muted))
        painter.drawText(foot, LEFT | Qt.TextFlag.TextWordWrap, self._foot())
        if not bars:
            return
        wide = min(
            max(metrics.horizontalAdvance(name) for name, *_ in bars) + 16, self.width() // 3
        )
        room = QRectF(wide, 8, self.width() - wide - theme.px(64), foot.top() - 24)
        scale = room.width() / max(max(fall + spread for _, fall, spread in bars), 1e-9)
        row = min(room.height() / len(bars), theme.px(36))
        for place, (name, fall, spread) in enumerate(bars):
            middle = room.top() + (place + 0.5) * row
            painter.setPen(QColor(theme.colours.text))
            short = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, wide - 12)
            painter.drawText(QRectF(0, middle - row / 2, wide - 8, row), RIGHT, short)
            long = max(fall, 0.0) * scale
            bar = QRectF(room.left(), middle - row * 0.3, long, row * 0.6)
            painter.fillRect(bar, QColor(theme.colours.accent))
            painter.setPen(QPen(QColor(theme.colours.muted), 1))
            ends = [room.left() + max(fall + sign * spread, 0.0) * scale for sign in (-1, 1)]
            painter.drawLine(QPointF(ends[0], middle), QPointF(ends[1], middle))
            text = QRectF(ends[1] + 6, middle - row / 2, theme.px(56), row)
            painter.drawText(text, LEFT, f"{fall:.2f}")
        painter.setPen(QColor(theme.colours.muted))
        under = QRectF(room.left(), room.top() + len(bars) * row, room.width(), theme.px(18))
        painter.drawText(under, LEFT, "fall of R² when the values are shuffled")
