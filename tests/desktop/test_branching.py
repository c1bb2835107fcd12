"""Branches in the window: forked by turning the past, drawn over, gone to, kept, thrown away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QInputDialog

from tests.desktop.user import NO_KEY
from workbench.desktop.panels.timeline import NAMES, ROW
from workbench.desktop.theme import theme
from workbench.document import load, save, shipped

Key = Qt.Key
SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


@pytest.fixture
def forked(open_window):
    """A person whose run was forked at step 15, by a threshold, and ran on to the end."""
    user = open_window(*SMALL)
    user.go_to(40)
    user.go_to(15)
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    user.go_to(40)
    return user


def lines(user):
    return user.window.transport.timeline.lines


def row(user, index):
    """A place on the line of a branch."""
    return QPoint(60, round((index + 0.5) * theme.px(ROW)))


def choose(user, index, words):
    """Open the menu of a branch with the right button and choose an entry."""
    place = row(user, index)
    reason = QContextMenuEvent.Reason.Mouse
    event = QContextMenuEvent(reason, place, lines(user).mapToGlobal(place), NO_KEY)
    QApplication.sendEvent(lines(user), event)
    menu = QApplication.activePopupWidget()
    (action,) = [a for a in menu.actions() if a.text() == words]
    assert action.isEnabled(), f"{words} is grey"
    user.qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
    user.settle()


def names(user):
    branching = user.window.workspace.branching
    return [branching.name(branch) for branch in branching.branches]


def test_the_timeline_shows_when_there_is_more_than_one_branch(user, window):
    user.go_to(30)
    assert not window.transport.timeline.isVisible()
    user.go_to(20)
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    assert window.transport.timeline.isVisible()
    assert lines(user).accessibleDescription() == "trunk; threshold 2 → 1.5"
    assert window.said.text() == "threshold 2 → 1.5 from step 21 on; trunk stays as it was"
    user.do("undo")  # nothing was recorded under it yet
    user.settle()
    assert not window.transport.timeline.isVisible()
    assert (user.step, window.workspace.status.head) == (20, 30)


def test_lines_stand_over_the_slider(forked):
    """A step is at the same place on the lines as on the slider below them."""
    window = forked.window
    scrub, drawn = window.transport.scrub, lines(forked)
    left = drawn.mapToGlobal(QPoint(0, 0)).x()
    assert abs(scrub.mapToGlobal(QPoint(0, 0)).x() - left) <= 1
    assert abs(scrub.width() - (drawn.width() - theme.px(NAMES))) <= 2
    for step in (0, 15, 40):
        handle = theme.px(7) + (scrub.width() - theme.px(14)) * step / 40
        assert abs(drawn._across(step) - handle) <= 2


def test_of_many_branches_the_one_of_the_cursor_is_in_sight_and_over_the_slider(forked):
    timeline, runner = forked.window.transport.timeline, forked.window.workspace.runner
    for _ in range(9):
        runner.seek(10)
        runner.fork()
    forked.go_to(20)

    def agrees():
        scrub, height = forked.window.transport.scrub, theme.px(ROW)
        assert lines(forked).height() == 11 * height and timeline.height() == 5 * height + 2
        status = forked.window.workspace.status
        place = [b.number for b in status.branches].index(status.branch)
        top = place * height - timeline.verticalScrollBar().value()
        assert 0 <= top <= timeline.viewport().height() - height
        handle = theme.px(7) + (scrub.width() - theme.px(14)) / 2
        assert abs(lines(forked)._across(20) - handle) <= 2

    agrees()
    theme.set_presenter(True)
    forked.frames(3)
    agrees()
    forked.window.workspace.branching.switch(0)
    forked.settle()
    agrees()


def test_a_click_on_a_line_goes_to_that_branch_and_the_sliders_follow(forked):
    window, before = forked.window, forked.window.workspace.status
    forked.click(lines(forked), row(forked, 0))
    forked.settle()
    assert window.workspace.status.branch == 0
    assert forked.field("system.threshold").text.text() == "2"
    assert forked.step == 40 and window.said.text() == "On trunk"
    assert window.workspace.status.reference == 1  # the one it was on is drawn behind it
    forked.click(lines(forked), row(forked, 1))
    forked.settle()
    assert window.workspace.status.fingerprint == before.fingerprint
    assert forked.field("system.threshold").text.text() == "1.5"
    assert names(forked) == ["trunk", "threshold 2 → 1.5"]


def test_keys_go_from_branch_to_branch_and_delete_takes_one_away(forked):
    status = lambda: forked.window.workspace.status  # noqa: E731
    lines(forked).setFocus()
    forked.press(Key.Key_Up)
    forked.settle()
    assert status().branch == 0
    forked.press(Key.Key_Down, Qt.KeyboardModifier.ControlModifier)  # the command
    forked.settle()
    assert status().branch == 1
    lines(forked).setFocus()
    forked.press(Key.Key_Delete)
    forked.settle()
    assert names(forked) == ["trunk"] and status().branch == 0
    assert forked.field("system.threshold").text.text() == "2"


def test_the_menu_of_a_branch_promotes_compares_and_deletes(forked):
    window = forked.window
    choose(forked, 1, "Make it the trunk")
    assert names(forked) == ["trunk", "threshold 1.5 → 2"]
    choose(forked, 1, "Do not draw it behind the run")
    assert window.workspace.ghost is None
    choose(forked, 1, "Draw it behind the run")
    assert window.workspace.ghost is not None
    choose(forked, 1, "Delete")
    assert names(forked) == ["trunk"]
    assert window.workspace.experiment.system.params.threshold == 1.5


def test_a_branch_that_is_named_and_kept_stays_beside_the_next_image(forked, monkeypatch):
    monkeypatch.setattr(QInputDialog, "getText", lambda *rest: (f"{rest[-1]}!", True))
    choose(forked, 1, "Name and keep …")
    forked.do("next_sample")
    forked.settle()
    assert names(forked) == ["test sample 0, threshold 2 → 1.5!", "trunk"]
    choose(forked, 0, "Let go of it")
    forked.do("next_sample")
    forked.settle()
    assert names(forked) == ["trunk"]


def test_the_key_keeps_the_run_for_comparison(user, window):
    user.go_to(30)
    user.press(Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    user.settle()
    user.do("next_sample")
    user.settle()
    assert names(user) == ["test sample 0", "trunk"]
    user.click(lines(user), row(user, 0))  # its image and its settings come back
    user.settle()
    assert window.workspace.document.view.sample == 0
    assert window.workspace.snapshot.sample == 0
    assert window.workspace.status.step <= 30


def test_space_runs_on_along_what_is_recorded_and_no_branch_is_lost(forked):
    window = forked.window
    window.workspace.ask(lambda runner: runner.set_speed(None))
    expected = window.workspace.status.fingerprint
    forked.press(Key.Key_Space)
    forked.wait(lambda: forked.state == "finished")
    forked.settle()
    assert (forked.step, window.workspace.status.fingerprint) == (40, expected)
    assert len(names(forked)) == 2


def test_a_neuron_is_dropped_from_here_on(user, window):
    user.go_to(30)
    neuron = int(window.workspace.snapshot.recording.spikes()[30][0])
    assert not window.actions_by_name["drop_neuron"].isEnabled()
    window.workspace.select_neuron(neuron)
    user.do("drop_neuron")
    user.settle()
    user.go_to(60)
    assert names(user) == ["trunk", f"neuron {neuron} dropped"]
    fired = window.workspace.snapshot.recording.spikes()
    assert neuron in fired[30] and not any(neuron in step for step in fired[31:])


def test_the_network_with_a_neuron_dropped_is_the_one_that_is_evaluated(open_window):
    """It finds what a network finds that never had this atom."""
    user = open_window(*SMALL, "decoder.kind=perceptron", "decoder.samples=60")
    workspace, view = user.window.workspace, user.bring_up("confusion")
    user.go_to(30)
    neuron = int(workspace.snapshot.recording.spikes()[30][0])
    workspace.select_neuron(neuron)
    user.do("drop_neuron")
    user.settle()
    user.click(view.button)
    user.wait(lambda: not workspace.evaluating)
    user.settle()
    assert view.edits.isVisible() and view.edits.text() == f"neuron {neuron} dropped"
    assert f"neuron {neuron} dropped" in view.caption() and workspace.perceptron is not None
    experiment, found = workspace.experiment, workspace.evaluation
    others = [i for i in range(300) if i != neuron]
    wiring = experiment.system.wiring
    fewer = replace(wiring, atoms=wiring.atoms[others], labels=wiring.labels[others], checked=299)
    system = type(experiment.system)(experiment.system.params, fewer)
    state = system.init(experiment.signals(slice(40)))
    for _ in range(40):
        state = system.step(state)
    energy = system.observe(state, ("energy",))["energy"].mean(0)
    assert found.energy["total"][-1] == pytest.approx(float(energy[2]), rel=1e-6)
    # back on the trunk it says whose it is, and its perceptron is that of another network
    user.click(lines(user), row(user, 0))
    user.settle()
    assert view.edits.text() == f"neuron {neuron} dropped" and workspace.perceptron is None
    user.click(view.button)
    user.wait(lambda: not workspace.evaluating)
    user.settle()
    assert not view.edits.isVisible() and workspace.perceptron is not None
    assert workspace.evaluation.fingerprint != found.fingerprint
    user.click(lines(user), row(user, 1))
    user.settle()
    assert view.edits.text() == "atoms unedited"


def test_a_fork_of_the_same_run_is_equal_in_every_bit(user, window):
    user.go_to(50)
    user.go_to(30)
    user.press(Key.Key_B)
    user.settle()
    user.go_to(50)
    one, two = window.workspace.branching.branches
    assert one.recording.digest(50) == two.recording.digest(50)
    assert names(user)[1] == "fork at step 30"


def test_another_session_runs_beside_this_one(user, window):
    user.go_to(20)
    window.files.compare(shipped()["digits-random"])
    user.settle()
    assert names(user) == ["trunk", "digits-random"]
    user.go_to(40)
    user.wait(lambda: window.workspace.snapshot.reference.step == 40)
    assert window.workspace.document.dictionary.kind == "exemplar"
    window.files.compare(shipped()["digits-random"].with_name("nothing.json"))
    assert "nothing.json" in user.dismiss()
    assert len(names(user)) == 2


@pytest.mark.parametrize("beside", ["digits-random", "digits-exemplar"])
def test_the_open_session_is_the_one_that_is_saved_wherever_the_cursor_is(forked, tmp_path, beside):
    """Also where the other one is of the same network: it is no branch of this one."""
    window, mine = forked.window, tmp_path / "mine.json"
    assert window.files.save_to(mine)
    saved, workspace = load(mine), window.workspace
    assert len(saved.branches) == 2 and not workspace.dirty
    theirs = tmp_path / "theirs.json"
    document = load(shipped()[beside]).with_text("data.train=300").with_text("data.test=40")
    save(document.with_text("system.threshold=2.5"), theirs)
    window.files.compare(theirs)
    forked.settle()
    assert not workspace.dirty
    forked.click(lines(forked), row(forked, 2))
    forked.settle()
    assert workspace.document.system["threshold"] == 2.5 and workspace.on_guest
    assert not workspace.dirty and "theirs, " in window.views["counts"].caption()
    forked.go_to(10)
    forked.write(forked.field("system.threshold").text, "2.25")  # a fork of theirs
    forked.settle()
    assert workspace.on_guest and not workspace.dirty
    forked.press(Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    forked.settle()
    assert load(mine) == saved and window.said.text().endswith("here is of another session")
    forked.click(lines(forked), row(forked, 1))  # back, and something to save
    forked.settle()
    assert not workspace.on_guest and not workspace.dirty
    forked.do("fork")
    forked.settle()
    forked.click(lines(forked), row(forked, 2))
    forked.settle()
    assert workspace.on_guest and workspace.dirty
    forked.press(Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    forked.settle()
    assert len(load(mine).branches) == 3 and not workspace.dirty
    assert load(mine).dictionary.kind == "exemplar"


def test_a_session_refused_while_on_a_guests_run_does_not_make_that_one_mine(forked, tmp_path):
    window, mine, bad = forked.window, tmp_path / "mine.json", tmp_path / "bad.json"
    assert window.files.save_to(mine)
    saved = load(mine)
    save(load(shipped()["digits-exemplar"]).with_text("data.train=1000000"), bad)
    window.files.compare(shipped()["digits-random"])
    forked.settle()
    forked.click(lines(forked), row(forked, 2))
    forked.settle()
    window.files.open(bad)
    forked.wait(lambda: forked.complaints)
    assert "data.train" in forked.dismiss()
    forked.settle()
    assert window.workspace.on_guest and window.workspace.path == mine
    forked.press(Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    forked.settle()
    assert load(mine) == saved


def test_settings_of_another_session_that_begin_a_new_run_are_this_sessions(forked, tmp_path):
    window, mine = forked.window, tmp_path / "mine.json"
    assert window.files.save_to(mine)
    window.files.compare(shipped()["digits-random"])
    forked.settle()
    forked.click(lines(forked), row(forked, 2))
    forked.settle()
    forked.write(forked.field("dictionary.atoms").text, "50")
    forked.settle()
    workspace = window.workspace
    assert not workspace.on_guest and workspace.dirty
    forked.press(Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    forked.settle()
    assert load(mine) == workspace.document and workspace.document.dictionary.kind == "random"


@pytest.mark.parametrize("name", ["terms", "counts", "evidence"])
def test_curves_are_drawn_over_those_of_the_branch_behind(forked, name):
    view = forked.bring_up(name)
    if name == "evidence":
        forked.choose(view.mode, "over time")
    forked.settle()
    trunk = forked.window.workspace.branching.branches[0].recording
    column = trunk.summary(
        {"terms": "energy", "counts": "firing_count"}.get(name, "class_evidence")
    )
    column = column.reshape(41, -1)[:, -1]
    x, y = view._ghosts._curves[-1].getData()
    assert x.tolist() == list(range(41))
    np.testing.assert_array_equal(y, column.astype(float))
    forked.window.workspace.branching.compare(None)
    forked.settle()
    assert view._ghosts._curves[-1].getData()[0].size == 0


def test_traces_are_drawn_over_those_of_the_same_neurons(forked):
    view = forked.bring_up("traces")
    forked.frames(3)
    trunk = forked.window.workspace.branching.branches[0].recording
    potentials = np.stack(
        [
            trunk.observer(k)
            .observe(trunk.state(k), ("membrane_potential",))["membrane_potential"][0]
            .numpy()
            for k in range(41)
        ]
    )
    drawn = np.concatenate(
        [c.getData()[1] for c in view._ghost_curves.values() if c.getData()[1] is not None]
    )
    expected = potentials[:, view._neurons].T
    assert len(drawn) == expected.size
    np.testing.assert_allclose(np.sort(drawn), np.sort(expected.ravel()), atol=1e-6)


def test_the_raster_marks_in_grey_who_fires_only_on_the_branch_behind(forked):
    view = forked.bring_up("raster")
    here, there = (b.recording.spikes() for b in forked.window.workspace.branching.branches[::-1])

    def rows(neurons):
        return view._place[neurons] * view._rows // view._neurons

    for step in (30, 40):
        alone = np.setdiff1d(rows(there[step]), rows(here[step]))
        assert (view._pixels[alone, step, 3] == 200).all()
        assert (view._pixels[rows(here[step]), step, 3] == 255).all()


def test_pictures_carry_those_of_the_branch_behind_where_they_differ(forked):
    view = forked.bring_up("images")
    inset = [picture._inset is not None for picture in view._pictures]
    assert inset == [False, True, True]  # the input is the same
    forked.go_to(10)
    assert not any(picture._inset is not None for picture in view._pictures)


def test_undo_after_a_fork_takes_the_parameter_back_and_keeps_the_branch(forked):
    forked.do("undo")
    forked.settle()
    assert forked.window.workspace.document.system["threshold"] == 2.0
    assert len(names(forked)) == 3  # the run with the old threshold is one of its own


def test_undo_and_redo_on_the_run_of_another_session_go_from_branch_to_branch(forked, tmp_path):
    """To follow another network would end the branches that are there."""
    window, path = forked.window, tmp_path / "few.json"
    workspace = window.workspace
    path.write_text(workspace.document.with_value("dictionary.atoms", 50).to_json())
    window.files.compare(path)
    forked.wait(lambda: len(names(forked)) == 3)
    forked.settle()
    before = names(forked)
    heads = [branch.recording.head for branch in workspace.branching.branches]
    forked.do("next_branch")
    forked.settle()
    assert workspace.document.dictionary.atoms == 50
    for command, atoms, at in (("undo", None, 0), ("redo", 50, 2)):
        forked.do(command)
        forked.settle()
        assert workspace.document.dictionary.atoms == atoms
        assert names(forked) == before and workspace.status.branch == at
    assert [b.recording.head for b in workspace.branching.branches][:2] == heads[:2]


def test_branches_are_saved_with_the_session_and_come_back(forked, open_window, tmp_path):
    window = forked.window
    forked.go_to(30)
    forked.window.workspace.select_neuron(7)
    forked.do("drop_neuron")
    forked.settle()
    forked.go_to(40)
    expected = window.workspace.status.fingerprint
    assert window.isWindowModified()
    path = tmp_path / "branches.json"
    assert window.files.save_to(path)
    forked.frames(1)
    assert not window.isWindowModified()

    later = open_window(path)
    later.settle()
    assert names(later) == names(forked) == ["trunk", "threshold 2 → 1.5", "neuron 7 dropped"]
    assert later.window.transport.timeline.isVisible()
    later.go_to(40)
    assert later.window.workspace.status.fingerprint == expected
    assert not later.window.isWindowModified()


def test_branches_that_do_not_fit_are_refused_and_the_run_opens(forked, open_window, tmp_path):
    path = tmp_path / "branches.json"
    forked.window.files.save_to(path)
    text = path.read_text(encoding="utf-8")
    head, tail = text.split('"branches"')
    path.write_text(f'{head}"branches"{tail.replace("1.5", "-1.5")}', encoding="utf-8")
    later = open_window(path)
    later.wait(lambda: later.complaints)
    assert later.dismiss().startswith("branches[1]: system.threshold = -1.5: must be")
    assert names(later) == ["trunk"]


def test_the_path_of_the_branch_behind_lies_in_the_phase_plane(forked):
    view = forked.bring_up("phase")
    forked.frames(3)
    trunk = forked.window.workspace.branching.branches[0].recording
    name, neurons = "membrane_potential", view._cache.neurons
    states = [(trunk.observer(k), trunk.state(k)) for k in range(41)]
    expected = np.stack([s.observe_neurons(x, name, neurons)[0].numpy() for s, x in states])
    x, y = view.drawing._ghost.getData()
    np.testing.assert_allclose(np.column_stack([x, y]), expected, atol=1e-6)
    forked.window.workspace.branching.compare(None)
    forked.settle()
    assert view.drawing._ghost.getData()[0].size == 0


def test_atoms_that_are_active_behind_alone_come_last_in_brackets(forked):
    neuron = int(forked.window.workspace.snapshot.recording.spikes()[40][0])
    forked.go_to(30)
    forked.window.workspace.select_neuron(neuron)
    forked.do("drop_neuron")
    forked.settle()
    forked.go_to(40)
    view = forked.bring_up("atoms")
    reference = forked.window.workspace.snapshot.reference
    code = "activation"
    there = reference.recording.observer(40).observe(reference.state, (code,))[code][0]
    captions = {tile[0]: tile[2] for tile in view.tiles._tiles}
    assert captions[neuron] == f"({float(there[neuron]):.2f})"
    active = [tile[2].startswith("(") for tile in view.tiles._tiles if tile[2] != "–"]
    assert active == sorted(active) and not active[0]


@pytest.mark.parametrize("other", ["the same again", "other parameters"])
def test_a_session_that_is_opened_is_not_a_fork_of_the_one_before(forked, tmp_path, other):
    window, path = forked.window, tmp_path / "other.json"
    document = window.workspace.document
    if other == "other parameters":
        document = document.with_text("system.time_constant=30")
    path.write_text(document.to_json())
    window.workspace.mark_saved(window.workspace.session)  # nobody asks
    assert window.files.open(path)
    forked.settle()
    (branch,) = window.workspace.branching.branches
    assert branch.plain.asked.system == document.system
    assert not window.workspace.dirty and not window.isWindowModified()
    assert window.said.text() == "Opened other.json"


def test_a_session_that_is_refused_leaves_the_branches_of_the_open_one(forked, tmp_path):
    window = forked.window
    saved, wrong = tmp_path / "branches.json", tmp_path / "wrong.json"
    assert window.files.save_to(saved)
    document = load(saved)
    asked = document.dictionary.changed(atoms=10**6)
    wrong.write_text(document.model_copy(update={"dictionary": asked}).to_json())
    before = window.workspace.status.branches
    window.files.open(wrong)
    forked.wait(lambda: forked.complaints)
    assert "dictionary.atoms" in forked.dismiss()
    forked.settle()
    assert window.workspace.status.branches == before
    assert window.workspace.path == saved and not window.isWindowModified()


def test_a_command_on_a_branch_that_went_meanwhile_leaves_window_and_run_of_one_mind(forked):
    """The runner is busy, so the window asks for what is no longer there."""
    workspace = forked.window.workspace
    workspace.ask(lambda runner: runner.restart())
    workspace.branching.switch(0)  # threshold 2; it goes with the restart
    assert workspace.document.system["threshold"] == 2.0
    forked.settle()
    forked.frames(2)
    assert workspace.snapshot.experiment.system.params.threshold == 1.5
    assert workspace.document.system["threshold"] == 1.5
    assert forked.field("system.threshold").text.text() == "1.5"


def test_a_branch_that_was_turned_meanwhile_keeps_what_it_was_turned_to(forked):
    workspace = forked.window.workspace
    forked.go_to(15)
    forked.go_to(40)
    workspace.ask(lambda runner: runner.seek(20))
    workspace.set_value("system.threshold", 1.0)  # a third branch, not yet seen by the window
    workspace.branching.switch(0)
    forked.settle()
    third = workspace.status.branches[-1].number
    workspace.branching.switch(third)
    forked.settle()
    workspace.set_value("system.threshold", 0.7)  # turned where it stands
    workspace.branching.switch(0)
    workspace.branching.switch(third)
    forked.settle()
    forked.frames(2)
    branch = workspace.snapshot.branch
    assert branch.experiment.system.params.threshold == branch.plain.asked.system["threshold"]
    assert workspace.document.system["threshold"] == branch.plain.asked.system["threshold"]
