"""A student who clicks everything, quickly, in no order."""

from __future__ import annotations

import os
import random

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QWidget,
)

from workbench.document import shipped

Key, Left = Qt.Key, Qt.MouseButton.LeftButton
KEYS = [
    Key.Key_Space,
    Key.Key_Right,
    Key.Key_Left,
    Key.Key_Home,
    Key.Key_End,
    Key.Key_Escape,
    Key.Key_Tab,
    Key.Key_Return,
    Key.Key_Down,
    Key.Key_Delete,
]
TYPED = ["0", "1", "-1", "3.5", "1e9", "abc", "", "0.05", "30", "400", "none", "²"]
SEEDS = [int(s) for s in os.environ.get("WORKBENCH_MONKEY_SEEDS", "1,2").split(",")]
STROKES = int(os.environ.get("WORKBENCH_MONKEY_STROKES", "100"))


class Monkey:
    """Chooses what to do next."""

    def __init__(self, user, seed: int) -> None:
        self.user, self.window, self.random = user, user.window, random.Random(seed)

    def act(self) -> str:
        self._dismiss_popups()
        return self.random.choice(
            [self.press, self.click, self.click, self.trigger, self.turn, self.type, self.drag]
        )()

    def _dismiss_popups(self) -> None:
        """A dialog or a menu is up: any way out of it will do."""
        for _ in range(5):
            top = QApplication.activePopupWidget() or QApplication.activeModalWidget()
            if top is None:
                return
            if self.random.random() < 0.3 and isinstance(top.focusWidget(), QLineEdit):
                QTest.keyClicks(top.focusWidget(), self.random.choice("srexl"))
                QTest.keyClick(top.focusWidget(), Key.Key_Return)
            top.close()
            QApplication.processEvents()

    def _some(self, *kinds: type) -> QWidget | None:
        found = [
            widget
            for kind in kinds
            for widget in self.window.findChildren(kind)
            if widget.isEnabled() and not widget.visibleRegion().isEmpty()
        ]
        return self.random.choice(found) if found else None

    def _place(self, widget: QWidget) -> QPoint:
        inside: QRect = widget.visibleRegion().boundingRect()
        return QPoint(
            self.random.randint(inside.left(), inside.right()),
            self.random.randint(inside.top(), inside.bottom()),
        )

    def press(self) -> str:
        key = self.random.choice(KEYS)
        self.user.press(key)
        return f"press {key.name}"

    def click(self) -> str:
        widget = self._some(QAbstractButton, QWidget)
        QTest.mouseClick(widget, Left, pos=self._place(widget))
        return f"click {widget} {widget.accessibleName()}"

    def trigger(self) -> str:
        actions = [a for n, a in self.window.actions_by_name.items() if n != "quit"]
        actions += [d.toggleViewAction() for d in self.window.area.docks.values()]
        actions += self.window.files.examples_menu.actions()
        enabled = [action for action in actions if action.isEnabled() and action.isVisible()]
        action = self.random.choice(enabled)
        action.trigger()
        return f"trigger {action.text()}"

    def turn(self) -> str:
        combo = self._some(QComboBox)
        if combo is None:
            return "nothing to turn"
        key = self.random.choice([Key.Key_Down, Key.Key_Up])
        QTest.keyClick(combo, key)
        return f"turn {combo.accessibleName()} to {combo.currentText()}"

    def type(self) -> str:
        field = self._some(QLineEdit)
        if field is None:
            return "nowhere to type"
        text = self.random.choice(TYPED)
        field.selectAll()
        QTest.keyClick(field, Key.Key_Delete)
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Key.Key_Return)
        return f"type {text!r} into {field.accessibleName()}"

    def drag(self) -> str:
        slider = self._some(QAbstractSlider)
        if slider is None or not hasattr(slider, "initStyleOption"):
            return "nothing to drag"
        QTest.mousePress(slider, Left, pos=self._place(slider))
        QTest.mouseMove(slider, self._place(slider))
        QTest.mouseRelease(slider, Left, pos=self._place(slider))
        return f"drag {slider.accessibleName()}"


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_clicked_the_window_lives_and_answers(user, window, monkeypatch, seed):
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *a, **k: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a, **k: "")
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: True)
    discard = QMessageBox.StandardButton.Discard
    monkeypatch.setattr(QMessageBox, "question", lambda *a, **k: discard)
    monkey = Monkey(user, seed)
    done: list[str] = []
    for _ in range(STROKES):
        done.append(monkey.act())
        if monkey.random.random() < 0.2:
            user.frames(1)
    print("\n".join(done))  # shown if the test fails
    user.wait(lambda: window.workspace.status.state.value != "preparing")
    monkey._dismiss_popups()
    user.press(Key.Key_Escape)
    user.do("cancel_evaluation") if window.workspace.evaluating else None
    window.workspace.history.mark_saved()
    monkey._dismiss_popups()
    assert window.files.open(shipped()["digits-exemplar"])
    user.settle()
    monkey._dismiss_popups()
    user.go_to(5)
    assert (user.step, user.state) == (5, "paused")
    assert window.workspace.runner._thread.is_alive()
