"""The f–I curve."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from workbench.analysis.response import f_i_curve

LIF = ("lif-population", "system.steps=60", "system.encoding=direct")
lif = pytest.mark.parametrize("user", [LIF], indirect=True)


def settle(user) -> None:
    """Wait until the curve is there and drawn."""
    user.settle()
    view, workspace = user.window.views["fi"], user.window.workspace
    params = workspace.experiment.system.params
    user.wait(lambda: view.asker.latest and view.asker.latest.wish.system.params == params)
    user.wait(lambda: view.asker._thread is None)
    user.frames(3)


def bring_up(user, step: int):
    user.go_to(step)
    view = user.bring_up("fi")
    settle(user)
    return view


@lif
def test_the_curve_is_that_of_the_parameters_and_follows_them(user, window):
    view = bring_up(user, 20)
    for gain in (None, "4"):
        if gain:
            user.write(user.field("system.gain").text, gain)
            settle(user)
        expected = f_i_curve(window.workspace.experiment.system, 1.0)
        x, y = view._simulated.getData()
        np.testing.assert_array_equal(x, expected.current)
        np.testing.assert_array_equal(y, expected.simulated)
        np.testing.assert_array_equal(view._closed.getData()[1], expected.closed)
        assert x.max() == float(gain or 2)
        assert view.plot.viewRange()[1][1] > y.max()


@lif
def test_dots_are_the_neurons_of_the_run_up_to_the_cursor(user, window):
    view = bring_up(user, 60)
    experiment, sample = window.workspace.experiment, window.workspace.snapshot.sample
    signal = experiment.signals([sample])[0].numpy()
    for step in (60, 31, 45):
        user.go_to(step)
        settle(user)
        state = window.workspace.snapshot.state
        currents, rates = view._dots.getData()
        np.testing.assert_allclose(currents, 2 * signal, rtol=1e-6)
        np.testing.assert_allclose(rates, state.spike_total[0].numpy() / step)
        fired = int((state.spike_total > 0).sum())
        assert fired and view.accessibleDescription() == (
            f"{fired} of 64 neurons fired up to step {step}"
        )


@lif
def test_after_a_change_in_mid_run_only_what_came_since_counts(user, window):
    view = bring_up(user, 30)
    before = window.workspace.snapshot.state.spike_total[0]
    user.write(user.field("system.threshold").text, "0.5")
    settle(user)
    user.go_to(50)
    settle(user)
    state, record = window.workspace.snapshot.state, window.workspace.snapshot.recording
    assert record.course_start == 31
    _, rates = view._dots.getData()
    np.testing.assert_allclose(rates, (state.spike_total[0] - before).numpy() / 20)


@lif
def test_a_click_on_a_dot_selects_its_neuron(user, window):
    view = bring_up(user, 60)
    neuron = int(np.argmax(view._rates))
    pixel = view.plot.getViewBox().viewPixelSize()
    user.click_plot(view, view._currents[neuron] + 5 * pixel[0], view._rates[neuron])
    chosen = window.workspace.neuron
    assert (view._currents[chosen], view._rates[chosen]) == (
        view._currents[neuron],
        view._rates[neuron],
    )
    x, y = view._selected.getData()
    assert (x[0], y[0]) == (view._currents[chosen], view._rates[chosen])
    user.click_plot(view, 0.2, view._top)
    assert window.workspace.neuron == chosen and user.step == 60


@pytest.mark.parametrize("user", [("lif-population", "system.steps=60")], indirect=True)
def test_the_current_of_random_pulses_is_their_mean(user, window):
    view = bring_up(user, 60)
    experiment, sample = window.workspace.experiment, window.workspace.snapshot.sample
    np.testing.assert_allclose(
        view._dots.getData()[0], 2 * experiment.signals([sample])[0].numpy(), rtol=1e-6
    )
    assert (view._simulated.getData()[1][1:] > 0).sum() > (view._closed.getData()[1] > 0).mean()


@pytest.mark.parametrize("user", [(*LIF, "system.gain=0")], indirect=True)
def test_without_any_current_it_is_flat(user, window):
    view = bring_up(user, 10)
    assert not view._rates.any() and not view._simulated.getData()[1].any()
    assert view.figure() is not None


@lif
def test_another_system_has_no_such_curve(user, window):
    view = bring_up(user, 10)
    assert not window.area.docks["fi"].isHidden()
    user.choose(window.parameters.kind, "LCA")
    user.wait(lambda: window.workspace.experiment.system.kind == "lca")
    user.settle()
    assert window.area.docks["fi"].isHidden() and view.asker.latest is None
    user.do("undo")
    user.wait(lambda: window.workspace.experiment.system.kind == "lif")
    bring_up(user, 5)
    assert view.asker.latest.found is not None


@lif
def test_it_is_simulated_once_for_one_set_of_parameters(user, window, monkeypatch):
    view, asked = bring_up(user, 10), []
    monkeypatch.setattr(view.asker, "want", asked.append)
    user.go_to(20)
    user.do("next_sample")
    user.go_to(7)
    user.press(Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    user.frames(3)
    assert not asked
    assert view.table() is not None
