"""The inspector: all quantities of one neuron."""

from __future__ import annotations

import pytest

from workbench.desktop.views.base import plain


def rows(window) -> dict[str, str]:
    return {name: value.text() for name, value in window.inspector._rows.items()}


def test_a_selected_neuron_is_shown_with_all_its_quantities(user, window):
    user.go_to(40)
    spikes = window.workspace.snapshot.recording.spikes()
    neuron = int(spikes[40][0])
    window.workspace.select_neuron(neuron)
    user.settle()
    inspector, snapshot = window.inspector, window.workspace.snapshot
    dataset = snapshot.experiment.dataset
    label = int(snapshot.experiment.system.wiring.labels[neuron])
    assert inspector.heading.text() == f"Neuron {neuron} · “{dataset.class_names[label]}”"
    assert inspector.picture.isVisible()
    found = rows(window)
    observables = [o for o in snapshot.experiment.system.observables if o.axis == "neuron"]
    for observable in observables:
        name = f"{observable.title} {observable.symbol}".strip()
        value = snapshot.observed[observable.name][neuron]
        expected = ("yes" if value else "no") if value.dtype == bool else f"{value:.4g}"
        assert found[name].split()[0] == expected
    fired = [step for step, neurons in enumerate(spikes) if neuron in neurons]
    assert found["First fired at step"] == str(fired[0])
    assert found["Fired in"] == f"{len(fired)} of 41 steps"


def test_values_of_a_run_that_blew_up_beside_another_are_not_cut_off(open_window):
    user = open_window("digits-exemplar", "data.train=300", "data.test=40")
    user.go_to(60)
    user.go_to(0)
    user.window.workspace.set_value("system.time_constant", 2.0)
    user.go_to(20)
    window = user.window
    user.settle()
    assert "e+" in rows(window)["Membrane potential u"], rows(window)
    assert "(" in plain(rows(window)["Membrane potential u"])  # the same on the branch behind
    room = window.side.viewport().width()
    for value in window.inspector._rows.values():
        right = value.mapTo(window.side.viewport(), value.rect().topRight()).x()
        assert right <= room and value.sizeHint().width() <= value.width()


def test_the_values_follow_the_cursor(user, window):
    window.workspace.select_neuron(3)
    user.go_to(10)
    before = rows(window)
    user.go_to(11)
    assert rows(window) != before
    user.go_to(10)
    after = rows(window)
    after["Fired in"] = before["Fired in"]  # that counts what is recorded
    assert after == before


def test_the_count_begins_anew_when_the_run_is_forked(user, window):
    user.go_to(60)
    neuron = int(window.workspace.snapshot.recording.spikes()[60][0])
    window.workspace.select_neuron(neuron)
    user.settle()
    user.go_to(20)
    user.write(user.field("system.threshold").text, "1.9")
    user.settle()
    assert rows(window)["Fired in"].endswith("of 21 steps")


def test_a_selected_neuron_that_the_next_system_lacks_does_no_harm(user, window):
    window.workspace.select_neuron(1400)
    user.settle()
    assert window.inspector.heading.text().startswith("Neuron 1400")
    user.write(user.field("dictionary.atoms").text, "100")
    user.settle()
    assert not window.inspector.heading.text().startswith("Neuron 1400")
    user.go_to(20)
    user.do("undo")
    user.settle()
    assert window.inspector.heading.text().startswith("Neuron 1400")


@pytest.mark.parametrize("user", [("lif-population",)], indirect=True)
def test_a_neuron_without_atom_and_class_is_shown_too(user, window):
    window.workspace.select_neuron(20)
    user.go_to(30)
    assert window.inspector.heading.text() == "Neuron 20"
    assert not window.inspector.picture.isVisible()
    assert len(rows(window)) >= 4


def test_values_of_the_branch_behind_stand_beside_those_of_the_run(user, window):
    user.go_to(40)
    neuron = int(window.workspace.snapshot.recording.spikes()[40][0])
    user.go_to(20)
    window.workspace.select_neuron(neuron)
    user.do("drop_neuron")
    user.settle()
    user.go_to(40)
    trunk = window.workspace.branching.branches[0].recording
    u = trunk.observer(40).observe(trunk.state(40), ("membrane_potential",))
    expected = float(u["membrane_potential"][0, neuron])
    text = plain(window.inspector._rows["Membrane potential u"].text())
    assert text == f"0 ({expected:.4g})"
    assert plain(window.inspector._rows["Firing neurons"].text()) == "no (yes)"
    window.workspace.branching.compare(None)
    user.settle()
    assert window.inspector._rows["Membrane potential u"].text() == "0"
