"""The window in use: run, pause, step and seek by keys and buttons, and when things go wrong."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import Qt

from workbench.desktop.views.traces import TracesView
from workbench.document import shipped

Key, Held = Qt.Key, Qt.KeyboardModifier


# -- running -------------------------------------------------------------------------------------


def test_space_runs_and_space_pauses(user):
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


def test_running_again_after_the_end_begins_at_the_start(user):
    user.press(Key.Key_End)
    user.settle()
    assert user.state == "finished"
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "running" and user.step < 50)


@pytest.mark.parametrize("extra", [Held.NoModifier, Held.KeypadModifier], ids=["pc", "mac"])
def test_arrows_step_and_home_and_end_go_to_the_ends(user, extra):
    """On a Mac the arrows say that they belong to the keypad."""
    for key, shift, goal in (
        (Key.Key_Right, Held.NoModifier, 1),
        (Key.Key_Right, Held.ShiftModifier, 11),
        (Key.Key_Left, Held.NoModifier, 10),
        (Key.Key_End, Held.NoModifier, 100),
        (Key.Key_Left, Held.ShiftModifier, 90),
        (Key.Key_Home, Held.NoModifier, 0),
        (Key.Key_Left, Held.NoModifier, 0),
    ):
        user.press(key, shift | extra)
        user.settle()
        assert user.step == goal


def test_a_step_while_it_runs_pauses_it(user):
    user.press(Key.Key_Space)
    user.wait(lambda: user.step >= 3)
    user.press(Key.Key_Right)
    user.settle()
    assert user.state == "paused"


def test_a_key_back_counts_before_the_window_knows_of_the_step_on(user, window):
    """As on a busy machine: the status is still that of step 0, where nothing goes back."""
    back, forward = (window.actions_by_name[name] for name in ("back", "forward"))
    assert not back.isEnabled()
    for _ in range(3):
        forward.trigger()
    assert back.isEnabled() and user.step == 0
    back.trigger()
    user.settle()
    assert user.step == 2
    window.actions_by_name["first"].trigger()
    user.settle()
    assert user.step == 0 and not back.isEnabled()


def test_keys_pressed_faster_than_the_eye_all_count(user):
    for _ in range(25):
        user.press(Key.Key_Right)
    user.frames(1)
    for _ in range(5):
        user.press(Key.Key_Left)
    user.settle()
    assert user.step == 20


def test_restart_begins_a_new_record_at_step_0(user, window):
    user.go_to(60)
    user.press(Key.Key_R, Held.ControlModifier)
    user.settle()
    assert (user.step, window.workspace.status.head, user.state) == (0, 0, "paused")


def test_escape_cancels_the_run(user, window):
    user.press(Key.Key_Space)
    user.wait(lambda: user.step >= 2)
    user.press(Key.Key_Escape)
    user.wait(lambda: user.state == "finished")
    assert window.facts.text().startswith("finished: cancelled")


def test_escape_calls_off_a_long_seek(open_window, bare_system):
    user = open_window("digits-exemplar", "system.kind=bare", "system.seconds=0.1")
    user.press(Key.Key_End)
    user.wait(lambda: user.step >= 2)
    user.press(Key.Key_Escape)
    user.settle()
    assert 2 <= user.step < 25


def test_bare_keys_work_again_after_typing_into_a_field(user, window):
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    user.click(window.views["traces"].header.title)
    user.press(Key.Key_Right)
    user.settle()
    assert user.step == 1
    assert user.field("system.threshold").text.text() == "1.5"
    user.click(window.samples.heading)  # the rail scrolls, but it does not keep the arrows
    user.press(Key.Key_Right)
    user.settle()
    assert user.step == 2


def test_space_after_return_in_a_field_runs_instead_of_typing_a_space(user):
    field = user.field("system.threshold").text
    user.write(field, "1.5")
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "running")
    assert field.text() == "1.5"


def test_the_status_bar_says_state_memory_and_fingerprint(user, window):
    user.go_to(40)
    words = window.facts.text()
    assert words.startswith("paused")
    assert " of 512 MB" in words
    assert f"fingerprint {window.workspace.status.fingerprint[:8]}" in words
    assert window.workspace.status.fingerprint in window.facts.toolTip()
    assert window.transport.step.text() == "step 40 / 100"


def test_the_next_and_the_previous_image_by_keys(user, window):
    user.press(Key.Key_Right, Held.ControlModifier)
    user.press(Key.Key_Right, Held.ControlModifier)
    user.press(Key.Key_Left, Held.ControlModifier)
    user.settle()
    assert window.workspace.snapshot.sample == 1
    assert user.step == 0


def test_a_recording_beyond_its_memory_is_thinned_and_still_exact(user, window):
    expected = {}
    for step in (33, 67, 100):
        user.go_to(step)
        expected[step] = window.workspace.status.fingerprint
    window.workspace.runner._cursor._budget = 200_000  # bytes; the run takes three times as much
    user.press(Key.Key_R, Held.ControlModifier)
    user.go_to(100)
    record = window.workspace.snapshot.recording
    assert record.spacing > 1 and record.bytes_used <= 200_000
    traces = window.views["traces"]
    assert f"one step in {record.spacing} drawn" in traces.accessibleDescription()
    assert len(traces.table()[1]) == 1 + 100 // record.spacing
    assert len(window.views["terms"].table()[1]) == 101  # small things are kept of every step
    for step, fingerprint in expected.items():
        user.go_to(step)
        assert window.workspace.status.fingerprint == fingerprint


# -- trouble -------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [("digits-unstable",)], indirect=True)
def test_an_unstable_session_raises_the_alarm_in_words(user, window):
    assert not window.alarm.isVisible()
    user.press(Key.Key_End)
    user.settle()
    assert window.alarm.isVisible()
    assert "oscillating" in window.alarm.text()
    assert "Use Δt = " in window.alarm.text()
    assert window.facts.text().startswith("finished: diverged")
    user.click_plot(window.views["traces"], user.step, 0.5)  # nothing to choose from there
    user.press(Key.Key_R, Held.ControlModifier)
    user.settle()
    assert not window.alarm.isVisible()


@pytest.mark.parametrize("user", [("digits-unstable",)], indirect=True)
def test_one_click_mends_an_unstable_run(user, window):
    user.press(Key.Key_End)
    user.settle()
    remedy = window.workspace.status.remedy
    total = window.workspace.snapshot.recording.summary("energy")[:, 2].copy()
    assert total[remedy.step + 1] > total[: remedy.step + 1].min()
    kept = window.workspace.snapshot.recording.digest(remedy.step)
    assert window.alarm.remedy.isVisible()
    words = f"Use Δt = {remedy.time_step:g} "
    assert words in window.alarm.text() and words in window.alarm.remedy.text()
    user.click(window.alarm.remedy)
    user.wait(lambda: user.state == "finished")
    user.settle()
    assert window.workspace.document.system["time_step"] == remedy.time_step
    assert not window.alarm.isVisible()
    recording = window.workspace.snapshot.recording
    mended = recording.summary("energy")[:, 2]
    assert recording.digest(remedy.step) == kept
    assert mended[-1] < mended[0] and (np.diff(mended[remedy.step :]) <= 1e-5).all()
    user.press(Key.Key_Z, Held.ControlModifier)  # the document's change can be undone
    user.settle()
    assert window.workspace.document.system.get("time_step", 1.0) == 1.0


@pytest.mark.parametrize("user", [("digits-unstable",)], indirect=True)
def test_the_alarm_stays_when_another_session_is_refused(user, window):
    user.press(Key.Key_End)
    user.settle()
    assert window.files.open(shipped()["mnist-exemplar"])
    user.wait(lambda: user.complaints)
    user.dismiss()
    user.settle()
    assert window.alarm.isVisible()
    assert window.files.open(shipped()["digits-exemplar"])
    user.settle()
    assert not window.alarm.isVisible()


def test_a_failing_step_is_shown_and_the_window_lives_on(open_window, bare_system, expected_logs):
    expected_logs.append("the run failed")
    user = open_window("digits-exemplar", "system.kind=bare", "system.fails_at=4")
    window = user.window
    user.press(Key.Key_End)
    user.wait(lambda: user.state == "failed")
    assert window.facts.text().startswith("failed: RuntimeError: the neurons went on strike")
    user.press(Key.Key_Left)
    user.settle()
    assert (user.step, user.state) == (2, "paused")
    path = shipped()["lif-population"]
    assert window.files.open(path)
    user.settle()
    assert window.workspace.experiment.system.kind == "lif"
    user.press(Key.Key_Right)
    user.settle()
    assert (user.step, user.state) == (1, "paused")


def test_a_system_that_declares_next_to_nothing_is_shown(open_window, bare_system):
    user = open_window("digits-exemplar", "system.kind=bare")
    user.press(Key.Key_End)
    user.settle()
    assert user.state == "finished"
    shown = [name for name, view in user.window.views.items() if user.window._on_screen(view)]
    assert "raster" in shown
    user.window.workspace.select_neuron(3)
    user.settle()
    assert user.window.inspector.heading.text() == "Neuron 3"


def test_a_data_set_without_its_folder_is_one_complaint_and_the_run_before_goes_on(user, window):
    user.go_to(30)
    before = window.workspace.status.fingerprint
    window.workspace.select_neuron(7)
    user.choose(user.field("data.dataset").combo, "mnist")
    user.wait(lambda: user.complaints)
    user.settle()
    line = user.dismiss()
    assert "data.root" in line and "\n" not in line
    user.settle()
    assert not user.complaints
    assert user.field("data.dataset").combo.currentText() == "digits"
    assert window.workspace.document.data.dataset == "digits"
    assert window.workspace.neuron == 7  # what is shown stays as it was
    assert window.workspace.status.fingerprint == before
    user.press(Key.Key_Right)
    user.settle()
    assert user.step == 31
    assert not user.complaints


def test_a_refused_change_is_not_waiting_in_the_undo_history(user, window):
    user.choose(user.field("data.dataset").combo, "mnist")
    user.wait(lambda: user.complaints)
    user.dismiss()
    assert not window.actions_by_name["undo"].isEnabled()
    assert not window.isWindowModified()
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    assert not user.complaints  # the old one does not come back
    user.do("undo")
    user.settle()
    assert not user.complaints
    assert window.workspace.document.system["threshold"] == 2.0


def test_the_same_complaint_is_not_stacked(user, window):
    window.complain("The disk is full.")
    window.complain("The disk is full.")
    assert len(user.complaints) == 1
    window.complain("The printer is on fire.")
    assert len(user.complaints) == 2


# -- what it costs -------------------------------------------------------------------------------


def test_a_slow_system_does_not_hold_up_the_window(open_window, bare_system):
    user = open_window("digits-exemplar", "system.kind=bare", "system.seconds=0.2")
    user.press(Key.Key_Space)
    user.wait(lambda: user.step >= 1)
    step, drawn, started = user.step, user.drawn, time.monotonic()
    user.click(user.window.views["raster"].header.help)  # answered in the middle of a step
    assert time.monotonic() - started < 0.15
    popup = user.window.views["raster"].findChild(object, "help")
    assert popup.isVisible()
    popup.close()
    user.wait(lambda: user.step >= step + 5)
    assert user.drawn - drawn > 25  # of about 60; a waiting window would draw 5


def test_closed_views_are_neither_drawn_nor_watched(user, window, monkeypatch):
    watched = set(window.workspace.runner._watched)
    assert {"membrane_potential"} <= watched
    user.press(Key.Key_2, Held.ControlModifier)  # the inspector looks at neurons too
    for dock in window.area.docks.values():
        dock.close()
    window.area.docks["counts"].show()
    user.settle()
    assert window.workspace.runner._watched == frozenset()
    drawn = []
    monkeypatch.setattr(TracesView, "draw", lambda self, snapshot: drawn.append(snapshot.step))
    user.press(Key.Key_Right)
    user.settle()
    assert not drawn
    assert set(window.workspace.snapshot.observed) == set()
    window.area.docks["traces"].show()
    user.settle()
    assert set(drawn) == {1}


def test_a_folded_inspector_watches_nothing(user, window):
    window.workspace.select_neuron(3)
    user.settle()
    with_inspector = set(window.workspace.runner._watched)
    user.press(Key.Key_2, Held.ControlModifier)
    assert not window.side.isVisible()
    user.settle()
    assert set(window.workspace.runner._watched) < with_inspector
    user.press(Key.Key_2, Held.ControlModifier)
    user.settle()
    assert set(window.workspace.runner._watched) == with_inspector
    assert window.inspector.heading.text().startswith("Neuron 3")


def test_a_view_behind_another_tab_is_not_watched(user, window):
    user.bring_up("images")
    assert "reconstruction" in window.workspace.runner._watched
    user.bring_up("atoms")
    assert "reconstruction" not in window.workspace.runner._watched
