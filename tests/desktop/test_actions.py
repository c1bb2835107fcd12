"""The table of the commands, and what the window makes of it."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMessageBox

from workbench.desktop.actions import COMMANDS, MENUS

Key, Held = Qt.Key, Qt.KeyboardModifier


def test_no_two_commands_share_a_shortcut_or_a_name():
    keys = [QKeySequence(command.keys).toString() for command in COMMANDS if command.keys]
    assert all(keys), "a shortcut that Qt does not understand"
    for what in (keys, [c.name for c in COMMANDS], [c.text for c in COMMANDS]):
        twice = [thing for thing, count in Counter(what).items() if count > 1]
        assert not twice


def test_no_shortcut_belongs_to_anything_else_in_the_window(user, window):
    shortcuts = Counter(
        sequence.toString()
        for action in set(window.findChildren(QAction))
        for sequence in action.shortcuts()
    )
    assert shortcuts == Counter(
        QKeySequence(command.keys).toString() for command in COMMANDS if command.keys
    )


def test_every_command_stands_in_its_menu(user, window):
    tops = {a.text(): a.menu() for a in window.menuBar().actions()}
    assert list(tops) == list(MENUS)
    for command in COMMANDS:
        assert window.actions_by_name[command.name] in tops[command.menu].actions()
    assert any(a.text() == "Views" for a in tops["View"].actions())


def test_a_bare_key_is_left_to_the_control_that_has_the_focus(user, window):
    field = user.field("system.threshold").text
    user.click(field)
    field.clear()
    for key in (Key.Key_1, Key.Key_Space, Key.Key_2, Key.Key_Left, Key.Key_Home):
        user.press(key)
    user.settle()
    assert field.text() == "1 2"
    assert (user.step, user.state) == (0, "paused")


def test_what_cannot_be_done_now_is_grey(open_window, user, window):
    def enabled() -> set[str]:
        return {n for n, action in window.actions_by_name.items() if action.isEnabled()}

    busy = {"cancel", "cancel_evaluation"}
    assert not enabled() & {"back", "back_ten", "first", "undo", "redo", *busy}
    assert enabled() >= {"run", "forward", "forward_ten", "last", "restart", "evaluate"}
    user.go_to(100)
    assert not enabled() & {"forward", "forward_ten", "last", *busy}
    assert enabled() >= {"run", "back", "back_ten", "first", "restart"}
    user.press(Key.Key_Space)
    user.wait(lambda: "cancel" in enabled())
    user.press(Key.Key_Space)
    user.wait(lambda: "cancel" not in enabled())


def test_nothing_can_be_run_before_the_engine_is_there(open_window):
    window = open_window("digits-exemplar", ready=False).window
    if window.workspace.snapshot is None:
        for name in ("run", "forward", "last", "restart", "evaluate", "cancel_evaluation"):
            assert not window.actions_by_name[name].isEnabled()


def test_the_sheet_of_keys_lists_every_shortcut(user, window):
    user.press(Key.Key_F1)
    (sheet,) = (box for box in window.findChildren(QMessageBox) if box.isVisible())
    assert sheet.windowTitle() == "Keyboard shortcuts"
    native = QKeySequence.SequenceFormat.NativeText
    for command in COMMANDS:
        if command.keys:
            assert command.text.replace("…", "") in sheet.text()
            assert QKeySequence(command.keys).toString(native) in sheet.text()
    sheet.close()


def test_about_says_what_this_is(user, window):
    user.do("about")
    (box,) = (box for box in window.findChildren(QMessageBox) if box.isVisible())
    assert "Workbench" in box.text()
    box.close()


def test_the_sides_fold_away_and_come_back(user, window):
    for name, side, key in (
        ("rail", window.rail, Key.Key_1),
        ("inspector", window.side, Key.Key_2),
    ):
        width = window.area.width()
        user.press(key, Held.ControlModifier)
        user.frames(1)
        assert not side.isVisible() and window.area.width() > width
        assert not window.actions_by_name[name].isChecked()
        user.press(key, Held.ControlModifier)
        user.frames(1)
        assert side.isVisible() and window.area.width() == width
