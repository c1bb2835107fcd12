"""The dialog that forks with an edit."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from workbench.desktop.fork_dialog import ForkDialog
from workbench.desktop.panels.fields import Field

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


@pytest.fixture
def dialog(open_window):
    """A person before the dialog, at step 15 of a run of 40."""

    def make(*session):
        user = open_window(*(session or SMALL))
        user.go_to(40)
        user.go_to(15)
        user.press(Qt.Key.Key_B, Qt.KeyboardModifier.ShiftModifier)
        (found,) = user.window.findChildren(ForkDialog)
        user.wait(found.isVisible)
        return user, found

    return make


def field(dialog, name):
    (found,) = [f for f in dialog.findChildren(Field, f"edit.{name}") if f.isVisible()]
    return found


def test_an_occluded_input_drives_the_branch(dialog):
    user, found = dialog()
    window = user.window
    user.write(field(found, "width").text, "1")
    user.write(field(found, "left").text, "0")
    assert found.says.text() == "From step 16 on; what was recorded stays as it was."
    user.click(found.fork)
    user.settle()
    user.go_to(20)
    image = window.workspace.snapshot.observed["input"].reshape(8, 8)
    assert not image[2:6].any() and image.any()
    assert window.said.text() == "Input occluded, 100 × 40 % from step 16 on"
    assert not window.findChildren(ForkDialog) or not found.isVisible()


@pytest.mark.parametrize("step", [10, 40])
def test_the_preview_is_of_what_the_edit_changes_even_where_another_acts_on_screen(dialog, step):
    """Before the first edit, and after the end, a fork has the input as it was chosen."""
    user, found = dialog()
    user.click(found.fork)
    user.settle()
    user.go_to(40)
    user.go_to(step)
    workspace = user.window.workspace
    plain, occluded = workspace.snapshot.branch.source.image, workspace.snapshot.input.image
    assert not np.array_equal(plain, occluded)
    again = ForkDialog(workspace, user.window)
    again.open()
    user.choose(again.choice, "Shift the input")
    before, after = again._edit().preview(*again._before())
    np.testing.assert_array_equal(before, plain)
    user.click(again.fork)
    user.settle()
    np.testing.assert_array_equal(workspace.snapshot.input.image, after)


def test_while_the_run_goes_on_the_dialog_says_where_the_fork_would_be(open_window):
    user = open_window(*SMALL)
    user.window.workspace.ask(lambda runner: runner.set_speed(20.0))
    user.press(Qt.Key.Key_Space)
    user.wait(lambda: user.step >= 2)
    user.press(Qt.Key.Key_B, Qt.KeyboardModifier.ShiftModifier)
    (found,) = user.window.findChildren(ForkDialog)
    first = found.says.text()
    user.wait(lambda: found.says.text() not in (first, "") and user.step < 39)
    assert found.says.text().startswith(f"From step {user.step + 1} on")
    user.window.workspace.ask(lambda runner: runner.set_paused(True))
    user.settle()
    assert found.says.text().startswith(f"From step {user.step + 1} on")
    found.reject()


def test_the_selected_neuron_is_the_one_whose_atom_changes(dialog):
    user, found = dialog()
    user.window.workspace.select_neuron(7)
    user.choose(found.choice, "Occlude the input")
    user.choose(found.choice, "Add noise to an atom")
    assert field(found, "neuron").text.text() == "7"
    user.click(found.fork)
    user.settle()
    trunk, fork = user.window.workspace.branching.branches
    changed = (trunk.experiment.dictionary.atoms != fork.experiment.dictionary.atoms).any(1)
    assert np.flatnonzero(changed.numpy()).tolist() == [7]


def test_what_is_wrong_is_said_in_the_dialog_and_cannot_be_forked(dialog):
    user, found = dialog()
    user.write(field(found, "width").text, "7")
    assert found.says.text() == "width = 7.0: must be a number from 0 to 1"
    assert not found.fork.isEnabled()
    user.write(field(found, "width").text, "0.5")
    assert found.fork.isEnabled()
    user.choose(found.choice, "Drop an atom")
    user.write(field(found, "neuron").text, "300")
    assert found.says.text() == "neuron = 300: there are neurons 0 to 299"
    found.reject()
    assert len(user.window.workspace.branching.branches) == 1


def test_without_a_dictionary_only_the_input_can_be_edited(dialog):
    user, found = dialog("lif-population", "system.steps=40")
    titles = [found.choice.itemText(i) for i in range(found.choice.count())]
    assert titles == ["Occlude the input", "Add noise to the input", "Shift the input"]
    user.choose(found.choice, "Shift the input")
    user.click(found.fork)
    user.settle()
    assert user.window.workspace.branching.branches[1].edits[0].right == 1
