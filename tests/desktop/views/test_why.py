"""Why a neuron fires or not, in the window."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PySide6.QtCore import Qt

from workbench.analysis.explanation import explain
from workbench.desktop import export
from workbench.desktop.explaining import Wish
from workbench.desktop.views.base import plain
from workbench.desktop.views.why import MOST_RIVALS

Key = Qt.Key
SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")
LIF = ("lif-population", "system.encoding=direct")
small = pytest.mark.parametrize("user", [SMALL], indirect=True)


def settle(user) -> None:
    """Wait until the neuron at the cursor is explained and drawn."""
    user.settle()
    view, workspace = user.window.views["why"], user.window.workspace

    def drawn() -> bool:
        answer, neuron = view.explainer.latest, workspace.neuron
        if answer is None or view._drawn is None or answer not in view._drawn:
            return False
        wish = answer.wish
        shown = neuron is None or wish.neuron == neuron
        return shown and wish.same(Wish.of(workspace.snapshot, wish.neuron))

    user.wait(drawn)
    user.wait(lambda: view.thumbnails._thread is None)
    user.frames(2)


def bring_up(user, step=30, neuron=None):
    user.go_to(step)
    user.window.workspace.select_neuron(neuron)
    view = user.bring_up("why")
    settle(user)
    return view


def now(user, neuron):
    """The explanation, made here."""
    snapshot = user.window.workspace.snapshot
    names = snapshot.experiment.dataset.class_names
    return explain(snapshot.experiment.system, snapshot.state, neuron, snapshot.step, names)


def a_neuron(user, fires, step=30):
    """The most inhibited neuron that fires after a step, or does not."""
    user.go_to(step)
    code = user.window.workspace.snapshot.observed["membrane_potential"]
    found = [n for n in np.argsort(-code)[:60].tolist() if now(user, n).fires is fires]
    return found[0]


@small
def test_the_rows_add_up_from_the_potential_now_to_that_of_the_next_step(user, window):
    for fires in (True, False):
        neuron = a_neuron(user, fires)
        view = bring_up(user, 30, neuron)
        why, rows = now(user, neuron), view.waterfall.rows
        assert [row.label for row in (rows[0], rows[-1])] == ["u at step 30", "u at step 31"]
        observed = window.workspace.snapshot.observed["membrane_potential"][neuron]
        assert rows[0].start == pytest.approx(float(observed), abs=1e-6)
        for above, below in zip(rows, rows[1:], strict=False):
            assert below.start == pytest.approx(above.end, abs=1e-5)
        count = len([part for part in why.parts if part.neuron is not None])
        shown = len([row for row in rows if row.neuron is not None])
        assert 0 < shown <= MOST_RIVALS and rows[-2].label.startswith(f"{count - shown} other")
        window.workspace.ask(lambda runner: runner.step(1))
        settle(user)
        observed = window.workspace.snapshot.observed["membrane_potential"][neuron]
        assert rows[-1].start == pytest.approx(float(observed), abs=1e-6)


@small
def test_the_words_are_those_of_the_explanation(user, window):
    neuron = a_neuron(user, False)
    view, why = bring_up(user, 30, neuron), now(user, neuron)
    assert plain(view.sentence.text()) == why.sentence == view.accessibleDescription()
    words = plain(view.changes.text().replace("<br>", "\n"))
    assert words.splitlines() == [why.heading, *(f"· {change.text}" for change in why.changes)]
    assert view.header.summary.text() == "step 30 → 31"
    assert view.waterfall.limit.label == "λ = 2"
    assert view.waterfall.accessibleDescription().startswith("u at step 30 ")


@small
def test_rivals_have_the_colour_and_the_picture_of_their_class(user, window):
    view = bring_up(user, 30, a_neuron(user, False))
    labels = window.workspace.experiment.system.wiring.labels
    rivals = [row for row in view.waterfall.rows if row.neuron is not None]
    assert rivals
    for row in rivals:
        assert row.label == f"{row.neuron} · “{labels[row.neuron]}”"
        assert row.picture is not None and not row.picture.isNull()
    assert len({(row.colour, int(labels[row.neuron])) for row in rivals}) == len(
        {int(labels[row.neuron]) for row in rivals}
    )


@small
def test_a_click_on_a_rival_walks_on_to_it(user, window):
    view = bring_up(user, 30, a_neuron(user, False))
    (index, row), *_ = [(i, r) for i, r in enumerate(view.waterfall.rows) if r.neuron is not None]
    user.click(view.waterfall, view.waterfall.row_place(0).center().toPoint())  # no rival
    assert window.workspace.neuron != row.neuron
    user.click(view.waterfall, view.waterfall.row_place(index).center().toPoint())
    settle(user)
    assert window.workspace.neuron == row.neuron
    assert plain(view.sentence.text()).startswith(f"Neuron {row.neuron} (")
    assert window.inspector.heading.text().startswith(f"Neuron {row.neuron} ")


@small
def test_down_up_and_enter_walk_on_to_a_rival(user, window):
    view = bring_up(user, 30, a_neuron(user, False))
    rivals = [row.neuron for row in view.waterfall.rows if row.neuron is not None]
    view.waterfall.setFocus()
    for key in (Key.Key_Down, Key.Key_Down, Key.Key_Down, Key.Key_Up, Key.Key_Return):
        user.press(key)
    settle(user)
    assert window.workspace.neuron == rivals[1]
    user.press(Key.Key_Right)  # left to the time cursor
    settle(user)
    assert user.step == 31
    view.waterfall.setFocus()
    user.press(Key.Key_Up)
    user.press(Key.Key_Enter)
    last = [row.neuron for row in view.waterfall.rows if row.neuron is not None][-1]
    assert window.workspace.neuron == last


@small
def test_it_follows_the_time_cursor_to_the_last_step_and_beyond(user, window):
    view = bring_up(user, 40, 7)
    for step in (40, 0, 12):
        user.go_to(step)
        settle(user)
        assert f" at step {step + 1} " in view.sentence.text()
        assert view.sentence.text() == plain(view.sentence.text()) == now(user, 7).sentence


@small
def test_the_step_after_a_changed_threshold_is_explained_under_it(user, window):
    view = bring_up(user, 30, 7)
    assert view.waterfall.limit.label == "λ = 2"
    user.write(user.field("system.threshold").text, "1")
    settle(user)
    assert abs(view.waterfall.limit.value) == 1
    assert "(λ = 1)" in view.sentence.text()


@small
def test_without_a_selection_the_strongest_neuron_is_explained(user, window):
    view = bring_up(user, 30, None)
    strongest = int(np.abs(window.workspace.snapshot.observed["activation"]).argmax())
    assert view.sentence.text().startswith(f"Neuron {strongest} (")
    assert window.inspector.heading.text().startswith(f"Neuron {strongest} ")


@small
def test_it_keeps_up_with_a_run(user, window):
    view = bring_up(user, 0, 7)
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "finished")
    settle(user)
    assert " at step 41 " in view.sentence.text()


@small
def test_the_key_and_the_button_of_the_inspector_show_it(user, window):
    user.go_to(30)
    view = window.views["why"]
    assert not window._on_screen(view)
    user.press(Key.Key_W)
    user.wait(lambda: window._on_screen(view))
    window.area.docks["evidence"].raise_()
    user.wait(lambda: not window._on_screen(view))
    user.click(user.find("Show why it fires or not"))
    user.wait(lambda: window._on_screen(view))
    settle(user)


@small
def test_a_hidden_view_explains_nothing(user, window, monkeypatch):
    asked = []
    monkeypatch.setattr(window.views["why"].explainer, "want", asked.append)
    for step in (3, 9, 30):
        user.go_to(step)
        window.workspace.select_neuron(step)
    user.frames(3)
    assert not asked and not window._on_screen(window.views["why"])
    user.bring_up("why")
    user.wait(lambda: asked)


@small
def test_the_exported_table_holds_every_part(user, window, tmp_path):
    neuron = a_neuron(user, False)
    view, why = bring_up(user, 30, neuron), now(user, neuron)
    path = tmp_path / "why.csv"
    assert export.save(view, path)
    head, first, *parts, last = csv.reader(path.read_text(encoding="utf-8").splitlines())
    assert head == ["part", "equation", "neuron", "class", "value", "potential"]
    assert [row[0] for row in parts] == [part.name for part in why.parts]
    np.testing.assert_allclose([float(row[4]) for row in parts], [p.value for p in why.parts])
    assert float(parts[-1][5]) == pytest.approx(float(last[5]), abs=1e-5)
    assert float(first[5]) == pytest.approx(why.before)
    labels = window.workspace.experiment.system.wiring.labels
    rivals = [row for row in parts if row[0] == "rival"]
    assert [row[3] for row in rivals] == [str(int(labels[int(row[2])])) for row in rivals]


@small
def test_an_export_does_not_wait_for_the_picture(user, window):
    view = bring_up(user, 30, 7)
    user.go_to(12)
    window.workspace.select_neuron(9)  # asked for, and not yet explained
    heads, rows = view.table()
    assert rows[0][2] == 9 and rows[0][heads.index("potential")] == pytest.approx(
        float(window.workspace.snapshot.state.u[0, 9])
    )
    assert view.figure() is not None


@pytest.mark.parametrize("user", [("digits-unstable",)], indirect=True)
def test_a_network_that_blew_up_is_explained_in_words(user, window):
    view = bring_up(user, 100, 7)
    assert view.sentence.text().startswith("The network has blown up: ")
    assert not view.waterfall.rows and not view.changes.isVisible()
    assert view.figure() is None
    window.grab()


@pytest.mark.parametrize("user", [LIF], indirect=True)
def test_a_lif_neuron_is_explained_by_its_current(user, window):
    view = bring_up(user, 10, 2)
    labels = [row.label for row in view.waterfall.rows]
    assert labels == ["V at step 10", "input current w I", "leak −w g V", "V at step 11"]
    assert "V<sub>θ</sub>" in view.sentence.text()
    assert view.waterfall.limit.label == "Vθ = 1"
    window.grab()


@pytest.mark.parametrize("user", [LIF], indirect=True)
def test_a_resting_neuron_says_so_and_offers_no_change(user, window):
    user.go_to(60)
    spikes = window.workspace.snapshot.recording.spikes()
    step = next(k for k in range(60) if len(spikes[k]))
    view = bring_up(user, step, int(spikes[step][0]))
    assert "it rests after its spike, for 2 steps more" in view.sentence.text()
    assert not view.changes.isVisible()


@pytest.mark.usefixtures("bare_system")
@pytest.mark.parametrize("user", [("digits-exemplar", "system.kind=bare")], indirect=True)
def test_a_system_without_accounts_has_no_such_view(user, window):
    assert not window.area.docks["why"].toggleViewAction().isVisible()
    assert not window.actions_by_name["why"].isEnabled()
    assert not window.inspector.why.isVisible()


@pytest.mark.parametrize(
    "user", [("digits-random", "data.train=300"), (*SMALL, "run.engine=lazy")], indirect=True
)
def test_other_dictionaries_and_engines_are_explained(user, window):
    view = bring_up(user, 30, 7)
    assert view.sentence.text().startswith("Neuron 7 ")
    assert view.waterfall.rows[0].picture is not None
    window.grab()


@small
def test_another_theme_and_scale_are_drawn(user, window):
    view = bring_up(user, 30, 7)
    user.press(Key.Key_F11)
    settle(user)
    assert view.waterfall.rows[0].picture.height() > 24
    user.do("theme")
    settle(user)
    window.grab()
