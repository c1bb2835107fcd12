"""The line below the evidence that says how the run decided."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from workbench.desktop.views.evidence import decided_at

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")
small = pytest.mark.parametrize("user", [SMALL], indirect=True)


def settle(user):
    user.settle()
    verdict = user.window.views["evidence"].verdict
    user.wait(lambda: verdict._asker._thread is None)
    user.frames(3)
    return verdict


@small
def test_it_says_when_and_by_which_atoms_and_a_click_selects_one(user, window):
    user.bring_up("evidence")
    user.go_to(40)
    verdict = settle(user)
    record, system = window.workspace.snapshot.recording, window.workspace.experiment.system
    evidence = record.summary("class_evidence")
    since, label = decided_at(evidence), int(evidence[-1].argmax())
    code = np.abs(system.observe(record.state(since), ("activation",))["activation"][0].numpy())
    mine = np.where(system.wiring.labels.numpy() == label, code, 0)
    strongest = int(mine.argmax())
    start = f"Decided “{label}” at step {since}, before "
    assert verdict.text().startswith(start) and f'<a href="{strongest}">' in verdict.text()
    named = verdict.text().count("<a ")
    part = 100 * np.sort(mine)[::-1][:named].sum() / mine.sum()
    assert verdict.text().endswith(f" {part:.0f} % of the evidence.")
    verdict.setFocus()
    user.press(Qt.Key.Key_Tab)  # to the first link, by the keyboard
    verdict.linkActivated.emit(str(strongest))
    user.settle()
    assert window.workspace.neuron == strongest
    assert window.inspector.heading.text().startswith(f"Neuron {strongest} ")


@small
def test_what_is_not_over_is_only_so_far(user, window):
    user.bring_up("evidence")
    user.go_to(0)
    assert settle(user).text() == ""
    user.go_to(30)
    assert settle(user).text().startswith("So far decided “")
    user.go_to(40)
    over = settle(user).text()
    assert over.startswith("Decided “")
    user.go_to(3)
    assert settle(user).text() == over  # it is about the whole record
    user.do("next_sample")
    user.go_to(0)
    assert settle(user).text() == ""


@small
def test_while_the_network_runs_it_is_silent_and_nothing_moves(user, window):
    view = user.bring_up("evidence")
    user.go_to(40)
    verdict = settle(user)
    place, height = verdict.geometry(), view.bars.height()
    user.choose(window.transport.speed, "60 steps/s")
    user.press(Qt.Key.Key_Space)
    user.wait(lambda: window.workspace.running and not verdict.text())
    user.wait(lambda: user.state == "finished")
    assert settle(user).text()
    assert verdict.geometry() == place and view.bars.height() == height


@pytest.mark.parametrize("user", [("digits-random", *SMALL[1:])], indirect=True)
def test_neurons_without_classes_have_no_verdict(user, window):
    user.bring_up("evidence")
    user.go_to(20)
    assert settle(user).text() == ""
