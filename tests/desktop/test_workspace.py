"""The document, the run and the evaluation behind the window, judged by the headless engine."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt

from workbench import cli
from workbench.document import Document, shipped
from workbench.engine.runner import Runner, RunState

Key, Held = Qt.Key, Qt.KeyboardModifier

SESSIONS = [
    ("digits-exemplar",),
    ("digits-random", "data.train=300"),
    ("lif-population", "system.steps=100"),
    ("lif-population", "system.steps=100", "system.encoding=poisson"),
]
IDS = ["exemplars", "random", "direct", "poisson"]


def headless(document: Document) -> list[str]:
    """The fingerprint after each step of a straight run without a window."""
    runner = Runner()
    try:
        runner.follow(document)
        runner.seek(10**6)
        runner.wait(RunState.FINISHED)
        record = runner.snapshot.recording
        return [record.digest(step) for step in range(record.head + 1)]
    finally:
        runner.close()


def side_by_side(window) -> None:
    """Every view of the system in a dock of its own, all of them on the screen."""
    system = type(window.workspace.experiment.system)
    window.resize(1900, 1500)
    for number, (name, dock) in enumerate(window.area.docks.items()):
        window.area.removeDockWidget(dock)
        if window.views[name].applies(system):
            sides = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
            window.area.addDockWidget(sides[number % 2], dock)
            dock.show()


@pytest.mark.parametrize("user", SESSIONS, ids=IDS, indirect=True)
def test_a_run_with_every_view_open_is_the_headless_run_step_by_step(user, window):
    side_by_side(window)
    user.settle()
    system = window.workspace.experiment.system
    views = [view for view in window.views.values() if view.applies(type(system))]
    assert all(window._on_screen(view) for view in views)
    needed = frozenset().union(*(view.needs(system) for view in views))
    assert needed and needed <= window.workspace.runner._watched
    expected = headless(window.workspace.document)
    for step in range(1, 9):  # by hand at first
        user.press(Key.Key_Right)
        user.settle()
        assert window.workspace.status.fingerprint == expected[step]
    user.choose(window.transport.speed, "fastest")
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "finished")
    record = window.workspace.snapshot.recording
    assert [record.digest(step) for step in range(record.head + 1)] == expected


@pytest.mark.parametrize("user", SESSIONS, ids=IDS, indirect=True)
def test_a_run_that_goes_back_and_forth_is_the_headless_run(user, window):
    expected = headless(window.workspace.document)
    shift = Held.ShiftModifier
    for keys in (
        [(Key.Key_Right, shift)] * 3,
        [(Key.Key_Left,)] * 4,
        [(Key.Key_Space,)],
        [(Key.Key_Home,)],
        [(Key.Key_Right,)] * 3,
    ):
        for key in keys:
            user.press(*key)
            user.frames(1)
    user.settle()
    assert user.step == 3
    assert window.workspace.status.fingerprint == expected[3]
    user.drag(window.transport.scrub, 0.6, 0.3, 0.5)
    user.settle()
    assert window.workspace.status.fingerprint == expected[user.step]
    user.press(Key.Key_End)
    user.settle()
    record = window.workspace.snapshot.recording
    assert [record.digest(step) for step in range(record.head + 1)] == expected


# -- changes of the document ---------------------------------------------------------------------


def test_a_parameter_changed_in_mid_run_acts_on_the_next_step_and_the_window_says_so(user, window):
    expected = headless(window.workspace.document)
    user.go_to(40)
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    assert (user.step, user.state) == (40, "paused")
    assert window.said.text() == "threshold 2 → 1.5 from step 41 on"
    assert window.workspace.status.fingerprint == expected[40]
    user.press(Key.Key_Right)
    user.settle()
    assert window.workspace.status.fingerprint != expected[41]
    assert window.workspace.experiment.system.params.threshold == 1.5


def test_a_parameter_changed_behind_the_head_says_that_the_trunk_stays(user, window):
    user.go_to(40)
    user.go_to(30)
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    assert window.said.text() == "threshold 2 → 1.5 from step 31 on; trunk stays as it was"
    assert window.workspace.status.head == 30


def test_a_parameter_changed_while_it_runs_does_not_stop_the_run(user, window):
    user.press(Key.Key_Space)
    user.wait(lambda: user.step >= 3)
    user.write(user.field("system.threshold").text, "1.5")
    step = user.step
    user.wait(lambda: user.step >= step + 3)
    assert user.state == "running"
    assert window.workspace.experiment.system.params.threshold == 1.5


@pytest.mark.parametrize("step", [0, 100], ids=["at the start", "after the end"])
def test_a_parameter_changed_at_either_end_restarts_the_run_and_the_window_says_so(
    user, window, step
):
    user.go_to(step)
    user.write(user.field("system.threshold").text, "1.5")
    stays = "; trunk stays as it was" if step else ""
    said = f"threshold 2 → 1.5 from the first step on{stays}"
    user.wait(lambda: window.said.text() == said)
    if step == 0:
        assert (user.step, user.state) == (0, "paused")
    else:  # it was over, so it shows what the change does
        user.wait(lambda: user.state == "running")
        user.wait(lambda: user.step < 50)


def test_the_document_of_a_restarted_run_gives_the_headless_fingerprint(user, window):
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    user.press(Key.Key_End)
    user.settle()
    assert window.workspace.status.fingerprint == headless(window.workspace.document)[-1]


def test_undo_and_redo_bring_value_and_panel_and_run_back(user, window):
    field = user.field("system.threshold")
    user.write(field.text, "1.5")
    user.write(user.field("system.time_constant").text, "30")
    user.settle()
    user.press(Key.Key_Z, Held.ControlModifier)
    user.settle()
    assert user.field("system.time_constant").text.text() == "20"
    assert field.text.text() == "1.5"
    user.press(Key.Key_Z, Held.ControlModifier)
    user.settle()
    assert field.text.text() == "2"
    assert window.workspace.experiment.system.params.threshold == 2.0
    assert not window.actions_by_name["undo"].isEnabled()
    user.press(Key.Key_Z, Held.ControlModifier, Held.ShiftModifier)
    user.settle()
    assert field.text.text() == "1.5"
    assert window.workspace.experiment.system.params.threshold == 1.5


def test_undo_leaves_the_image_the_neuron_and_the_layout_alone(user, window):
    user.write(user.field("system.threshold").text, "1.5")
    user.press(Key.Key_Right, Held.ControlModifier)
    window.workspace.select_neuron(5)
    user.choose(window.layout_choice, "Teach")
    user.settle()
    user.do("undo")
    user.settle()
    view = window.workspace.document.view
    assert (view.sample, view.neuron, view.layout) == (1, 5, "teach")
    assert window.layout_choice.currentText() == "Teach"
    assert window.workspace.snapshot.sample == 1


# -- the evaluation ------------------------------------------------------------------------------


def test_the_windows_evaluation_is_the_command_lines(user, window, capsys):
    user.press(Key.Key_E, Held.ControlModifier)
    user.wait(lambda: not window.workspace.evaluating)
    assert cli.main(["run", str(shipped()["digits-exemplar"]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    evaluation = window.workspace.evaluation
    assert evaluation.fingerprint == found["fingerprint"]
    assert evaluation.accuracy["sum"] == found["accuracy"]["sum"] >= 0.98


def test_the_evaluation_does_not_touch_the_run_on_screen(user, window):
    expected = headless(window.workspace.document)
    user.choose(window.transport.speed, "200 steps/s")
    user.press(Key.Key_Space)
    user.press(Key.Key_E, Held.ControlModifier)
    user.wait(lambda: not window.workspace.evaluating and user.state == "finished")
    assert window.workspace.status.fingerprint == expected[-1]


def test_another_session_does_not_inherit_the_evaluation_under_way(user, window, monkeypatch):
    user.choose(user.field("run.precision").combo, "float64")  # slower
    user.write(user.field("run.batch").text, "4")
    user.settle()
    user.do("evaluate")
    user.wait(lambda: window.workspace.evaluation is not None)
    window.workspace.history.mark_saved()
    assert window.files.open(shipped()["digits-random"])
    user.wait(lambda: not window.workspace.evaluating)
    user.settle()
    assert window.workspace.evaluation is None
    assert window.workspace.evaluated_document is None
    view = user.bring_up("confusion")
    assert view.header.summary.text() == "not evaluated yet"


# -- refused sessions ----------------------------------------------------------------------------


def test_a_session_that_cannot_be_prepared_leaves_the_open_one_as_it_was(user, window):
    user.write(user.field("system.threshold").text, "1.5")
    window.workspace.history.mark_saved()
    user.go_to(20)
    before, fingerprint = window.workspace.document, window.workspace.status.fingerprint
    path = window.workspace.path
    assert window.files.open(shipped()["mnist-exemplar"])  # it names no data folder
    user.wait(lambda: user.complaints)
    user.dismiss()
    user.settle()
    assert window.workspace.path == path
    assert window.windowTitle().startswith(path.stem)
    assert window.workspace.document == before
    assert window.workspace.status.fingerprint == fingerprint
    assert not window.isWindowModified()
    user.do("undo")  # the history is the old session's
    user.settle()
    assert window.workspace.document.system["threshold"] == 2.0


@pytest.mark.parametrize("asked", ["view.sample=5000", "dictionary.leave_out=x"])
def test_a_first_session_that_cannot_be_prepared_can_be_mended(open_window, asked):
    user = open_window("digits-exemplar", asked, ready=False)
    window = user.window
    user.wait(lambda: user.complaints)
    assert user.state == "failed"
    assert window.facts.text().startswith("failed: ")
    user.dismiss()
    place = asked.partition("=")[0]
    mended = {"view.sample": 3, "dictionary.leave_out": "3"}[place]
    if place == "view.sample":
        window.workspace.select_sample(mended)
    else:
        window.workspace.set_value(place, mended)
    user.wait(lambda: window.workspace.snapshot is not None)
    user.settle()
    assert user.state == "paused"
    assert not user.complaints
