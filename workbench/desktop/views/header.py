"""The line over a view: title, summary, controls, help and export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from workbench.desktop.icons import icon
from workbench.desktop.theme import theme

if TYPE_CHECKING:
    from workbench.desktop.views.base import View


class Header(QWidget):
    """Title, a short live summary, the view's own controls, help and export."""

    def __init__(self, view: View) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 4, 4)
        row.setSpacing(4)
        self.title = CutLabel(view.title)
        self.title.setMinimumWidth(48)  # cut before anything overlaps
        self.summary = CutLabel()
        self.summary.setProperty("role", "small")
        self.summary.setTextFormat(Qt.TextFormat.RichText)
        self.summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.controls = QHBoxLayout()
        self.controls.setSpacing(4)
        self.help = _button(f"Help on {view.title.lower()}", view.show_help)
        self.export = _button(f"Export {view.title.lower()}", view.show_export_menu)
        row.addWidget(self.title)
        row.addSpacing(8)
        row.addWidget(self.summary, 1)
        row.addLayout(self.controls)
        row.addWidget(self.help)
        row.addWidget(self.export)
        self.restyle()

    def restyle(self) -> None:
        """Icons in the theme's colour."""
        self.help.setIcon(icon("help", theme.colours.muted))
        self.export.setIcon(icon("export", theme.colours.muted))


def _button(name: str, slot: Any) -> QToolButton:
    button = QToolButton()
    button.setToolTip(name)
    button.setAccessibleName(name)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(slot)
    return button


class CutLabel(QLabel):
    """A line of text, plain or rich, that ends in … where there is no room for all of it."""

    def paintEvent(self, event: Any) -> None:
        super().paintEvent(event)
        if self.sizeHint().width() <= self.width():
            return
        width = self.fontMetrics().horizontalAdvance("…") + 2
        end = QRect(self.width() - width, 0, width, self.height())
        painter = QPainter(self)
        painter.fillRect(end, QColor(theme.colours.surface))
        painter.setPen(QColor(theme.colours.muted))
        painter.drawText(end, Qt.AlignmentFlag.AlignCenter, "…")
        painter.end()
