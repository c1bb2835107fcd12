"""Two branches under one cursor."""

from __future__ import annotations

import numpy as np
import pytest

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


@pytest.fixture
def compared(open_window):
    """A person who forked at step 15 and looks at the comparison."""
    user = open_window(*SMALL)
    user.go_to(40)
    user.go_to(15)
    user.write(user.field("system.time_constant").text, "25")
    user.settle()
    user.go_to(40)
    user.press(user.window.actions_by_name["compare"].shortcut()[0].key())
    view = user.bring_up("compare")
    user.wait(lambda: "part at step" in view.accessibleDescription())
    user.settle()
    return user, view


def test_it_says_how_to_fill_it(user, window):
    view = user.bring_up("compare")
    assert view._empty.isVisible() and "fork (B)" in view._empty.text()


def test_settings_that_differ_and_the_step_at_which_they_part(compared):
    user, view = compared
    text = view.words.text()
    assert (
        "time constant" in text
        and "25" in text
        and "threshold" not in text.replace("threshold 2", "")
    )
    assert "They part at step 16: neuron" in text
    assert view.accessibleDescription() == "with trunk · part at step 16"


def test_a_long_name_does_not_widen_the_view_beyond_its_dock(compared):
    user, view = compared
    branching = user.window.workspace.branching
    branching.keep(branching.current.number, "a_session_with_a_name_" + 20 * "that_goes_on_")
    user.settle()
    user.frames(2)
    assert "a_session_" in view.words.text() and "…" in view.words.text()
    user.window.resize(1280, 800)
    user.frames(2)
    for inside in (view.words, view.widget):
        assert inside.width() <= view.width() <= view.parentWidget().width()


def test_the_curves_are_differences_of_potentials(compared):
    user, view = compared
    fork, trunk = (b.recording for b in user.window.workspace.branching.branches[::-1])

    def potentials(record):
        states = [(record.observer(k), record.state(k)) for k in range(41)]
        name = "membrane_potential"
        return np.stack([s.observe(x, (name,))[name][0].numpy() for s, x in states])

    expected = potentials(fork) - potentials(trunk)
    columns, rows = view.table()
    assert rows.shape == (41, 1 + len(view._neurons))
    np.testing.assert_allclose(rows[:, 1:], expected[:, view._neurons], atol=1e-6)
    least = np.sort(np.abs(expected[40]))[-12]
    assert (np.abs(expected[40, view._neurons]) >= least).all()
    assert view.figure().axes


def test_a_click_on_a_curve_selects_its_neuron(compared):
    user, view = compared
    steps, values = view._differences()
    column = int(np.abs(values[-1]).argmax())
    user.click_plot(view, 40, float(values[-1, column]))
    assert user.window.workspace.neuron in view._neurons


def test_equal_forks_are_said_to_be_equal(user, window):
    user.go_to(40)
    user.go_to(30)
    user.do("fork")
    user.settle()
    user.go_to(40)
    view = user.bring_up("compare")
    user.wait(lambda: "equal up to step 40" in view.accessibleDescription())
    assert "The settings are the same." in view.words.text()


def test_networks_with_other_neurons_are_not_subtracted(user, window):
    from workbench.document import shipped

    user.go_to(10)
    window.files.compare(shipped()["digits-random"])
    user.settle()
    view = user.bring_up("compare")
    user.settle()
    assert "not the same ones" in view.words.text() and not view.widget.isVisible()
    assert "dictionary kind" in view.words.text()


def test_what_is_not_drawn_is_not_exported(compared):
    from workbench.document import shipped

    user, view = compared
    assert view.table() is not None
    user.window.files.compare(shipped()["digits-random"])
    user.settle()
    assert (view.table(), view.figure()) == (None, None)
    user.window.workspace.branching.compare(0)
    user.settle()
    assert view.table() is not None
    user.window.workspace.branching.compare(None)
    user.settle()
    assert (view.table(), view.figure()) == (None, None)


def test_systems_without_potentials_are_compared_by_what_they_put_out(
    open_window, bare_system, tmp_path
):
    from workbench.document import load, shipped

    path = tmp_path / "bare.json"
    document = load(shipped()["digits-exemplar"]).changed(system={"kind": "bare"})
    path.write_text(document.to_json())
    user = open_window(path, *SMALL[1:3])
    user.go_to(20)
    user.go_to(10)
    user.do("fork")
    user.settle()
    user.go_to(20)
    view = user.bring_up("compare")
    user.wait(lambda: "equal up to step 20" in view.accessibleDescription())
    assert not view.widget.isVisible() and view.table() is None
