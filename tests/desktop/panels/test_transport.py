"""The transport: its buttons, the speed and the scrub bar."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt

from workbench.desktop.panels.transport import SPEEDS

Key, Held = Qt.Key, Qt.KeyboardModifier


def test_the_buttons_do_what_the_keys_do(user, window):
    buttons = window.transport.buttons
    for name, goal in (
        ("forward", 1),
        ("forward", 2),
        ("back", 1),
        ("last", 100),
        ("back", 99),
        ("first", 0),
    ):
        user.click(buttons[name])
        user.settle()
        assert user.step == goal
    assert not buttons["back"].isEnabled() and not buttons["first"].isEnabled()
    assert buttons["forward"].isEnabled()


def test_the_run_button_becomes_pause_and_back(user, window):
    button = window.transport.buttons["run"]
    assert button.accessibleName() == "Run"
    still = button.icon().pixmap(16).toImage()
    user.click(button)
    user.wait(lambda: user.state == "running")
    assert button.accessibleName() == "Pause"
    assert button.icon().pixmap(16).toImage() != still
    user.click(button)
    user.wait(lambda: user.state == "paused")
    assert button.accessibleName() == "Run"
    assert button.icon().pixmap(16).toImage() == still


def test_a_click_on_the_scrub_bar_goes_there_not_a_page_further(user, window):
    scrub = window.transport.scrub
    user.click(scrub, QPoint(scrub.width() // 2, scrub.height() // 2))
    user.settle()
    assert user.step == pytest.approx(50, abs=1)
    user.click(scrub, QPoint(scrub.width() // 4, scrub.height() // 2))
    user.settle()
    assert user.step == pytest.approx(25, abs=1)
    assert window.transport.step.text() == f"step {user.step} / 100"


def test_dragging_the_scrub_bar_shows_the_steps_on_the_way(user, window):
    seen = []
    window.workspace.statusChanged.connect(lambda status: seen.append(status.step))
    user.go_to(100)
    scrub = window.transport.scrub
    user.drag(scrub, 0.9, 0.8, 0.5)
    user.settle()
    assert user.step == pytest.approx(50, abs=2)
    assert scrub.value() == user.step
    assert user.state == "paused"
    seen.clear()
    user.drag(scrub, 0.0)
    user.settle()
    assert user.step == 0
    user.drag(scrub, 1.0)
    user.settle()
    assert user.step == 100 and user.state == "finished"


def test_dragging_while_it_runs_pauses_and_stays(user, window):
    user.press(Key.Key_Space)
    user.wait(lambda: user.step >= 5)
    user.drag(window.transport.scrub, 0.5, 0.6)
    user.settle()
    step = user.step
    assert user.state == "paused" and step == pytest.approx(60, abs=2)
    user.frames(5)
    assert user.step == step


def test_the_scrub_bar_follows_the_run(user, window):
    user.press(Key.Key_Space)
    user.wait(lambda: window.transport.scrub.value() >= 5)
    user.press(Key.Key_Space)
    user.settle()
    assert window.transport.scrub.value() == user.step


def test_keys_on_the_focused_scrub_bar_seek(user, window):
    scrub = window.transport.scrub
    scrub.setFocus()
    user.press(Key.Key_Right)
    user.press(Key.Key_Right)
    user.settle()
    assert user.step == 2
    user.press(Key.Key_End)
    user.settle()
    assert user.step == 100


def test_a_chosen_speed_stays_chosen_and_goes_into_the_document(user, window):
    speed = window.transport.speed
    for words, value in (*SPEEDS, SPEEDS[0]):
        user.choose(speed, words)
        assert window.workspace.document.view.speed == value
        assert speed.currentText() == words
    assert speed.count() == len(SPEEDS)


def test_the_speed_is_kept_to(user, window):
    user.choose(window.transport.speed, "200 steps/s")
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "finished")
    assert 80 <= window.workspace.status.rate <= 220


def test_the_speed_can_be_raised_while_it_runs(user, window):
    user.choose(window.transport.speed, "1 step/s")
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "running")
    user.choose(window.transport.speed, "fastest")
    user.wait(lambda: user.state == "finished")


@pytest.mark.parametrize("user", [("digits-exemplar", "view.speed=7.5")], indirect=True)
def test_a_speed_of_the_documents_own_is_offered(user, window):
    assert window.transport.speed.currentText() == "7.5 steps/s"


@pytest.mark.parametrize("user", [("digits-exemplar", "system.steps=0")], indirect=True)
def test_a_run_of_no_steps_can_be_looked_at(user, window):
    for name in ("back", "forward", "first", "last"):
        assert not window.transport.buttons[name].isEnabled()
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "finished")
    assert window.transport.step.text() == "step 0 / 0"
