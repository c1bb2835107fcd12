"""The window in use: run, pause, step, seek, by keys and by buttons."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt

Key, Held = Qt.Key, Qt.KeyboardModifier


def test_space_runs_and_space_pauses(user, window):
    assert user.state == "paused"
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "running" and user.step >= 2)
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "paused")
    user.settle()
    assert 2 <= user.step < 100


def test_a_run_left_alone_finishes_and_says_why(user, window):
    user.choose(window.transport.speed, "fastest")
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "finished")
    assert user.step == 100
    assert window.facts.text().startswith("finished: all steps done")


def test_right_and_left_step_and_home_and_end_go_to_the_ends(user, window):
    user.press(Key.Key_Right)
    user.settle()
    assert user.step == 1
    user.press(Key.Key_Right, Held.ShiftModifier)
    user.settle()
    assert user.step == 11
    user.press(Key.Key_Left)
    user.settle()
    assert user.step == 10
    user.press(Key.Key_End)
    user.settle()
    assert user.step == 100
    user.press(Key.Key_Left, Held.ShiftModifier)
    user.settle()
    assert user.step == 90
    user.press(Key.Key_Home)
    user.settle()
    assert user.step == 0
