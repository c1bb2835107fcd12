"""What if: a slider that is held shows what its value would do; let go of, the run is that one."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from tests.desktop.user import NO_KEY, _handle

LEFT = Qt.MouseButton.LeftButton
SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=60")


def hold(user, slider):
    user.qtbot.mousePress(slider, LEFT, pos=_handle(slider).center())


def move(slider, part):
    place = QPoint(round(part * (slider.width() - 1)), slider.height() // 2)
    kind = QMouseEvent.Type.MouseMove
    event = QMouseEvent(kind, place, slider.mapToGlobal(place), LEFT, LEFT, NO_KEY)
    QApplication.sendEvent(slider, event)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
@pytest.mark.parametrize("step", [20, 60])
def test_the_ghost_is_the_run_that_letting_go_gives(user, window, step):
    user.go_to(60)
    user.go_to(step)
    workspace, before = window.workspace, window.workspace.document
    field = user.field("system.threshold")
    hold(user, field.slider)
    move(field.slider, 0.9)
    user.wait(lambda: workspace.ghost is not None and workspace.ghost.recording.head == 60)
    ghost = workspace.ghost.recording
    tried = workspace.what_if.document.system["threshold"]
    assert workspace.ghost.is_trial and workspace.document == before
    assert float(field.text.text()) == pytest.approx(tried)
    user.frames(2)
    drawn = window.views["terms"]._ghosts._curves[-1].getData()[1]
    np.testing.assert_array_equal(drawn, ghost.summary("energy")[:, 2].astype(float))
    assert len(workspace.branching.branches) == 1  # nothing happened to the run
    user.qtbot.mouseRelease(field.slider, LEFT, pos=_handle(field.slider).center())
    user.settle()
    user.go_to(60)
    assert workspace.document.system["threshold"] == tried
    run = workspace.snapshot.recording
    assert [run.digest(k) for k in range(61)] == [ghost.digest(k) for k in range(61)]
    assert not workspace.ghost.is_trial  # now the trunk is what it is drawn over


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_of_many_values_only_the_last_is_followed_to_the_end(user, window):
    user.go_to(60)
    field, workspace = user.field("system.threshold"), window.workspace
    hold(user, field.slider)
    for k in range(30):
        move(field.slider, 0.2 + 0.02 * k)
        user.qtbot.wait(1)
    last = workspace.what_if.document
    user.wait(lambda: workspace.ghost and workspace.ghost.recording.head == 60)
    time.sleep(0.05)
    assert workspace.ghost.recording.system.params.threshold == last.system["threshold"]
    user.qtbot.mouseRelease(field.slider, LEFT, pos=_handle(field.slider).center())
    user.settle()
    assert len(workspace.branching.branches) == 2


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_back_at_the_value_that_it_has_nothing_is_foreseen(user, window):
    user.go_to(60)
    workspace = window.workspace
    for value, foreseen in ((1.0, True), (2.0, False), (0.5, True)):
        assert workspace.what_if.try_value("system.threshold", value)
        user.frames(1)
        if foreseen:
            user.wait(lambda: workspace.ghost is not None and workspace.ghost.is_trial)
        else:
            assert workspace.ghost is None
    workspace.what_if.end()


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_while_it_runs_a_slider_turns_the_run_itself(user, window):
    window.workspace.ask(lambda runner: runner.set_speed(5.0))
    user.press(Qt.Key.Key_Space)
    user.wait(lambda: user.step >= 2)
    field = user.field("system.threshold")
    hold(user, field.slider)
    move(field.slider, 0.4)
    value = window.workspace.document.system["threshold"]
    assert value != 2.0 and window.workspace.ghost is None
    user.qtbot.mouseRelease(field.slider, LEFT, pos=_handle(field.slider).center())
    user.settle()
    assert user.state == "running"
    assert window.workspace.experiment.system.params.threshold == value


@pytest.mark.parametrize("user", [SMALL], indirect=True)
@pytest.mark.parametrize("way", ["next_sample", "back", "another system"])
def test_no_ghost_of_where_the_run_no_longer_is(user, window, way):
    """Keys work while a slider is held; the ghost of another network must not be drawn."""
    user.go_to(40)
    for name in ("traces", "raster"):
        user.bring_up(name)
    workspace, field = window.workspace, user.field("system.threshold")
    hold(user, field.slider)
    move(field.slider, 0.9)
    user.wait(lambda: workspace.ghost is not None and workspace.ghost.recording.head == 60)
    if way == "another system":
        workspace.set_value("system.kind", "lif")
    else:
        user.do(way)
    user.settle()
    assert workspace.ghost is None
    user.frames(2)  # nothing is logged


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_window_that_is_closed_while_a_slider_is_held_leaves_nothing_behind(user, window):
    user.go_to(60)
    field = user.field("system.time_constant")
    hold(user, field.slider)
    move(field.slider, 0.9)
    window.close_for_good()
