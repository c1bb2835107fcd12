"""The command palette: type a few letters of a command, press Return."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.desktop.theme import theme


class PaletteDialog(QDialog):
    """All actions, filtered by what is typed."""

    def __init__(self, actions: list[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Commands")
        self.setWindowFlags(Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(theme.px(420), theme.px(360))
        self.move(parent.mapToGlobal(QPoint((parent.width() - self.width()) // 2, theme.px(80))))
        self.text = QLineEdit(placeholderText="Type a command")
        self.text.setAccessibleName("Command to look for")
        self.list = QTreeWidget(columnCount=2, headerHidden=True, rootIsDecorated=False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.header().setStretchLastSection(False)
        self.list.setAccessibleName("Commands found")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(self.list)
        self._actions = [action for action in actions if action.isEnabled() and action.text()]
        self.text.textChanged.connect(self._filter)
        self.text.installEventFilter(self)
        self.list.itemClicked.connect(self._take)
        self._filter("")

    def _filter(self, text: str) -> None:
        self.list.clear()
        for action in self._actions:
            words = action.text().replace("&", "").replace("…", "").strip()
            if _matches(text.lower(), words.lower()):
                keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                item = QTreeWidgetItem(self.list, [words, keys])
                item.setData(0, Qt.ItemDataRole.UserRole, action)
        self.list.setCurrentItem(self.list.topLevelItem(0))

    def eventFilter(self, watched: Any, event: Any) -> bool:
        if event.type() == QEvent.Type.KeyPress:
            move = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(event.key())
            count = self.list.topLevelItemCount()
            if move is not None and count:
                row = self.list.indexOfTopLevelItem(self.list.currentItem()) + move
                self.list.setCurrentItem(self.list.topLevelItem(row % count))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)

    def _take(self, item: QTreeWidgetItem | None) -> None:
        if item is None:
            return
        action = item.data(0, Qt.ItemDataRole.UserRole)
        self.close()
        action.trigger()


def _matches(typed: str, words: str) -> bool:
    """Whether the typed letters occur in this order."""
    letters = iter(words)
    return all(letter in letters for letter in typed if letter != " ")
