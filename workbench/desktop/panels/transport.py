"""Run, pause, step, and the scrub bar."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction, QColor, QPainter
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QSpacerItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.desktop.icons import icon
from workbench.desktop.panels.timeline import NAMES, Timeline
from workbench.desktop.theme import theme
from workbench.desktop.workspace import Workspace

SPEEDS: tuple[tuple[str, float | None], ...] = (
    ("1 step/s", 1.0),
    ("5 steps/s", 5.0),
    ("20 steps/s", 20.0),
    ("60 steps/s", 60.0),
    ("200 steps/s", 200.0),
    ("fastest", None),
)


class ScrubBar(QSlider):
    """The time cursor; what is recorded is drawn thicker than what is still to come."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setAccessibleName("Time step")
        self.setToolTip("The time step shown in all views; drag to go back or on")
        self.setTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._head = 0

    def show_head(self, head: int) -> None:
        """The last recorded step."""
        if head != self._head:
            self._head = head
            self.update()

    def paintEvent(self, event: Any) -> None:
        super().paintEvent(event)
        if self.maximum() > 0:
            painter = QPainter(self)
            span = self.width() - theme.px(14)
            x = theme.px(7) + span * min(self._head / self.maximum(), 1.0)
            painter.fillRect(int(x) - 1, self.height() // 2 - 6, 2, 12, QColor(theme.colours.muted))

    def mousePressEvent(self, event: Any) -> None:
        """A click goes there, not a page further."""
        if event.button() == Qt.MouseButton.LeftButton:
            part = (event.position().x() - theme.px(7)) / max(1, self.width() - theme.px(14))
            self.setValue(round(part * self.maximum()))
        super().mousePressEvent(event)


class TransportPanel(QWidget):
    """The row below the views."""

    def __init__(self, workspace: Workspace, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._workspace = workspace
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(4)
        self.buttons: dict[str, QToolButton] = {}
        for name in ("first", "back", "run", "forward", "last"):
            button = QToolButton()
            button.setDefaultAction(actions[name])
            button.setAccessibleName(actions[name].text().replace("&", ""))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setIconSize(button.iconSize() * 1.0)
            self.buttons[name] = button
            row.addWidget(button)
        self.step = QLabel("step 0")
        self.step.setMinimumWidth(theme.px(120))
        row.addSpacing(8)
        row.addWidget(self.step)
        self.speed = QComboBox()
        self.speed.setAccessibleName("Speed of the run")
        self.speed.setToolTip("How fast the run goes")
        self.speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for words, value in SPEEDS:
            self.speed.addItem(words, value)
        self.speed.currentIndexChanged.connect(self._speed_chosen)
        row.addWidget(self.speed)
        self.scrub = ScrubBar()
        self.scrub.valueChanged.connect(self._scrubbed)
        self.timeline = Timeline(workspace)
        row.addSpacing(8)
        row.addLayout(self._times(), 1)
        workspace.statusChanged.connect(self._show_status)
        workspace.documentChanged.connect(self._show_document)
        theme.changed.connect(self._restyle)
        self._restyle()
        self._show_document(workspace.document)

    def _times(self) -> QVBoxLayout:
        """The branches above the slider, which is as long as their lines."""
        below = QHBoxLayout()
        below.addWidget(self.scrub, 1)
        self._beside = QSpacerItem(0, 0)
        below.addItem(self._beside)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self.timeline)
        column.addLayout(below)
        self._column = below
        return column

    def _restyle(self) -> None:
        for name, button in self.buttons.items():
            shown = "pause" if name == "run" and self._workspace.running else name
            button.defaultAction().setIcon(icon(shown, theme.colours.text))
        if self._workspace.status is not None:
            self._leave_room(self._workspace.status)

    def _leave_room(self, status: Any) -> None:
        """Beside the slider, for the names of the branches."""
        beside = theme.px(NAMES) if len(status.branches) > 1 else 0
        if beside != self._beside.sizeHint().width():
            self._beside.changeSize(beside, 0)
            self._column.invalidate()

    def _speed_chosen(self, index: int) -> None:
        self._workspace.amend_view("speed", self.speed.itemData(index))

    def _scrubbed(self, step: int) -> None:
        self._workspace.ask(lambda runner: runner.seek(step))

    def _show_status(self, status: Any) -> None:
        self.step.setText(f"step {status.step} / {status.steps}")
        blocker = QSignalBlocker(self.scrub)
        self.scrub.setRange(0, status.steps)
        if not self.scrub.isSliderDown():
            self.scrub.setValue(status.step)
        blocker.unblock()
        self.scrub.show_head(status.head)
        self._leave_room(status)
        running = status.state.value == "running"
        action = self.buttons["run"].defaultAction()
        words = "Pause" if running else "Run"
        if action.text() != words:
            action.setText(words)
            self.buttons["run"].setAccessibleName(words)
            self._restyle()

    def _show_document(self, document: Any) -> None:
        blocker = QSignalBlocker(self.speed)
        index = self.speed.findData(document.view.speed)
        if index < 0:
            self.speed.addItem(f"{document.view.speed:g} steps/s", document.view.speed)
            index = self.speed.count() - 1
        self.speed.setCurrentIndex(index)
        blocker.unblock()
