"""Closing at any moment leaves nothing behind; the fixture that opens windows checks it."""

from __future__ import annotations

import gc
import threading
import time
import weakref

from PySide6.QtCore import QCoreApplication, QEvent, Qt

from workbench.coding import dictionaries

Key, Held = Qt.Key, Qt.KeyboardModifier
SLOW = ("digits-exemplar", "run.batch=2", "run.precision=float64")


def close(user) -> float:
    """Close as a user does; returns how long it took."""
    started = time.monotonic()
    user.press(Key.Key_Q, Held.ControlModifier)
    assert not user.window.isVisible()
    return time.monotonic() - started


def test_closing_in_mid_run(user, window):
    user.choose(window.transport.speed, "60 steps/s")
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "running")
    assert close(user) < 2


def test_closing_in_the_middle_of_a_slow_step(open_window, bare_system):
    user = open_window("digits-exemplar", "system.kind=bare", "system.seconds=0.5")
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "running")
    assert close(user) < 2


def test_closing_on_the_way_to_a_step_far_ahead(open_window, bare_system):
    user = open_window("digits-exemplar", "system.kind=bare", "system.seconds=0.1")
    user.press(Key.Key_End)
    user.wait(lambda: user.step >= 1)
    assert close(user) < 2


def test_closing_while_the_engine_loads(open_window):
    user = open_window("digits-exemplar", ready=False)
    assert user.window.workspace.snapshot is None
    assert close(user) < 5


def test_closing_while_preparing(open_window, monkeypatch):
    entered = threading.Event()
    build = dictionaries.build

    def slowly(*arguments, **more):
        entered.set()
        time.sleep(0.5)
        return build(*arguments, **more)

    monkeypatch.setattr(dictionaries, "build", slowly)
    user = open_window("digits-exemplar", ready=False)
    user.wait(entered.is_set)
    assert close(user) < 3


def test_closing_during_an_evaluation(open_window):
    user = open_window(*SLOW)
    user.press(Key.Key_E, Held.ControlModifier)
    user.wait(lambda: user.window.workspace.evaluation is not None)
    assert user.window.workspace.evaluating
    assert close(user) < 2


def test_closing_during_run_and_evaluation_after_many_changes(open_window):
    user = open_window(*SLOW)
    user.press(Key.Key_E, Held.ControlModifier)
    user.press(Key.Key_Space)
    for text in ("1.5", "1.4", "1.3"):
        user.write(user.field("system.threshold").text, text)
    user.choose(user.field("dictionary.kind").combo, "random")
    user.window.workspace.history.mark_saved()
    assert close(user) < 3


def test_closing_with_a_complaint_open(user, window):
    window.complain("The printer is on fire.")
    window.close_for_good()
    assert not window.isVisible()


def test_closing_twice_is_closing_once(user, window):
    assert window.close()
    assert window.close()


def test_a_closed_window_leaves_neither_window_nor_recording_in_memory(open_window, themed_app):
    user = open_window("digits-exemplar")
    user.go_to(30)
    window, user.window = user.window, None
    kept = [
        weakref.ref(window),
        weakref.ref(window.workspace),
        weakref.ref(window.workspace.snapshot.recording),
        weakref.ref(window.views["traces"]),
    ]
    opened = open_window.users
    opened.clear()
    window.close_for_good()
    window.deleteLater()
    del window, user
    themed_app.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    left = [ref() for ref in kept if ref() is not None]
    assert not left, f"kept by {[type(r) for thing in left for r in gc.get_referrers(thing)]}"
