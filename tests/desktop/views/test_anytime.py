"""Anytime accuracy."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis.anytime_figure import settled_at

SMALL = ("digits-exemplar", "data.train=300", "data.test=60", "system.steps=40")
small = pytest.mark.parametrize("user", [SMALL], indirect=True)


def evaluated(user):
    user.do("evaluate")
    user.wait(lambda: not user.window.workspace.evaluating)
    view = user.bring_up("anytime")
    user.settle()
    return view


@small
def test_it_says_what_to_do_and_then_shows_each_decoder(user, window):
    view = user.bring_up("anytime")
    assert view._empty.text() == "Evaluate the test set (Ctrl+E) to see how early it is right."
    assert not view.widget.isVisible() and view.figure() is None
    view = evaluated(user)
    assert view.widget.isVisible() and not view._empty.isVisible()
    found = window.workspace.evaluation.accuracy_by_step
    words = []
    for name in ("sum", "max"):
        x, y = view._curves[name].getData()
        np.testing.assert_array_equal(x, np.arange(41))
        np.testing.assert_array_equal(y, 100 * found[name])
        settled = settled_at(found[name])
        assert view._dots[name].getData()[0].tolist() == [settled]
        percent = 100 * window.workspace.evaluation.accuracy[name]
        words.append(f"{name} {percent:.1f} %, within 0.5 % from step {settled}")
        label = view._legend.getLabel(view._curves[name]).text
        assert label == f"{name} {percent:.1f} % · from {settled}"
    assert view.accessibleDescription() == " · ".join(words)
    columns, rows = view.table()
    assert columns == ["step", "max", "sum"]
    np.testing.assert_array_equal(rows[:, 2], found["sum"])


@small
def test_the_cursor_is_that_of_the_run_and_a_click_seeks(user, window):
    view = evaluated(user)
    user.go_to(17)
    assert view.cursor.value() == 17
    user.click_plot(view, 30, 50)
    assert user.step == 30 and view.cursor.value() == 30


@small
def test_a_result_of_other_settings_says_so(user, window):
    view = evaluated(user)
    assert "earlier" not in view.accessibleDescription()
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    assert view.accessibleDescription().endswith(" · of earlier settings")


@pytest.mark.parametrize("user", [("digits-random", *SMALL[1:])], indirect=True)
def test_neurons_without_classes_decide_nothing_and_the_view_says_so(user, window):
    view = evaluated(user)
    assert view._empty.text().startswith("Nothing to decide: the neurons have no classes")


@pytest.mark.parametrize("user", [(*SMALL, "run.batch=2", "run.precision=float64")], indirect=True)
def test_it_fills_while_the_test_set_is_coded(user, window):
    view = user.bring_up("anytime")
    window.workspace.evaluate()
    user.wait(lambda: "of 60 images" in view.accessibleDescription())
    window.workspace.cancel_evaluation()
    user.wait(lambda: not window.workspace.evaluating)
    user.settle()
    done = window.workspace.evaluation.done
    assert 0 < done < 60 and f"{done} of 60 images" in view.accessibleDescription()
