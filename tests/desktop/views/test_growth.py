"""Exemplars that join a running dictionary, from the window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

NEW_CLASS = ("digits-new-class", "system.steps=40", "view.speed=null")


@pytest.fixture
def growth(user, window):
    view = user.bring_up("growth")
    user.settle()
    return view


def add(user, window, view, count):
    view.count.setText(str(count))
    user.click(view.button)
    user.wait(lambda: not window.workspace.growth.busy)
    user.settle()


@pytest.mark.parametrize("user", [NEW_CLASS], indirect=True)
def test_a_class_that_was_never_seen_is_decided_rightly_after_a_few_exemplars(user, window, growth):
    assert growth.classes.currentText() == "7"  # the one without exemplars is proposed
    before = len(window.workspace.experiment.dictionary)
    assert growth.header.summary.text() == f"{before} exemplars"
    add(user, window, growth, 20)
    workspace = window.workspace
    assert workspace.document.dictionary.added == "7=20"
    assert len(workspace.experiment.dictionary) == before + 20
    measured = workspace.growth
    assert measured.before.accuracy(7) == 0.0 and measured.after.accuracy(7) > 0.8
    assert measured.after.of_others(7) > measured.before.of_others(7) - 0.03
    assert measured.before.images[7] == (workspace.experiment.dataset.test.labels == 7).sum()
    assert growth.accessibleDescription().startswith("0.0 % → ")
    row = next(row for row in growth.rows._rows if row[0] == 7)
    assert row[2] == "20 of 152" and row[3] == 0.0 and row[4] == measured.after.accuracy(7)
    assert any("exemplars 7=20 added" in line for line in user.said)


@pytest.mark.parametrize("user", [NEW_CLASS], indirect=True)
def test_more_can_join_and_undo_takes_it_back(user, window, growth):
    add(user, window, growth, 3)
    add(user, window, growth, 2)
    assert window.workspace.document.dictionary.added == "7=5"
    table = growth.table()
    assert table[1][7].tolist()[:3] == [7, 5, 152] and len(table[0]) == table[1].shape[1]
    user.do("undo")
    user.settle()
    assert window.workspace.document.dictionary.added == "7=3"
    assert len(window.workspace.experiment.dictionary) == 1285 + 3
    user.do("undo")
    user.settle()
    assert window.workspace.document.dictionary.added is None


@pytest.mark.parametrize("user", [NEW_CLASS], indirect=True)
def test_more_than_there_are_is_refused_in_one_line_and_the_run_goes_on(user, window, growth):
    growth.count.setText("1000")
    user.click(growth.button)
    user.wait(lambda: user.complaints)
    assert "only 152 training images of class 7 are left" in user.dismiss()
    user.settle()
    assert window.workspace.document.dictionary.added is None
    user.wait(lambda: not window.workspace.growth.busy)
    assert growth.button.isEnabled() and window.workspace.growth.label is None
    add(user, window, growth, 4)
    assert window.workspace.document.dictionary.added == "7=4"


@pytest.mark.parametrize("user", [("digits-random", "data.train=300")], indirect=True)
def test_random_atoms_cannot_grow_and_the_view_says_so(user, window, growth):
    assert growth._empty.isVisible() and "Only a dictionary of exemplars" in growth._empty.text()


@pytest.mark.parametrize("user", [("lif-population", "system.steps=20")], indirect=True)
def test_a_system_without_a_dictionary_has_nothing_to_grow(user, window):
    assert not window.actions_by_name["grow"].isEnabled()


@pytest.mark.parametrize("user", [NEW_CLASS], indirect=True)
def test_the_keys_bring_it_up(user, window):
    user.press(Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    user.settle()
    assert window._on_screen(window.views["growth"])


@pytest.mark.parametrize("user", [NEW_CLASS], indirect=True)
def test_another_session_forgets_what_was_measured(user, window, growth):
    from workbench.document import load, shipped

    add(user, window, growth, 3)
    path = shipped()["digits-exemplar"]
    window.workspace.open(load(path), path)
    user.settle()
    assert window.workspace.growth.label is None and window.workspace.growth.before is None


@pytest.mark.parametrize("user", [NEW_CLASS], indirect=True)
def test_closing_in_the_middle_leaves_nothing_behind(user, window, growth):
    user.click(growth.button)
    window.close_for_good()  # the fixture looks for threads that are left
    assert not window.workspace.growth.busy


@pytest.mark.parametrize("user", [NEW_CLASS], indirect=True)
def test_return_adds_and_what_is_no_number_adds_nothing(user, window, growth):
    user.click(growth.count)
    growth.count.selectAll()
    user.qtbot.keyClicks(growth.count, "x7")
    assert growth.count.text() == "7"  # letters are not taken
    user.press(Qt.Key.Key_Return)
    user.wait(lambda: not window.workspace.growth.busy)
    user.settle()
    assert window.workspace.document.dictionary.added == "7=7"
    growth.count.clear()
    user.press(Qt.Key.Key_Return)
    user.click(growth.button)
    user.settle()
    assert window.workspace.document.dictionary.added == "7=7"


@pytest.mark.parametrize("user", [NEW_CLASS], indirect=True)
def test_what_is_measured_after_is_the_network_that_grew(user, window, growth):
    """Another change is still being prepared when exemplars are added."""
    window.workspace.set_value("dictionary.seed", 5)
    add(user, window, growth, 30)
    measured = window.workspace.growth
    assert len(window.workspace.experiment.dictionary) == 1285 + 30
    assert measured.before.accuracy(7) == 0.0 and measured.after.accuracy(7) > 0.8
