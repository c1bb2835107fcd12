"""Running until something happens, from the menu and the keyboard."""

from __future__ import annotations

from PySide6.QtCore import Qt

Key = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def enabled(window, name):
    return window.actions_by_name[f"until_{name}"].isEnabled()


def test_ctrl_f_runs_to_where_the_next_neuron_begins_to_fire(user, window):
    user.press(Key.Key_F, CTRL)
    user.wait(lambda: user.state == "paused" and user.step > 0)
    user.settle()
    spikes = window.workspace.snapshot.recording.spikes()
    step = user.step
    assert len(spikes[step]) and not any(len(index) for index in spikes[:step])
    assert user.said[-1].startswith(f"Step {step}: ")
    user.press(Key.Key_F, CTRL)
    user.wait(lambda: user.state == "paused" and user.step > step)
    spikes = window.workspace.snapshot.recording.spikes()
    assert set(spikes[user.step].tolist()) - set(spikes[user.step - 1].tolist())


def test_the_selected_neuron_must_be_selected_first(user, window):
    assert not enabled(window, "crosses") and enabled(window, "fires")
    user.press(Key.Key_F, CTRL)
    user.wait(lambda: user.state == "paused" and user.step > 0)
    fired = int(window.workspace.snapshot.recording.spikes()[user.step][0])
    user.press(Key.Key_Home)
    user.settle()
    window.workspace.select_neuron(fired)
    assert enabled(window, "crosses")
    user.press(Key.Key_F, CTRL | SHIFT)
    user.wait(lambda: user.state in ("paused", "finished") and user.step > 0)
    user.settle()
    assert user.said[-1] == f"Step {user.step}: neuron {fired} begins to fire"


def test_what_a_system_has_not_is_not_offered(user, window):
    assert enabled(window, "converges") and enabled(window, "rises")
    user.choose(window.parameters.kind, "LIF population")
    user.wait(lambda: window.workspace.experiment.system.kind == "lif")
    user.settle()
    assert not enabled(window, "converges") and not enabled(window, "rises")
    assert enabled(window, "fires")


def test_every_condition_has_a_command(window):
    from workbench.desktop.breakpoints import UNTIL
    from workbench.engine.breakpoints import BREAKPOINTS

    assert set(UNTIL) == set(BREAKPOINTS)
    for name in UNTIL:
        text = window.actions_by_name[f"until_{name}"].text()
        assert text == f"Run until {BREAKPOINTS[name].title}"
