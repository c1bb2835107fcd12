"""A person at a window: mouse, keyboard, and patience."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QMessageBox,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)

from workbench.desktop.panels.fields import Field
from workbench.desktop.window import Window

NO_KEY = Qt.KeyboardModifier.NoModifier
PATIENCE = 20_000  # milliseconds; a busy machine takes its time, a right one far less


class User:
    """A person at a window: mouse, keyboard, and the patience to wait for what they cause."""

    def __init__(self, qtbot: Any, window: Window) -> None:
        self.qtbot, self.window = qtbot, window
        self.said: list[str] = []  # every line the status bar has shown
        self.drawn = 0  # frames so far
        window.workspace.said.connect(self.said.append)
        window.clock._timer.timeout.connect(self._count_frame)

    def _count_frame(self) -> None:
        self.drawn += 1

    @property
    def state(self) -> str:
        """Name of the run's state."""
        return self.window.workspace.status.state.value

    @property
    def step(self) -> int:
        """Where the time cursor is."""
        return self.window.workspace.status.step

    @property
    def complaints(self) -> list[QMessageBox]:
        """The dialogs that say what is wrong, as far as they are open."""
        boxes = self.window.findChildren(QMessageBox, "complaint")
        return [box for box in boxes if box.isVisible()]

    def wait(self, happened: Callable[[], Any]) -> None:
        """Let the window live until something is so."""
        self.qtbot.waitUntil(lambda: bool(happened()), timeout=PATIENCE)

    def settle(self) -> None:
        """Wait until all that was asked of the runner is done and on the screen."""
        workspace, shown = self.window.workspace, None
        while workspace.runner.snapshot is not shown:  # drawing may ask for more observables
            done = threading.Event()
            workspace.runner.when_done(done.set)
            self.wait(
                lambda done=done: (
                    done.is_set()
                    and workspace.status is workspace.runner.status
                    and workspace.snapshot is workspace.runner.snapshot
                )
            )
            shown = workspace.snapshot
            self.frames(1)

    def frames(self, count: int) -> None:
        """Wait for some frames to be drawn."""
        target = self.drawn + count
        self.wait(lambda: self.drawn >= target)

    def press(self, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
        """Press a key where the focus is."""
        held = NO_KEY
        for modifier in modifiers:
            held |= modifier
        self.qtbot.keyClick(QApplication.focusWidget() or self.window, key, held)

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click a widget that can be seen, in the middle unless said otherwise."""
        assert widget.isVisible(), f"{widget} cannot be seen, so nobody can click it"
        button = Qt.MouseButton.LeftButton
        self.qtbot.mouseClick(widget, button, pos=at or widget.rect().center())

    def dismiss(self) -> str:
        """Read the one complaint there is, and click OK."""
        (box,) = self.complaints
        text = box.text()
        self.click(box.button(QMessageBox.StandardButton.Ok))
        self.wait(lambda: not self.complaints)
        self.activate()
        return text

    def activate(self) -> None:
        """Make the window the active one, as a window manager does when a popup closes."""
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)

    def double_click(self, widget: QWidget, at: QPoint) -> None:
        """Click twice in a row, as Qt reports it."""
        left = Qt.MouseButton.LeftButton
        self.qtbot.mouseClick(widget, left, pos=at)
        place, kind = QPointF(at), QEvent.Type.MouseButtonDblClick
        again = QMouseEvent(kind, place, widget.mapToGlobal(place), left, left, NO_KEY)
        QApplication.sendEvent(widget, again)
        self.qtbot.mouseRelease(widget, left, pos=at)

    def write(self, field: Any, text: str) -> None:
        """Replace what a text field holds and press Return."""
        self.click(field)
        field.selectAll()
        self.qtbot.keyClick(field, Qt.Key.Key_Delete)
        self.qtbot.keyClicks(field, text)
        self.qtbot.keyClick(field, Qt.Key.Key_Return)

    def choose(self, combo: Any, words: str) -> None:
        """Open a combo box with the mouse, go to an entry with the arrows, press Return."""
        target = combo.findText(words)
        assert target >= 0, (
            f"{words!r} is not among {[combo.itemText(i) for i in range(combo.count())]}"
        )
        self.click(combo)
        entries = combo.view()
        while entries.currentIndex().row() != target:
            down = entries.currentIndex().row() < target
            self.qtbot.keyClick(entries, Qt.Key.Key_Down if down else Qt.Key.Key_Up)
        self.qtbot.keyClick(entries, Qt.Key.Key_Return)
        self.wait(lambda: not entries.isVisible())
        self.frames(1)
        self.activate()

    def drag(self, slider: QSlider, *parts: float) -> None:
        """Take a slider by its handle, move it to these parts of its length, let go."""
        left = Qt.MouseButton.LeftButton
        self.qtbot.mousePress(slider, left, pos=_handle(slider).center())
        for part in parts:
            place = QPoint(round(part * (slider.width() - 1)), slider.height() // 2)
            move = QMouseEvent(
                QEvent.Type.MouseMove, place, slider.mapToGlobal(place), left, left, NO_KEY
            )
            QApplication.sendEvent(slider, move)
        self.qtbot.mouseRelease(slider, left, pos=place)

    def field(self, place: str) -> Any:
        """The row of a parameter, unfolded if need be."""
        row = self.window.parameters.findChild(Field, place)
        group = self.window.parameters.groups[place.split(".")[0]]
        if not row.isVisible() and group.isVisible():
            self.click(group.more)
        self.window.rail.ensureWidgetVisible(row)
        assert row.isVisible(), f"the row of {place} cannot be seen"
        return row

    def bring_up(self, name: str) -> Any:
        """Show a view in front of the others and wait until it is drawn."""
        dock, view = self.window.area.docks[name], self.window.views[name]
        dock.show()
        dock.raise_()
        self.wait(lambda: self.window._on_screen(view))
        self.settle()
        return view

    def click_plot(self, view: Any, x: float, y: float) -> None:
        """Click a plot at a place given in its own units."""
        scene = view.plot.getViewBox().mapViewToScene(QPointF(x, y))
        viewport = view.widget.viewport()
        self.qtbot.mouseClick(
            viewport, Qt.MouseButton.LeftButton, pos=view.widget.mapFromScene(scene)
        )
        self.settle()

    def do(self, name: str) -> None:
        """Trigger a command that is enabled."""
        action = self.window.actions_by_name[name]
        assert action.isEnabled(), f"{name} is grey"
        action.trigger()

    def go_to(self, step: int) -> None:
        """Put the cursor on a step and wait for the picture."""
        self.window.workspace.ask(lambda runner: runner.seek(step))
        self.settle()

    def find(self, name: str) -> QWidget:
        """The one visible widget with this accessible name."""
        found = [
            widget
            for widget in self.window.findChildren(QWidget)
            if widget.accessibleName() == name and widget.isVisible()
        ]
        assert len(found) == 1, f"{len(found)} widgets are called {name!r}"
        return found[0]


def _handle(slider: QSlider) -> QRect:
    """Where the handle of a slider is."""
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    part = QStyle.SubControl.SC_SliderHandle
    return slider.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, part, slider)
