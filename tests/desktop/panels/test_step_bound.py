"""The step against its bound, as the panel shows it, and how a run that converged ends."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from workbench.analysis.stability import Bound
from workbench.desktop.theme import theme

Key = Qt.Key
CONVERGING = ("digits-exemplar", "run.tolerance=0.02", "view.speed=null")


@pytest.fixture
def line(window):
    return window.parameters.step_bound


def test_it_says_step_bound_and_how_many_are_active(user, window, line):
    user.go_to(30)
    bound = window.workspace.runner.status.bound
    user.wait(lambda: f"({bound.active} active)" in line.text() and bound.active > 9)
    assert line.text() == f"η = 0.05 · bound {bound.limit:.2g} ({bound.active} active)"
    assert line.isVisible() and "2 / λ<sub>max</sub>(G)" in line.toolTip()
    assert line.sizeHint().width() <= line.width()  # nothing is cut


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    ("step", "level", "sign"),
    [(0.069, "", "·"), (0.071, "near", "·"), (0.1, "near", "·"), (0.101, "exceeded", ">")],
)
def test_it_is_amber_from_70_percent_on_and_red_beyond_the_bound(line, dark, step, level, sign):
    theme.choose("dark" if dark else "light")
    line.show_bound(Bound(step, 0.1, 84))
    assert line.text() == f"η = {step:.2g} {sign} bound 0.1 (84 active)"
    colours = {"": "text", "near": "warning", "exceeded": "error"}
    line.ensurePolished()
    shown = line.palette().color(line.foregroundRole()).name()
    assert shown == getattr(theme.colours, colours[level])


def test_a_system_without_a_bound_shows_none(user, window, line):
    user.wait(lambda: line.isVisible())
    window.workspace.set_value("system.kind", "lif")
    user.wait(lambda: not line.isVisible())
    window.workspace.set_value("system.kind", "lca")
    user.wait(lambda: line.isVisible() and "(0 active)" in line.text())


def test_an_unstable_step_is_red_at_the_step_where_the_window_warns(open_window):
    user = open_window("digits-unstable")
    user.go_to(6)
    line = user.window.parameters.step_bound
    user.wait(lambda: " > bound " in line.text())
    assert "oscillating" in user.window.alarm.text()


def test_a_run_that_converged_says_so_and_goes_on_when_asked(open_window):
    user = open_window(*CONVERGING)
    window = user.window
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "finished")
    user.settle()
    step = user.step
    assert 8 < step < 100 and "finished: converged" in window.facts.text()
    user.wait(lambda: window.said.text().startswith(f"Converged at step {step}: the energy is at"))
    scrub = window.transport.scrub
    assert (scrub.value(), scrub.maximum()) == (step, 100)
    assert window.transport.step.text() == f"step {step} / 100"
    user.press(Key.Key_Space)
    user.wait(lambda: user.step == 100 and user.state == "finished")
    assert "all steps done" in window.facts.text()
    user.press(Key.Key_Home)
    user.settle()
    assert user.step == 0


def test_a_tolerance_is_off_until_it_is_typed(user, window):
    field = user.field("run.tolerance")
    assert (field.text.text(), field.text.placeholderText()) == ("", "off")
