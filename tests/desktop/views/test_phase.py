"""The phase plane: two neurons, or two principal components."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt

from workbench.analysis import phase as planes
from workbench.desktop.planes import LOOKS, MOST_NEURONS
from workbench.desktop.views.neuron_choice import AUTOMATIC

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")
LIF = ("lif-population", "system.steps=40", "system.encoding=direct", "signal.norm=none")
small = pytest.mark.parametrize("user", [SMALL], indirect=True)
lif = pytest.mark.parametrize("user", [LIF], indirect=True)


def settle(user) -> None:
    """Wait until all that the view asked for is there and drawn."""
    user.settle()
    view = user.window.views["phase"]
    asked = (view.pair.rivals, view.components.asker, view.flowing)
    user.wait(lambda: not view._reading and all(n._thread is None for n in asked))
    user.frames(3)


def bring_up(user, step: int):
    user.go_to(step)
    view = user.bring_up("phase")
    settle(user)
    return view


def by_components(user, step: int):
    view = bring_up(user, step)
    user.choose(view.mode, "components")
    settle(user)
    return view


def potentials(user, step: int) -> np.ndarray:
    """The potentials of all neurons at a step, computed apart from the view."""
    record, name = user.window.workspace.snapshot.recording, "membrane_potential"
    return record.observer(step).observe(record.state(step), (name,))[name][0].numpy()


@small
def test_the_two_strongest_neurons_are_drawn_as_they_are(user, window):
    view = bring_up(user, 30)
    strongest = np.argsort(-np.abs(potentials(user, 30)), kind="stable")[:2].tolist()
    assert list(view.pair.pair) == strongest
    columns, rows = view.table()
    assert columns == ["step", *(f"u_{n}" for n in strongest)]
    assert rows[:, 0].tolist() == list(range(31))
    for step in (0, 7, 30):
        np.testing.assert_array_equal(rows[step, 1:], potentials(user, step)[strongest])
    np.testing.assert_array_equal(view.drawing._here.getData(), rows[-1:, 1:].T)
    labels = window.workspace.experiment.system.wiring.labels
    first, second = (f"{n} “{int(labels[n])}”" for n in strongest)
    assert view.accessibleDescription().startswith(f"{first} and {second} · ")


@small
def test_once_a_neuron_has_fired_the_axes_do_not_jump(user, window):
    view = bring_up(user, 5)
    silent = view.pair.pair
    assert not view.pair.reached
    user.go_to(40)
    settle(user)
    pair = view.pair.pair
    assert view.pair.reached
    for step in (3, 39, 17):
        user.go_to(step)
        settle(user)
        assert view.pair.pair == pair
    user.do("next_sample")
    user.go_to(5)
    settle(user)
    assert view.pair.pair != pair and silent != view.pair.pair


@small
def test_the_selected_neuron_stands_against_its_strongest_rival(user, window):
    view = bring_up(user, 30)
    weak = int(np.argsort(np.abs(potentials(user, 30)))[150])
    window.workspace.select_neuron(weak)
    settle(user)
    state, system = window.workspace.snapshot.state, window.workspace.experiment.system
    rivals = [part for part in system.account(state, weak).parts if part.neuron is not None]
    assert view.pair.pair == (weak, max(rivals, key=lambda part: abs(part.value)).neuron)
    user.go_to(20)
    settle(user)
    assert view.pair.pair == (weak, rivals[0].neuron)


@small
def test_a_neuron_can_be_pinned_and_let_go(user, window):
    view = bring_up(user, 30)
    third = view.pair.up.itemText(3)
    user.choose(view.pair.up, third)
    settle(user)
    pinned = int(third.split()[0])
    assert view.pair.pair[1] == view.pair.up.neuron == pinned
    assert view.pair.across.findText(third) < 0  # no neuron stands against itself
    window.workspace.select_neuron(pinned)
    user.go_to(3)
    settle(user)
    assert view.pair.pair[1] == pinned != view.pair.pair[0]
    user.choose(view.pair.up, AUTOMATIC)
    settle(user)
    assert view.pair.up.neuron is None and view.pair.pair[0] == pinned


@small
def test_a_click_on_the_path_goes_to_that_step_and_one_beside_it_nowhere(user, window):
    view = bring_up(user, 40)
    _, rows = view.table()
    user.click_plot(view, *rows[6, 1:])
    assert user.step == 6
    user.click_plot(view, *(0.9 * rows[10, 1:] + 0.1 * rows[11, 1:]))  # between two dots
    assert user.step == 10
    left, right, low, high = view._box
    user.click_plot(view, right, low)
    assert user.step == 10
    x, y = view.drawing._to_come.getData()
    np.testing.assert_array_equal(np.column_stack([x, y]), rows[10:, 1:])


@small
def test_a_click_need_not_be_exact(user, window):
    view = bring_up(user, 40)
    _, rows = view.table()
    pixel = view.plot.getViewBox().viewPixelSize()
    user.click_plot(view, rows[5, 1] + 12 * pixel[0], rows[5, 2] - 12 * pixel[1])
    assert abs(user.step - 5) <= 1


@small
def test_thresholds_are_dashed_and_the_regions_say_who_fires(user, window):
    view = bring_up(user, 40)
    lines = [line for line in view.drawing._lines if line.isVisible()]
    assert sorted(line.value() for line in lines) == [-2, -2, 2, 2]
    first, second = view.pair.names(window.workspace.snapshot)
    named = {f"only {first} fires", f"only {second} fires", "both fire", "neither fires"}
    assert set(view.drawing.regions) <= named and "neither fires" in view.drawing.regions
    here = np.abs(potentials(user, 40))[list(view.pair.pair)]
    words = {0: "both silent", 2: "both fire"}
    assert view.accessibleDescription().endswith(words.get(int((here >= 2).sum()), "fires"))
    pair = view.pair.pair
    user.write(user.field("system.threshold").text, "1.5")
    settle(user)
    user.go_to(41)
    settle(user)
    assert {abs(line.value()) for line in view.drawing._lines} == {1.5}
    assert view.pair.pair == pair  # it is the same image


@lif
def test_a_lif_population_has_one_threshold_an_axis_and_a_flow(user, window):
    view = bring_up(user, 5)
    assert [line.value() for line in view.drawing._lines if line.isVisible()] == [1, 1]
    first, second = view.pair.pair
    rows = view.table()[1]
    assert rows[-1, 1] > rows[-1, 2]  # they differ, so that there is something to see
    wish = view._flow_wish(window.workspace.snapshot)
    found = view.flowing.latest.found
    expected = planes.flow(wish.system, wish.state, (first, second), view._box)
    np.testing.assert_array_equal(found.rates, expected.rates)
    assert len(view.drawing._arrows.getData()[0]) == 6 * len(found.points)


@small
def test_the_flow_is_that_at_the_cursor(user, window):
    view = bring_up(user, 30)
    snapshot = window.workspace.snapshot
    system, pair = window.workspace.experiment.system, view.pair.pair
    found = view.flowing.latest.found
    points = torch.from_numpy(found.points)
    np.testing.assert_array_equal(found.rates, system.flow(snapshot.state, pair, points).numpy())
    x, _ = view.drawing._nullclines[0].getData()
    assert len(x) > 10 and view.drawing.nullclines
    assert view.plot.getAxis("bottom").labelText.endswith("lines: at rest")
    user.go_to(10)
    settle(user)
    assert view.flowing.latest.wish.state is window.workspace.snapshot.state


@pytest.mark.parametrize("user", [(*SMALL, "system.integrator=momentum")], indirect=True)
def test_where_no_flow_is_known_none_is_drawn(user, window):
    view = bring_up(user, 20)
    assert view.flowing.latest.found is None and not view.flowing.latest.error
    assert not len(view.drawing._arrows.getData()[0])
    assert not view.plot.getAxis("bottom").labelText.endswith("lines: at rest")
    assert view.figure() is not None


@small
def test_principal_components_are_those_of_the_potentials(user, window):
    view = by_components(user, 40)
    path = np.stack([potentials(user, step) for step in range(41)]).astype(float)
    looks = path[np.linspace(0, 40, LOOKS).round().astype(int)]
    chosen = np.sort(np.argsort(-np.ptp(looks, axis=0))[:MOST_NEURONS])
    centred = path[:, chosen] - path[:, chosen].mean(0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    columns, rows = view.table()
    assert columns == ["step", "PC1", "PC2"]
    np.testing.assert_allclose(np.abs(rows[:, 1:]), np.abs(centred @ axes[:2].T), atol=1e-5)
    part = 100 * (sizes[:2] ** 2).sum() / (sizes**2).sum()
    words = f"{part:.3g} % of the variance of {MOST_NEURONS} of 300 neurons"
    assert view.accessibleDescription() == words
    assert not view.choices.isVisible() and not view.drawing.regions
    assert not any(line.isVisible() for line in view.drawing._lines)
    user.click_plot(view, *rows[8, 1:])
    assert user.step == 8
    user.choose(view.mode, "neurons")
    settle(user)
    assert view.choices.isVisible() and view.table()[0][1].startswith("u_")


@small
def test_components_of_too_short_a_run_say_what_to_do(user, window):
    view = by_components(user, 1)
    assert view._empty.text() == "Principal components need three steps: run it, or step on."
    assert view.figure() is None and view.table() is None
    user.go_to(3)
    settle(user)
    assert not view._empty.isVisible() and view.widget.isVisible()
    assert len(view.table()[1]) == 4


@small
def test_the_path_grows_while_the_network_runs(user, window):
    view = by_components(user, 10)
    user.choose(window.transport.speed, "60 steps/s")
    user.press(Qt.Key.Key_Space)
    user.wait(lambda: user.state == "finished")
    settle(user)
    assert view.table()[1][-1, 0] == 40
    assert view.components.asker.latest.wish.head == 40


@pytest.mark.parametrize("user", [("digits-unstable",)], indirect=True)
def test_a_network_that_blows_up_does_no_harm(user, window):
    view = bring_up(user, 100)
    assert user.step < 100  # it diverged
    assert np.isfinite(view.table()[1]).all()
    user.choose(view.mode, "components")
    settle(user)
    assert view.accessibleDescription()
    user.double_click(view.widget.viewport(), view.widget.rect().center())
    settle(user)


@pytest.mark.parametrize("user", [(*SMALL, "dictionary.atoms=1")], indirect=True)
def test_one_neuron_makes_no_plane_and_the_view_says_so(user, window):
    view = bring_up(user, 3)
    assert view._empty.text().endswith("has no two potentials to draw against each other.")
    assert view.figure() is None and view.table() is None


@small
def test_a_double_click_fits_the_ranges_and_both_themes_draw(user, window):
    view = bring_up(user, 40)
    before = view.plot.viewRange()
    view._box = (-9.0, 9.0, -9.0, 9.0)
    view._set_ranges()
    user.double_click(view.widget.viewport(), QPoint(view.widget.width() // 2, 30))
    settle(user)
    np.testing.assert_allclose(view.plot.viewRange(), before)
    pair = view.pair.pair
    user.do("theme")
    settle(user)
    assert view.pair.pair == pair and len(view.table()[1]) == 41


@small
def test_a_hidden_view_asks_nothing(user, window, monkeypatch):
    view, asked = window.views["phase"], []
    for asker in (view.pair.rivals, view.components.asker, view.flowing):
        monkeypatch.setattr(asker, "want", asked.append)
    user.go_to(20)
    window.workspace.select_neuron(4)
    user.frames(3)
    assert not asked and not window._on_screen(view)
    user.bring_up("phase")
    user.wait(lambda: asked)
